// conformance.test.mjs - Annex 4 and lines that nobody understood, as people at a centre see them: through the real API, each within what is theirs; and a
// change of logging that an owner announced, compared on the lines that really came (paragraph 12).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { api } from './lib/api.mjs';
import { centre, sendSyslog, until } from './lib/centre.mjs';

let c, p = {};
const { ask, get } = api();
const WEB = 'registry-web-1', FOREIGN = 'city-web-1', OBJECT = 'state-register';
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const stamp = (n) => { const d = new Date(c.now() + n * 1000); return `${d.toUTCString().slice(8, 11)} ${String(d.getUTCDate()).padStart(2)} ${d.toISOString().slice(11, 19)}`; };
const old = (host, count) => Array.from({ length: count }, (_, i) => `<38>${stamp(0)} ${host} sshd[812]: Accepted password for ann from 203.0.113.8 port ${i + 1} ssh2`);
const fresh = (host, count) => Array.from({ length: count }, (_, i) => `<38>1 ${at(c.now())} ${host} sshd 812 - - Accepted password for ann from 203.0.113.8 port ${i + 1} ssh2`);
const toast = (host) => [1, 2, 3].map((n) => `<30>1 ${at(c.now())} ${host} toasterd 7 - - user u${n} made ${n} slices`);

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    for (const [name, login] of [['admin', 'administrator'], ['analyst', 'centre_analyst'], ['owner', 'registry'], ['city', 'city']]) p[name] = await c.signedIn(login);
    await sendSyslog(c.ports.syslog, [...old(WEB, 40), ...old(FOREIGN, 40), ...toast(WEB), ...toast(FOREIGN)]);
    await until('both are judged', async () => [WEB, FOREIGN].every((h) => (c.found ?? []).some((s) => s.source === h && s.format === 'rfc3164' && s.seen >= 40)) ||
        ((c.found = (await get(p.analyst, '/collection/conformance?limit=500')).items) && false)).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
});
after(async () => { await c?.remove(); });

test('R-12-02 conformance: the centre sees every source, an owner those of its own objects, in the language of the session', async () => {
    const all = await get(p.analyst, '/collection/conformance?limit=500');
    assert.ok(all.items.some((s) => s.source === WEB) && all.items.some((s) => s.source === FOREIGN) && all.total === all.items.length);
    assert.ok(all.items.every((s, i) => i === 0 || (all.items[i - 1].score ?? -1) <= (s.score ?? -1)), 'the worst first');
    const own = await get(p.owner, '/collection/conformance');
    assert.ok(own.items.some((s) => s.source === WEB) && own.items.every((s) => s.object?.id === OBJECT), JSON.stringify(own.items.map((s) => s.source)));
    const [one] = (await get(p.owner, `/collection/conformance?source=${WEB}`)).items.filter((s) => s.class === 'os-unix'), date = one.findings.find((f) => f.row === 'R-A4-DT1');
    assert.deepEqual([one.chapter, one.field_score, date.code, date.column, date.failed >= 40, date.failed === date.checked], [1, 100, 'date_format', 5, true, true]);
    assert.match(date.sample, new RegExp(`^<38>.* ${WEB} sshd`));
    const words = {};
    for (const language of ['kk', 'ru', 'en']) {
        const a = await p.owner.request('GET', `/api/v1/collection/conformance?source=${WEB}`, undefined, { 'Accept-Language': language });
        words[language] = a.json.items[0].findings.find((f) => f.row === 'R-A4-DT1').message;
    }
    assert.match(words.kk, /Күн КК:АА:ЖЖЖЖ/);
    assert.match(words.ru, /ДД:ММ:ГГГГ/);
    assert.match(words.en, /dd:mm:yyyy/);
    assert.equal((await get(p.city, `/collection/conformance?source=${WEB}`)).total, 0);
    const page = await get(p.analyst, '/collection/conformance?limit=1');
    const second = await get(p.analyst, `/collection/conformance?limit=1&before=${page.next}`);
    assert.notDeepEqual([second.items[0].source, second.items[0].class], [page.items[0].source, page.items[0].class]);
    assert.equal((await ask(p.analyst, 'GET', '/collection/conformance?before=x')).status, 400);
});

test('unparsed: groups by shape, the largest first, each within what is theirs; a draft is made and nothing is stored', async () => {
    const all = await until('the lines are found', async () => { const a = await get(p.analyst, '/collection/unparsed?q=toasterd'); return a.items[0]?.count === 6 && a; });
    assert.deepEqual([all.items[0].shape, all.items[0].kind, all.items[0].program, all.complete, all.shapes, all.lines], ['user * made * slices', 'header', 'toasterd', true, 1, 6]);
    const own = (await get(p.owner, '/collection/unparsed?q=toasterd')).items;
    assert.deepEqual(own.map((s) => [s.count, s.sources.map((x) => x.id)]), [[3, [WEB]]]);
    assert.equal((await get(p.analyst, `/collection/unparsed?q=toasterd&to=${at(c.now() - 3600e3)}`)).items.length, 0);
    assert.equal((await get(p.analyst, '/collection/unparsed?q=toasterd&kind=failed')).items.length, 0);
    assert.equal((await ask(p.analyst, 'GET', '/collection/unparsed?kind=odd')).status, 400);
    assert.equal((await ask(p.analyst, 'GET', '/collection/unparsed?q=(')).json.error?.code ?? 'bad_query', 'bad_query');
    const draft = await ask(p.owner, 'POST', '/collection/parsers/draft', { id: 'toaster', lines: own[0].examples });
    assert.deepEqual([draft.status, draft.json.lines, draft.json.reads], [200, 3, 3], draft.bytes.toString());
    assert.match(draft.json.file, /programs: \['toasterd'\]/);
    for (const [body, status] of [[{ id: 'No Id', lines: ['a'] }, 400], [{ id: 'x', lines: [] }, 400], [{ id: 'x', lines: ['a\nb'] }, 400], [{ id: 'x', lines: ['a', 7] }, 400],
        [{ id: 'x', lines: ['one two', '<30>Mar 19 08:05:09 h p[1]: three'] }, 400]]) assert.equal((await ask(p.owner, 'POST', '/collection/parsers/draft', body)).status, status, JSON.stringify(body));
});

test('R-12-07 R-12-08 an announced change names its source: the lines that really came before and after are compared, and the change that is seen leads to the announcement', async () => {
    const post = async (who, path, body) => { const a = await ask(who, 'POST', path, body); assert.ok(a.status < 300, `${path} ${a.bytes}`); return a.json; };
    const opened = await post(p.owner, '/requests', { kind: 'logging_change', object_ids: [OBJECT],
        values: { planned: false, change_at: at(c.now()), log_class: 'os-unix', source_id: WEB, text: 'RFC 5424 instead of 3164', reason: 'an update of the server' } });
    const path = `/requests/${opened.items[0].id}`;
    assert.equal((await ask(p.owner, 'POST', `${path}/actions/compare_source`, {})).json.field, 'source_id', 'nothing came after the change');
    c.advance(5);
    await sendSyslog(c.ports.syslog, fresh(WEB, 40));
    const r = await until('the lines are there', async () => { const a = await ask(p.owner, 'POST', `${path}/actions/compare_source`, {}); return a.status === 200 && a.json.values.comparison.after.lines === 40 && a.json; });
    const { before: was, after: is, verdict } = r.values.comparison;
    assert.deepEqual([was.format, is.format, is.field_score, is.lines, verdict, r.state], ['rfc3164', 'rfc5424', 100, 40, 'conforming', 'verified']);
    assert.ok(was.lines >= 40 && was.score > 0 && is.first.some((f) => f.row === 'R-A4-DT1'), JSON.stringify(was));
    assert.ok([...was.first, ...is.first].every((f) => f.code && (f.code !== 'missing_field' || f.field)), 'a page can tell it in any language');
    assert.match(is.sha256, /^[0-9a-f]{64}$/);
    const seen = await until('the change is seen', async () => (await get(p.owner, `/collection/conformance?source=${WEB}`)).items.find((s) => s.change));
    assert.deepEqual([seen.change.before, seen.change.after, seen.change.announced?.id], ['rfc3164', 'rfc5424', opened.items[0].id]);
    await sendSyslog(c.ports.syslog, fresh(FOREIGN, 40));
    const foreign = await until('the other change is seen', async () => (await get(p.city, `/collection/conformance?source=${FOREIGN}`)).items.find((s) => s.change));
    assert.equal(foreign.change.announced, null, 'nobody announced it');
});

test('R-12-07 a planned change whose notice is still owed is not compared', async () => {
    const opened = (await ask(p.owner, 'POST', '/requests', { kind: 'logging_change', object_ids: [OBJECT],
        values: { planned: true, change_at: at(c.now() + 86400e3), log_class: 'os-unix', source_id: WEB, text: 'x' } })).json.items[0];
    assert.equal((await ask(p.owner, 'POST', `/requests/${opened.id}/actions/compare_source`, {})).status, 409, 'it was not made yet');
    assert.equal((await ask(p.owner, 'POST', `/requests/${opened.id}/actions/made`, { made_at: at(c.now() - 60e3) })).status, 200);
    assert.equal((await ask(p.owner, 'POST', `/requests/${opened.id}/actions/compare_source`, {})).status, 409);
    assert.equal((await ask(p.city, 'POST', `/requests/${opened.id}/actions/compare_source`, {})).status, 404);
});

test('R-12-07 lines in which a field of the chapter is missing after the change do not conform; a foreign source is not compared', async () => {
    const opened = (await ask(p.owner, 'POST', '/requests', { kind: 'logging_change', object_ids: [OBJECT],
        values: { planned: false, change_at: at(c.now()), log_class: 'net', source_id: WEB, text: 'x', reason: 'y' } })).json.items[0];
    c.advance(5);
    await sendSyslog(c.ports.syslog, fresh(WEB, 3));
    const r = await until('the lines are there', async () => { const a = await ask(p.owner, 'POST', `/requests/${opened.id}/actions/compare_source`, {}); return a.status === 200 && a.json; });
    assert.equal(r.state, 'non_conforming');
    assert.ok(r.values.comparison.after.by_code.missing_field > 0, JSON.stringify(r.values.comparison.after.by_code));   // no destination address
    const foreign = await ask(p.owner, 'POST', `/requests/${opened.id}/actions/compare_source`, { source_id: FOREIGN });
    assert.deepEqual([foreign.status, foreign.json.field], [400, 'source_id']);
});
