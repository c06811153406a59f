// surveys.test.mjs - surveys for vulnerabilities through the real API, with a clock that is moved: access, scope, results of scanners, letters, measures,
// the control survey, and a run of nmap by Saqshy itself on this machine.
//
// One centre with the demonstration registry. Every answer is compared with docs/openapi.yaml. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { api, conditions, user } from './lib/api.mjs';
import { centre, until, kill9 } from './lib/centre.mjs';

let c, admin, p = {};
const DAY = 24 * 3600, OBJECT = 'state-register';
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const day = (days = 0) => new Date(c.now() + (days * DAY + 5 * 3600) * 1000).toISOString().slice(0, 10);

const { ask, get } = api();
const act = async (who, s, name, body = {}) => {
    const a = await ask(who, 'POST', `/surveys/${s.id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const refused = async (who, s, name, body, status, field) => {
    const a = await ask(who, 'POST', `/surveys/${s.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    if (field) assert.equal(a.json.field, field, `${name}: ${a.bytes}`);
    return a.json;
};
const make = async (mode, more = {}) => {
    const a = await ask(p.surveyor, 'POST', '/surveys', { object_id: OBJECT, mode, kind: 'main', from_on: day(), to_on: day(5), reason: 'an order of KNB', ...more });
    assert.equal(a.status, 201, a.bytes.toString());
    return a.json;
};
const result = async (s, name, content, more = {}, who = p.surveyor) => {
    const up = await who.upload(name, Buffer.from(content));
    assert.ok(up.status < 300, up.bytes.toString());
    const a = await ask(who, 'POST', `/surveys/${s.id}/results`, { upload_id: up.json.id, ...more });
    assert.equal(a.status, 201, a.bytes.toString());
    return a.json;
};
/** The survey when its files are read. */
const settled = (s) => until('the results are read', async () => {
    const now = await get(p.surveyor, `/surveys/${s.id}`);
    return !now.busy && now.results.every((r) => r.removed_at || ['applied', 'refused'].includes(r.state)) ? now : null;
}, 90);
const clock = (s, obligation) => s.clocks.filter((k) => k.obligation === obligation).at(-1);
const due = async (obligation, from) => (await p.lead.get(`/obligations/${obligation}/due?from=${encodeURIComponent(from)}`)).json.due;
const same = (a, b) => assert.equal(Date.parse(a), Date.parse(b));

/** A report in the form that Nessus writes, of our own making. */
const nessus = (hosts) => `<?xml version="1.0"?>
<NessusClientData_v2><Policy><policyName>ours</policyName></Policy><Report name="ours">
${Object.entries(hosts).map(([ip, items]) => `<ReportHost name="${ip}"><HostProperties><tag name="host-ip">${ip}</tag><tag name="HOST_START">Mon Nov 23 10:00:00 2026</tag><tag name="HOST_END">Mon Nov 23 10:20:00 2026</tag></HostProperties>
${items.map((i) => `<ReportItem port="${i.port}" svc_name="${i.service ?? 'general'}" protocol="tcp" severity="${i.severity}" pluginID="${i.id}" pluginName="${i.title}" pluginFamily="ours">
<description>${i.title} was found.</description><solution>${i.solution ?? 'Correct it.'}</solution><risk_factor>${['None', 'Low', 'Medium', 'High', 'Critical'][i.severity]}</risk_factor>${i.cve ? `<cve>${i.cve}</cve>` : ''}
</ReportItem>`).join('\n')}</ReportHost>`).join('\n')}
</Report></NessusClientData_v2>
`;
const PASSWORD = { port: 21, severity: 4, id: 900001, title: 'Default password of the file service' };
const TLS = { port: 443, severity: 2, id: 900002, title: 'TLS 1.0 is offered', solution: 'Turn it off.' };
const UPDATE = { port: 443, severity: 3, id: 900003, title: 'An old web server', cve: 'CVE-2026-10001' };
const NEW = { port: 443, severity: 1, id: 900004, title: 'A banner tells the version' };

const PEOPLE = { admin: 'admin', analyst: 'analyst', owner: 'registry', city: 'city' };
async function person(name, role, org) { PEOPLE[name] = await user(c, admin, name, role, org); }
async function signIn() {
    for (const [name, login] of Object.entries(PEOPLE)) p[name] = await c.signedIn(c.accounts[login]);
    admin = p.admin;
}
async function later(seconds) {
    c.advance(seconds);
    await signIn();
}
const provided = (...but) => conditions(c, p.analyst, p.owner, OBJECT, ...but);

before(async () => {
    process.env.TMPDIR = '/var/tmp';   // OpenSCAP writes into /tmp, which the role tools is not given where the data lie there
    c = await centre({ demo: true });
    writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace('roles: [ingest, index, detect, desk, keys]', 'roles: [desk, tools]'));
    await c.start();
    admin = await c.signedIn('administrator');
    for (const [name, role, org] of [['lead', 'centre_lead', 'sts'], ['surveyor', 'surveyor', 'sts'], ['other', 'surveyor', 'sts'], ['audit', 'auditor', null], ['knb', 'knb', 'knb']]) await person(name, role, org);
    await signIn();
});
after(async () => { await c?.remove(); });

let main, control;

test('R-10.2-01, F-01, F-02, F-03, F-04: lines of an agreed schedule become surveys, each once, control ones with their main', async () => {
    const year = 2027;   // the calendar of working days has it whole, whatever day it is today
    const must = async (who, path, body) => { const a = await who.post(path, body); assert.ok(a.status < 300, `${path}: ${a.bytes}`); return a.json; };
    for (const to of ['commissioned', 'information_received', 'listed']) await must(p.analyst, `/registry/objects/${OBJECT}/state`, { to, reason: 'for the schedule' });
    const people = (await p.lead.get('/schedule/teams')).json.people, member = people.find((x) => x.name.includes('surveyor other'));
    await must(p.lead, '/schedule/teams', { name: 'Team 1', at_once: 2, days_week: 20, modes: ['pentest_auto', 'update_config', 'source_code', 'pentest_manual', 'document'], active: true, member_ids: [member.id], absences: [] });
    let plan = await must(p.analyst, '/schedule/plans', { year, documents: 0 });
    await must(p.analyst, `/schedule/plans/${plan.id}/actions/generate`, { scope: 'all' });
    plan = await must(p.lead, `/schedule/plans/${plan.id}/actions/send`, {});
    await must(p.knb, `/schedule/plans/${plan.id}/actions/agree`, { version: plan.version, sha256: plan.versions[0].sha256 });
    const taken = await until('the surveys are made', async () => { const x = (await get(p.lead, '/surveys?limit=100')).items; return x.length >= 16 ? x : null; });
    const of = (mode, kind) => taken.filter((x) => x.mode === mode && x.kind === kind).length;
    assert.deepEqual(['pentest_auto', 'update_config', 'source_code', 'pentest_manual'].map((m) => [of(m, 'main'), of(m, 'control')]), [[4, 4], [1, 1], [2, 2], [1, 1]]);
    for (const x of taken.filter((y) => y.kind === 'control')) {
        const pair = taken.find((y) => y.id === x.main);
        assert.deepEqual([pair.mode, pair.kind, pair.control], [x.mode, 'main', x.id]);
        assert.ok(pair.to_on < x.from_on);
    }
    const one = await get(p.lead, `/surveys/${taken[0].id}`);
    assert.deepEqual([one.team.name, one.reason, one.state], ['Team 1', null, 'planned']);
    await refused(p.other, one, 'move', { from_on: day(), to_on: day(1), reason: 'x' }, 409);
    /* It is of Team 1: another surveyor reads it, does nothing to it, and is told whose it is. */
    assert.equal((await refused(p.surveyor, one, 'notify', {}, 403)).code, 'not_of_team');
    const read = await get(p.surveyor, `/surveys/${one.id}`);
    assert.deepEqual([read.own_team, read.actions.length, read.team.name], [false, 0, 'Team 1']);
    assert.ok((await get(p.other, `/surveys/${one.id}`)).own_team);
    assert.equal((await get(p.owner, '/surveys?side=all')).items.length, 0);
});

test('7.5 rows 8 and 9: an agreed amendment moves a survey that was made and calls another off; one by hand is called off by its own people', async () => {
    const year = 2027, must = async (who, path, body) => { const a = await who.post(path, body); assert.ok(a.status < 300, `${path}: ${a.bytes}`); return a.json; };
    let plan = (await get(p.analyst, '/schedule/plans')).items[0];
    const path = `/schedule/plans/${plan.id}`, act7 = (who, name, body = {}) => must(who, `${path}/actions/${name}`, body);
    await act7(p.analyst, 'amend', { reason: 'the owner asked for other days' });
    const lines = (await get(p.analyst, `${path}/lines?set=draft&limit=100`)).items;
    const manual = lines.filter((l) => l.mode === 'pentest_manual'), moved = manual.find((l) => l.kind === 'control'), code = lines.filter((l) => l.mode === 'source_code' && l.ordinal === 2);
    const put = await p.analyst.put(`${path}/lines/${moved.id}`, { from_on: `${year}-12-21`, accept: true, reason: 'no other days' });
    assert.equal(put.status, 200, put.bytes.toString());
    for (const l of code) await must(p.analyst, `${path}/lines/${l.id}/remove`, {});
    await act7(p.analyst, 'set_reason', { object_id: OBJECT, mode: 'source_code', reason: 'the sources are rewritten in this year' });
    plan = await act7(p.lead, 'send');
    await act7(p.knb, 'agree', { version: plan.version, sha256: plan.versions[0].sha256 });
    const all = await until('the surveys follow', async () => {
        const x = (await get(p.lead, '/surveys?limit=100&side=all')).items;
        return x.filter((s) => s.state === 'cancelled').length === 2 ? x : null;
    });
    assert.deepEqual(all.filter((s) => s.state === 'cancelled').map((s) => [s.mode, s.ordinal]), [['source_code', 2], ['source_code', 2]]);
    const late = await until('the days are those of the amendment', async () => (await get(p.lead, '/surveys?limit=100&mode=pentest_manual&kind=control')).items.find((s) => s.from_on === `${year}-12-21`));
    assert.equal(late.state, 'planned');
    assert.equal((await get(p.lead, `${path}/lines?state=cancelled&limit=100`)).items.length, 0, 'what the plan no longer has is no line of it');
    assert.ok((await get(p.lead, `/surveys/${late.id}`)).timeline.some((x) => x.kind === 'moved'));
    let own = await make('update_config');
    await refused(p.other, own, 'cancel', { reason: 'not mine' }, 403);
    own = await act(p.surveyor, own, 'cancel', { reason: 'ordered twice' });
    assert.deepEqual([own.state, own.ended], ['cancelled', true]);
    await refused(p.surveyor, own, 'start', {}, 409);
});

test('R-10.2-02, R-11-01: a survey in the mode of penetration testing waits for the conditions of paragraph 11, and the owner is told which one is missing', async () => {
    main = await make('pentest_auto');
    assert.match(main.number, /^S-\d{4}-\d{6}$/);
    assert.deepEqual([main.state, main.reason], ['planned', 'an order of KNB']);
    assert.equal((await ask(p.owner, 'GET', `/surveys/${main.id}`)).status, 404, 'the owner was not told of it yet');
    assert.equal((await get(p.owner, '/surveys?side=all')).items.length, 0);
    main = await act(p.surveyor, main, 'assign', { people: [(main.candidates.find((x) => x.name.includes('surveyor surveyor'))).id] });
    assert.equal(main.people.length, 1);
    await provided('R-11-06');
    main = await act(p.surveyor, main, 'start');
    assert.equal(main.state, 'blocked');
    assert.deepEqual(main.values.blocked.conditions.map((x) => x.code), ['R-11-06']);
    const seen = await get(p.owner, `/surveys/${main.id}`);
    assert.deepEqual([seen.people, seen.results, seen.runs], [[], [], []], 'the owner sees nothing of the work');
    const notice = (await p.owner.get(`/notices/${seen.notices.at(-1).id}`)).json;
    assert.match(JSON.stringify(notice), /R-11-06/);
    assert.equal((await ask(p.city, 'GET', `/surveys/${main.id}`)).status, 404);
    await refused(p.owner, main, 'start', {}, 403);
    await provided();
    main = await act(p.surveyor, main, 'start');
    assert.equal(main.state, 'in_progress');
});

test('the scope comes from Annex 1; what is left out says why; a network is no place', async () => {
    assert.ok(main.scope.length > 0 && main.scope.every((x) => x.source === 'annex1' && x.included), JSON.stringify(main.scope));
    await refused(p.surveyor, main, 'scope_set', { item: main.scope[0].id, included: false }, 400, 'reason');
    await refused(p.surveyor, main, 'scope_add', { name: 'net', hosts: ['10.7.0.0/24'] }, 400, 'hosts');
    await refused(p.surveyor, main, 'scope_add', { name: 'x', hosts: ['--script=x'] }, 400, 'hosts');
    main = await act(p.surveyor, main, 'scope_add', { name: 'web', hosts: ['192.0.2.10', 'web.example.kz'] });
    main = await act(p.surveyor, main, 'scope_add', { name: 'old', hosts: ['192.0.2.99'] });
    main = await act(p.surveyor, main, 'scope_set', { item: main.scope.find((x) => x.name === 'old').id, included: false, reason: 'out of operation' });
    assert.deepEqual(main.scope.filter((x) => !x.included).map((x) => [x.name, x.reason]), [['old', 'out of operation']]);
});

test('evidence needs its moment, a photograph its place; it is kept by its sum', async () => {
    const up = await p.surveyor.upload('rack.png', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100)]));
    let a = await ask(p.surveyor, 'POST', `/surveys/${main.id}/files`, { upload_id: up.json.id, role: 'photo', captured_at: at(c.now()) });
    assert.deepEqual([a.status, a.json.field], [400, 'place']);
    a = await ask(p.surveyor, 'POST', `/surveys/${main.id}/files`, { upload_id: up.json.id, role: 'photo', captured_at: at(c.now()), place: 'server room 2' });
    assert.equal(a.status, 201, a.bytes.toString());
    const f = a.json.files[0];
    assert.equal(f.sha256, up.json.sha256);
    const bytes = await p.surveyor.get(`/surveys/${main.id}/files/${f.id}`);
    assert.equal(createHash('sha256').update(bytes.bytes).digest('hex'), f.sha256);
    assert.equal((await p.owner.get(`/surveys/${main.id}/files/${f.id}`)).status, 404);
});

test('R-10.2-01: results come from files of scanners; a broken one is refused with its place; a wrong one goes and comes back', async () => {
    await result(main, 'scan.nessus', nessus({ '192.0.2.10': [PASSWORD, TLS, UPDATE], '198.51.100.9': [TLS] }));
    let s = await settled(main);
    let r = s.results[0];
    assert.deepEqual([r.state, r.outside], ['applied', 1], JSON.stringify(r));
    assert.equal(s.counts.total, 3, JSON.stringify(s.counts));
    await result(main, 'cut.nessus', nessus({ '192.0.2.10': [NEW] }).slice(0, 500));
    s = await settled(main);
    r = s.results.find((x) => x.name === 'cut.nessus');
    assert.equal(r.state, 'refused');
    assert.ok(r.error && r.line > 1, JSON.stringify(r));
    // Why, in the language of who reads it.
    for (const [lang, said] of [['en', /cut\.nessus, line \d+, character \d+: .*nothing of the report is taken/], ['ru', /cut\.nessus, строка \d+, .*из отчёта не берётся ничего/], ['kk', /cut\.nessus, \d+-жол, .*есептен ештеңе алынбайды/]]) {
        const seen = (await p.surveyor.request('GET', `/api/v1/surveys/${main.id}`, undefined, { 'Accept-Language': lang })).json.results.find((x) => x.name === 'cut.nessus');
        assert.match(seen.error, said);
    }
    await result(main, 'wrong.nessus', nessus({ '192.0.2.10': [{ ...NEW, title: 'Of another survey', id: 900009 }] }));
    s = await settled(main);
    assert.equal(s.counts.total, 4);
    const wrong = s.results.find((x) => x.name === 'wrong.nessus');
    await act(p.surveyor, main, 'result_remove', { result: wrong.id, reason: 'of another object' });
    s = await settled(main);
    assert.equal(s.counts.total, 3);
    assert.equal(s.results.find((x) => x.name === 'wrong.nessus').reason, 'of another object');
    await act(p.surveyor, main, 'result_restore', { result: wrong.id, reason: 'it was ours' });
    s = await settled(main);
    assert.equal(s.counts.total, 4);
    await act(p.surveyor, main, 'result_remove', { result: s.results.find((x) => x.name === 'wrong.nessus').id, reason: 'it was not' });
    main = await settled(main);
    assert.equal(main.counts.total, 3);
});

test('a report of 1 GB may be brought by those who make surveys, by others 256 MiB', async () => {
    const begin = (who, size_bytes) => ask(who, 'POST', '/uploads', { name: 'large.nessus', size_bytes });
    assert.equal((await begin(p.surveyor, 1024 ** 3)).status, 201);
    assert.deepEqual([(await begin(p.owner, 1024 ** 3)).status, (await begin(p.owner, 1024 ** 3)).json.field], [400, 'size_bytes']);
    assert.equal((await begin(p.surveyor, 2 * 1024 ** 3)).status, 400);
});

test('a table is read by a saved mapping of its headings', async () => {
    const s = await (async () => act(p.surveyor, await make('update_config'), 'start'))();
    await act(p.surveyor, s, 'scope_add', { name: 'web', hosts: ['192.0.2.10'] });
    const csv = 'Name;Severity;Address;Gate\nOld kernel;High;192.0.2.10;\nOld library;Низкий;192.0.2.10;8080\nOld shell;СРЕДНЯЯ;192.0.2.10;\nOld door;ЖОҒАРЫ;192.0.2.10;\nOld key;сыни;192.0.2.10;\n';
    const up = await p.surveyor.upload('list.csv', Buffer.from(csv));
    const seen = await ask(p.surveyor, 'POST', '/survey-headings', { upload_id: up.json.id });
    assert.deepEqual([seen.json.headings, seen.json.rows[0][0]], [['Name', 'Severity', 'Address', 'Gate'], 'Old kernel']);
    const columns = [['Name', 'title'], ['Severity', 'severity'], ['Address', 'ip'], ['Gate', 'port']].map(([heading, field]) => ({ heading, field }));
    let a = await ask(p.surveyor, 'POST', '/survey-mappings', { name: 'our list', tool: 'Inventory', columns: columns.slice(1) });
    assert.deepEqual([a.status, a.json.field], [400, 'columns']);
    a = await ask(p.surveyor, 'POST', '/survey-mappings', { name: 'our list', tool: 'Inventory', columns });
    assert.equal(a.status, 200, a.bytes.toString());
    assert.equal((await get(p.lead, '/survey-mappings')).items[0].name, 'our list');
    a = await ask(p.surveyor, 'POST', `/surveys/${s.id}/results`, { upload_id: up.json.id, mapping: 'no such' });
    assert.deepEqual([a.status, a.json.field], [400, 'mapping']);
    a = await ask(p.surveyor, 'POST', `/surveys/${s.id}/results`, { upload_id: up.json.id, mapping: 'our list' });
    assert.equal(a.status, 201, a.bytes.toString());
    const done = await settled(s);
    assert.deepEqual([done.results[0].state, done.results[0].tool, done.counts.total], ['applied', 'Inventory', 5], JSON.stringify(done.results));
    assert.deepEqual(['critical', 'high', 'medium', 'low'].map((x) => done.counts[x]), [1, 2, 1, 1], 'words of Kazakh and Russian tables are known');
});

test('D-12, R-10.2-07, R-10.2-08: results and recommendations go to the owner as an official letter with PDF and XLSX within 10 business days of the completion', async () => {
    const found = (await get(p.surveyor, `/surveys/${main.id}/vulnerabilities`)).items;
    assert.deepEqual(found.map((f) => f.severity), ['critical', 'high', 'medium']);
    for (const f of found) for (const lang of ['kk', 'ru', 'en']) assert.ok(f.remedy[lang].length > 40, `${f.title} ${lang}`);
    assert.match(found.find((f) => f.title === TLS.title).remedy.en, /TLS 1\.2 and 1\.3[^]*Turn it off\./);
    main = await act(p.surveyor, main, 'remedy', { vulnerability: found[0].id, kk: 'Құпиясөзді бүгін ауыстырыңыз.', ru: 'Сменить пароль сегодня.', en: 'Change the password today.' });
    main = await act(p.surveyor, main, 'complete', { note: 'all places were looked at' });
    assert.equal(main.state, 'completed');
    same(clock(main, 'D-12').due, await due('D-12', clock(main, 'D-12').from));
    assert.equal((await ask(p.owner, 'GET', `/surveys/${main.id}/vulnerabilities`)).status, 404, 'nothing before the letter');
    await later(13 * DAY);
    main = await act(p.surveyor, main, 'send_results', { note: 'See the table.' });
    assert.deepEqual([main.state, clock(main, 'D-12').state], ['results_sent', 'fulfilled']);
    const mine = await get(p.owner, `/surveys/${main.id}`);
    const letter = mine.notices.find((n) => n.id === main.values.results_notice);
    const record = (await p.owner.get(`/notices/${letter.id}`)).json;
    assert.equal(record.form.form, 'survey_results', Object.keys(record.form).join());
    assert.match(JSON.stringify(record), /Сменить пароль сегодня/);
    const pdf = await p.owner.get(`/notices/${letter.id}/pdf`);
    assert.equal(pdf.bytes.subarray(0, 5).toString(), '%PDF-');
    assert.ok(record.files.some((f) => f.name === `${main.number}.xlsx`), JSON.stringify(record.files));
    assert.equal((await get(p.owner, `/surveys/${main.id}/vulnerabilities`)).items.length, 3);
    const table = await p.owner.get(`/surveys/${main.id}/vulnerability-table?format=csv`);
    assert.match(table.bytes.toString(), /CVE-2026-10001/);
});

test('R-10.2-09: the owner asks for a consultation, and the survey shows it', async () => {
    const a = await p.owner.post('/requests', { kind: 'consultation', object_ids: [OBJECT], values: { title: 'How to turn TLS 1.0 off', text: 'Our clients are old.' } });
    assert.equal(a.status, 201, a.bytes.toString());
    main = await get(p.surveyor, `/surveys/${main.id}`);
    assert.deepEqual(main.consultations.map((x) => x.title), ['How to turn TLS 1.0 off']);
    const given = await p.analyst.post(`/requests/${main.consultations[0].id}/actions/give`, { answer: 'By the setting.' });
    assert.equal(given.status, 200, given.bytes.toString());
});

test('D-13, R-13-01: the receipt starts 20 calendar days; the measures say of each vulnerability what was done, with files, on a form', async () => {
    main = await act(p.owner, main, 'receive');
    same(clock(main, 'D-13').due, await due('D-13', clock(main, 'D-13').from));
    const found = (await get(p.owner, `/surveys/${main.id}/vulnerabilities`)).items;
    await refused(p.owner, main, 'send_measures', { nothing_to_fix: true }, 400, 'nothing_to_fix');
    await refused(p.owner, main, 'send_measures', { items: [{ vulnerability: found[0].id, answer: 'fixed', on: day() }] }, 400, 'items');
    const items = [{ vulnerability: found[0].id, answer: 'fixed', on: day() }, { vulnerability: found[1].id, answer: 'until', on: day(30), comment: 'with the next release' }, { vulnerability: found[2].id, answer: 'claim' }];
    await refused(p.owner, main, 'send_measures', { items: [{ ...items[0], on: day(3) }, items[1], items[2]] }, 400, 'items.0.on');
    await refused(p.owner, main, 'send_measures', { items: [{ vulnerability: '999999', answer: 'claim' }, items[1], items[2]] }, 400, 'items.0.vulnerability');
    const up = await p.owner.upload('order.pdf', Buffer.from('%PDF-1.4 our own'));
    const measured = await act(p.owner, main, 'send_measures', { items, files: [up.json.id], note: 'As agreed.' });
    assert.deepEqual([measured.state, measured.ended, clock(measured, 'D-13').state], ['measures_received', true, 'fulfilled']);
    const record = (await p.surveyor.get(`/notices/${measured.values.measures_notice}`)).json;
    assert.equal(record.form.form, 'survey_measures');
    assert.deepEqual(record.files.map((f) => f.name), ['order.pdf']);
    const told = (await get(p.surveyor, `/surveys/${main.id}/vulnerabilities`)).items.map((f) => f.measure.answer);
    assert.deepEqual(told, ['fixed', 'until', 'claim']);
    // The line of a vulnerability keeps the answer as a value, so that each reader reads it in their language.
    const values = (await get(p.surveyor, `/vulnerabilities/${found[1].id}`)).acts.find((x) => x.kind === 'measures').values;
    assert.deepEqual([values.answer, values.on, values.comment, values.eliminated, values.done_at], ['until', items[1].on, 'with the next release', false, null]);
});

test('the control survey takes the scope of its main one, is compared with it, and its new results start D-12 again', async () => {
    await refused(p.surveyor, main, 'start', {}, 409);
    await later(30 * DAY);
    control = await make('pentest_auto', { kind: 'control', main_id: main.id, reason: 'the schedule is not agreed yet' });
    const twice = await ask(p.surveyor, 'POST', '/surveys', { object_id: OBJECT, mode: 'pentest_auto', kind: 'control', main_id: main.id, from_on: day(), to_on: day(5), reason: 'again' });
    assert.equal(twice.status, 409);
    control = await act(p.surveyor, control, 'start');
    const scope = (s) => s.scope.map((x) => [x.name, x.hosts.join(), x.included]).sort();
    assert.deepEqual(scope(control), scope(await get(p.surveyor, `/surveys/${main.id}`)));
    await result(control, 'again.nessus', nessus({ '192.0.2.10': [TLS, UPDATE, NEW] }));
    control = await settled(control);
    control = await act(p.surveyor, control, 'complete');
    assert.equal(clock(control, 'D-12').state, 'running');
    const compared = await until('the comparison is ready', async () => { const x = await get(p.surveyor, `/surveys/${control.id}/comparison`); return x.ready ? x : null; });
    assert.equal(compared.counts.not_fixed + compared.counts.claimed, 2, JSON.stringify(compared.counts));
    assert.equal(compared.counts.new, 1);
    assert.deepEqual([compared.counts.fixed, compared.counts.not_covered], [0, 1], 'a report that names no checks proves none to have run');
    const open = compared.items.find((x) => x.verdict === 'not_covered');
    assert.deepEqual([open.vulnerability.title, open.reason], [PASSWORD.title, 'checks_not_named']);
    const declared = await ask(p.surveyor, 'POST', `/vulnerability-surveys/${control.id}/coverage`, { tool: 'Nessus', check: String(PASSWORD.id), host: '192.0.2.10', reason: 'the same policy as in the main survey, record 17' });
    assert.equal(declared.status, 201, declared.bytes.toString());
    const proved = await until('what was declared counts', async () => { const x = await get(p.surveyor, `/vulnerability-surveys/${control.id}/comparison?verdict=fixed`); return x.ready && x.items.length ? x : null; });
    assert.deepEqual([proved.items[0].vulnerability.title, proved.items[0].proof.reason], [PASSWORD.title, 'the same policy as in the main survey, record 17']);
    control = await act(p.surveyor, control, 'send_results');
    control = await act(p.owner, control, 'send_measures', { all: { answer: 'until', on: day(10) } });
    assert.deepEqual([control.state, clock(control, 'D-12').state, clock(control, 'D-13').state], ['measures_received', 'fulfilled', 'fulfilled']);
});

test('R-10.2-03, R-10.2-04: the modes of updates and of source code go the same way; nothing to fix is an answer', async () => {
    for (const mode of ['update_config', 'source_code']) {
        let s = await act(p.surveyor, await make(mode), 'start');
        await refused(p.surveyor, s, 'complete', {}, 400, 'reason');
        s = await act(p.surveyor, s, 'complete', { reason: 'nothing was changed since the last survey' });
        s = await act(p.surveyor, s, 'send_results');
        s = await act(p.surveyor, s, 'record_receipt', { received_at: at(c.now()), proof: 'letter 17' });
        s = await act(p.owner, s, 'send_measures', { nothing_to_fix: true });
        assert.deepEqual([s.mode, s.state, clock(s, 'D-13').state], [mode, 'measures_received', 'fulfilled']);
    }
});

test('R-10.2-05, R-10.2-06: a survey by hand is not completed before the adjacent network is recorded as surveyed or absent', async () => {
    let s = await act(p.surveyor, await make('pentest_manual'), 'start');
    await refused(p.surveyor, s, 'complete', { reason: 'nothing was found' }, 409, 'adjacent');
    await refused(p.surveyor, s, 'adjacent', { lan: 'surveyed', reason: 'looked' }, 400, 'lan');
    s = await act(p.surveyor, s, 'adjacent', { lan: 'absent', reason: 'the object stands alone in its network' });
    s = await act(p.surveyor, s, 'complete', { reason: 'nothing was found' });
    s = await act(p.surveyor, s, 'send_results');
    const record = (await p.owner.get(`/notices/${s.values.results_notice}`)).json;
    assert.match(JSON.stringify(record), /the object stands alone/);
});

test('the lists: by state, mode and turn; the table; who sees what', async () => {
    const all = (await get(p.lead, '/surveys?side=all')).items;
    assert.ok(all.length >= 6);
    assert.ok((await get(p.lead, '/surveys?mode=pentest_manual&side=all')).items.every((s) => s.mode === 'pentest_manual'));
    const first = await get(p.lead, '/surveys?side=all&limit=2');
    const second = await get(p.lead, `/surveys?side=all&limit=2&before=${first.next}`);
    assert.deepEqual([...first.items, ...second.items].map((s) => s.id), all.slice(0, 4).map((s) => s.id));
    assert.ok((await get(p.owner, '/surveys?side=mine')).items.every((s) => s.waits === 'owner'));
    assert.equal((await get(p.city, '/surveys?side=all')).items.length, 0);
    assert.match((await p.lead.get('/survey-table?side=all&format=csv')).bytes.toString(), /S-\d{4}-000001/);
    assert.equal((await p.owner.post('/surveys', {})).status, 403);
    const late = await act(p.surveyor, await make('source_code'), 'start');
    await act(p.surveyor, late, 'complete', { reason: 'nothing to look at' });
    await later(30 * DAY);
    assert.ok((await get(p.lead, '/surveys?overdue=true')).items.some((s) => s.id === late.id && s.overdue), 'D-12 has passed');
});

test('Saqshy runs nmap itself: on places of the scope only, after a second press on the exact command, and takes its report', { skip: !existsSync('/usr/bin/nmap') }, async () => {
    const listener = net.createServer((x) => { x.on('error', () => {}); x.end('220 ready\r\n'); });
    await new Promise((done) => listener.listen(8443, '127.0.0.1', done)).catch(() => {});
    try {
        const tools = await get(p.surveyor, '/survey-tools');
        assert.ok(tools.items.find((x) => x.id === 'nmap-tls').present);
        await until('the role tools is ready', async () => (await get(p.surveyor, '/survey-tools')).running);
        let s = await act(p.surveyor, await make('pentest_auto'), 'start');
        s = await act(p.surveyor, s, 'scope_add', { name: 'this machine', hosts: ['127.0.0.1'] });
        await refused(p.surveyor, s, 'run_propose', { profile: 'nmap-tls', targets: ['198.51.100.1'] }, 400, 'targets');
        await refused(p.surveyor, s, 'run_propose', { profile: 'nmap', targets: ['127.0.0.1'] }, 400, 'profile');
        await refused(p.surveyor, s, 'run_propose', { profile: 'nmap-tls', targets: ['127.0.0.1'], arguments: '-O' }, 400);
        s = await act(p.surveyor, s, 'run_propose', { profile: 'nmap-tls', targets: ['127.0.0.1'] });
        const run = s.runs[0];
        assert.match(run.command, /^\/usr\/bin\/nmap .* -oX - -- 127\.0\.0\.1$/);
        const second = (await act(p.surveyor, s, 'run_propose', { profile: 'nmap-tls', targets: ['127.0.0.1'] })).runs.at(-1);
        await refused(p.other, s, 'run_cancel', { run: second.id }, 403);
        const off = (await act(p.surveyor, s, 'run_cancel', { run: second.id, reason: 'proposed twice' })).runs.find((r) => r.id === second.id);
        assert.equal(off.state, 'cancelled');
        await refused(p.lead, s, 'run_confirm', { run: second.id, command: second.command }, 400, 'run');
        await refused(p.other, s, 'run_confirm', { run: run.id, command: run.command }, 403);
        await refused(p.analyst, s, 'run_confirm', { run: run.id, command: run.command }, 403);
        await refused(p.lead, s, 'run_confirm', { run: run.id, command: run.command.replace('127.0.0.1', '127.0.0.2') }, 409, 'command');
        await act(p.lead, s, 'run_confirm', { run: run.id, command: run.command });
        const ended = await until('nmap has run', async () => { const x = await get(p.surveyor, `/surveys/${s.id}`); return ['done', 'failed'].includes(x.runs[0].state) ? x : null; }, 180);
        assert.deepEqual([ended.runs[0].state, ended.runs[0].exit_code, ended.runs[0].confirmed_by], ['done', 0, 'centre_lead lead'], JSON.stringify(ended.runs[0]));
        const read = await settled(s);
        const r = read.results.find((x) => x.run === run.id);
        assert.equal(r.state, 'applied', JSON.stringify(r));
        assert.match((await p.surveyor.get(`/surveys/${s.id}/results/${r.id}`)).bytes.toString(), /<nmaprun/);
        assert.ok(read.timeline.some((x) => x.kind === 'run_confirmed' && x.text === run.command));
        const audit = (await admin.get('/audit?q=survey.run')).json.items;
        assert.ok(audit.some((x) => JSON.stringify(x).includes('127.0.0.1')), 'the command stands in the audit trail');
    } finally { listener.close(); }
});

/** Rules of our own, with their checks beside them: a file that is there, one that is not, a search that takes a while, and a rule for another system. */
const RULE = 'xccdf_kz.saqshy.test_rule_';
const xccdf = `<?xml version="1.0" encoding="UTF-8"?>
<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_kz.saqshy.test_benchmark_host" resolved="1" xml:lang="en">
<status date="2026-11-01">draft</status><title>Settings of this machine</title><description>Rules of our own.</description><version>1</version>
${[['accounts', 'medium', 1, ''], ['banner', 'high', 2, ''], ['search', 'low', 3, ''], ['elsewhere', 'low', 1, '<platform idref="cpe:/o:saqshy:nowhere:1"/>']].map(([name, severity, check, platform]) =>
    `<Rule id="${RULE}${name}" severity="${severity}" selected="true"><title>Our rule ${name}</title><description>About ${name}.</description>${platform}<fixtext>Write it.</fixtext>
<check system="http://oval.mitre.org/XMLSchema/oval-definitions-5"><check-content-ref href="host-oval.xml" name="oval:kz.saqshy.test:def:${check}"/></check></Rule>`).join('\n')}
</Benchmark>`;
const each = (line) => [[1, '<unix:filepath>/etc/passwd</unix:filepath>'], [2, '<unix:filepath>/etc/saqshy-no-such-banner</unix:filepath>'],
    [3, '<unix:behaviors recurse_direction="down" max_depth="-1"/><unix:path>/usr</unix:path><unix:filename operation="pattern match">^saqshy-no-such-file$</unix:filename>']].map(([n, where]) => line(`oval:kz.saqshy.test`, n, where)).join('\n');
const oval = `<?xml version="1.0" encoding="UTF-8"?>
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5" xmlns:unix="http://oval.mitre.org/XMLSchema/oval-definitions-5#unix">
<generator><oval:schema_version>5.11</oval:schema_version><oval:timestamp>2026-11-01T00:00:00</oval:timestamp></generator>
<definitions>${each((id, n) => `<definition id="${id}:def:${n}" version="1" class="compliance"><metadata><title>a file</title><description>it is there</description></metadata><criteria><criterion test_ref="${id}:tst:${n}"/></criteria></definition>`)}</definitions>
<tests>${each((id, n) => `<unix:file_test id="${id}:tst:${n}" version="1" check="all" check_existence="${n === 3 ? 'none_exist' : 'at_least_one_exists'}" comment="a file"><unix:object object_ref="${id}:obj:${n}"/></unix:file_test>`)}</tests>
<objects>${each((id, n, where) => `<unix:file_object id="${id}:obj:${n}" version="1">${where}</unix:file_object>`)}</objects>
</oval_definitions>`;
const THIS = Object.values(networkInterfaces()).flat().find((i) => i.family === 'IPv4' && !i.internal)?.address ?? '127.0.0.1';
const ended = (s) => until('the tool has ended', async () => { const x = await get(p.surveyor, `/surveys/${s.id}`); return x.runs.every((r) => ['done', 'failed'].includes(r.state)) ? x : null; }, 180);

test('Saqshy runs OpenSCAP itself, with content of the administrator alone: what failed is found, what passed was looked at, what did not apply was not; a desk that restarts meanwhile loses nothing',
    { skip: !existsSync('/usr/bin/oscap') && 'oscap is not installed' }, async () => {
        let s = await act(p.surveyor, await make('update_config'), 'start');
        s = await act(p.surveyor, s, 'scope_add', { name: 'this machine', hosts: [THIS] });
        const profile = async () => (await get(p.surveyor, '/survey-tools')).items.find((x) => x.id === 'oscap-own');
        const propose = () => act(p.surveyor, s, 'run_propose', { profile: 'oscap-own', targets: [THIS] });
        const confirm = (run) => act(p.lead, s, 'run_confirm', { run: run.id, command: run.command });

        assert.deepEqual([(await profile()).present, /no content for this machine: looked for host-ds\.xml, host\.xml in .*\/scap and /.test((await profile()).missing)], [false, true]);
        const none = await refused(p.surveyor, s, 'run_propose', { profile: 'oscap-own', targets: [THIS] }, 409, 'profile');
        assert.equal(none.code, 'tool_missing');

        writeFileSync(join(c.data, 'scap/host.xml'), xccdf);
        writeFileSync(join(c.data, 'scap/host-oval.xml'), oval);
        assert.deepEqual([(await profile()).present, (await profile()).missing], [true, null]);
        s = await propose();
        assert.match(s.runs[0].command, /^\/usr\/bin\/oscap xccdf eval --results-arf \/\S+\/tools\/\d+\.out \/\S+\/scap\/host\.xml$/);
        renameSync(join(c.data, 'scap/host.xml'), join(c.data, 'scap/host.away'));
        await refused(p.lead, s, 'run_confirm', { run: s.runs[0].id, command: s.runs[0].command }, 409, 'profile');
        renameSync(join(c.data, 'scap/host.away'), join(c.data, 'scap/host.xml'));

        /* The desk falls while the tool runs: the role tools goes on by itself, and a new desk takes what it made. */
        const begun = (run) => until('the tool has begun', () => existsSync(join(c.data, `tools/${run.id}.begun`)));
        await confirm(s.runs[0]);
        const before = await c.roles();
        await begun(s.runs[0]);
        kill9(before.desk.pid);
        await until('a new desk', async () => (await c.client().request('GET', '/health')).status === 200 && (await c.roles()).desk.pid !== before.desk.pid, 90);
        await signIn();
        s = await ended(s);
        assert.deepEqual([s.runs[0].state, s.runs[0].exit_code], ['done', 2], JSON.stringify(s.runs[0]));
        assert.equal((await c.roles()).tools.pid, before.tools.pid, 'the role tools went on');
        s = await settled(s);
        const mine = s.results.filter((r) => r.run === s.runs[0].id);
        assert.deepEqual(mine.map((r) => [r.state, r.findings, r.outside]), [['applied', 1, 0]], JSON.stringify(mine));
        const report = (await p.surveyor.get(`/surveys/${s.id}/results/${mine[0].id}`)).bytes.toString();
        assert.deepEqual([...report.matchAll(/<result>(\w+)</g)].map((m) => m[1]).sort(), ['fail', 'notapplicable', 'pass', 'pass']);
        const found = (await get(p.surveyor, `/surveys/${s.id}/vulnerabilities`)).items;
        assert.deepEqual(found.map((v) => v.title), ['Our rule banner']);

        /* A run that a restart of the whole node cuts short is told as lost; it is never begun again by itself. */
        const stopped = async (signal) => {
            s = (await propose());
            const run = s.runs.at(-1);
            await confirm(run);
            await begun(run);
            await c.daemon.stop(signal);
            await c.start();
            await signIn();
            s = await ended(s);
            return s.runs.find((r) => r.id === run.id);
        };
        const cut = await stopped('SIGTERM');
        assert.ok(cut.state === 'failed' || (cut.state === 'done' && cut.exit_code === 2), JSON.stringify(cut));
        assert.equal(s.runs.filter((r) => !['done', 'failed'].includes(r.state)).length, 0);
    });
