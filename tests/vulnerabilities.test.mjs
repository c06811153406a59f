// vulnerabilities.test.mjs - what an owner finds, Annex 5 and Annex 6 with their terms, lists of known exploited ones: through the real API, with a clock that is moved.
//
// One centre with the demonstration registry. Every answer is compared with docs/openapi.yaml. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { api } from './lib/api.mjs';
import { centre, until } from './lib/centre.mjs';

let c, p = {};
const HOUR = 3600, DAY = 24 * HOUR;
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const day = (days = 0) => new Date(c.now() + (days * DAY + 5 * HOUR) * 1000).toISOString().slice(0, 10);

const { ask, get } = api();
const act = async (who, id, name, body = {}) => {
    const a = await ask(who, 'POST', `/vulnerabilities/${id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const refused = async (who, id, name, body, status, field) => {
    const a = await ask(who, 'POST', `/vulnerabilities/${id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    if (field) assert.equal(a.json.field, field, `${name}: ${a.bytes}`);
};
const row = (what, more = {}) => ({ detected_at: at(c.now() - 2 * HOUR * 1000), contour: 'external', component_name: 'nginx', component_ip: '192.0.2.5', port: 8443, description: what, ...more });

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    await signIn();
}, { timeout: 240000 });
after(async () => { await c?.remove(); });
async function signIn() {
    for (const [name, login] of Object.entries({ admin: 'admin', analyst: 'analyst', owner: 'registry', city: 'city' })) p[name] = await c.signedIn(login);
}

let one, two;
test('R-13-02 D-14 R-A5-01 R-A5-02 R-A5-03 R-A5-04 R-A5-05 R-A5-06 R-A5-07 what an owner found is written down and sent as Annex 5', async () => {
    let a = await ask(p.owner, 'POST', '/vulnerabilities', { object_id: 'state-register', send: false, rows: [row('an open console', { cve: 'CVE-2020-11111' }), row('a default password')] });
    assert.equal(a.status, 201, a.bytes.toString());
    [one, two] = a.json.items.map((x) => x.id);
    let v = await get(p.owner, `/vulnerabilities/${one}`);
    assert.equal(v.state, 'found_by_owner');
    assert.equal(v.key, '192.0.2.5:8443/tcp | - | - | CVE-2020-11111');
    const clock = v.clocks.find((k) => k.obligation === 'D-14');
    assert.equal(Date.parse(clock.due) - Date.parse(v.first_detected_at), DAY * 1000);
    v = await act(p.owner, one, 'report', { all: true });
    assert.equal(v.state, 'reported_to_sts');
    assert.equal(v.clocks.find((k) => k.obligation === 'D-14').state, 'fulfilled');
    assert.equal((await get(p.owner, `/vulnerabilities/${two}`)).state, 'reported_to_sts');
    const notice = await get(p.analyst, `/notices/${v.acts.find((x) => x.kind === 'reported').notice}`);
    assert.equal(notice.kind, 'vulnerability_found');
    assert.ok(JSON.stringify(notice.form).includes('8443'));
    const pdf = await p.analyst.request('GET', `/api/v1/notices/${notice.id}/pdf`);
    assert.equal(pdf.status, 200);
    assert.ok(pdf.bytes.subarray(0, 5).equals(Buffer.from('%PDF-')));
    // What is not of a row's form is refused by its place; another owner sees nothing.
    a = await ask(p.owner, 'POST', '/vulnerabilities', { object_id: 'state-register', send: false, rows: [row('x', { danger: 9 })] });
    assert.equal(a.status, 400);
    a = await ask(p.owner, 'POST', '/vulnerabilities', { object_id: 'city-portal', send: false, rows: [row('x')] });
    assert.equal(a.status, 400);
    assert.equal((await ask(p.city, 'GET', `/vulnerabilities/${one}`)).status, 404);
    assert.equal((await get(p.city, '/vulnerabilities')).items.length, 0);
    assert.equal((await get(p.analyst, '/vulnerabilities')).items.length, 2);
});

test('R-13-03 R-13-05 R-A6-01 R-A6-04 R-A6-05 R-A6-06 R-A6-07 D-15 production necessity says four things, its term passes', async () => {
    const whole = { category: 'production_necessity', vulnerability_and_state_description: 'old library, behind a filter', measures_taken: 'the filter', required_changes: 'a new release', elimination_due_on: day(60) };
    for (const field of Object.keys(whole).slice(1)) await refused(p.owner, one, 'claim', Object.fromEntries(Object.entries(whole).filter(([k]) => k !== field)), 400, field);
    await refused(p.owner, one, 'claim', { ...whole, elimination_due_on: day(200) }, 400, 'elimination_due_on');
    let v = await act(p.owner, one, 'claim', whole);
    assert.equal(v.state, 'claimed_production_necessity');
    assert.equal(v.clocks.find((k) => k.obligation === 'D-15').state, 'running');
    assert.equal((await get(p.analyst, `/notices/${v.acts.find((x) => x.kind === 'claim').notice}`)).kind, 'vulnerability_claim');
    v = await act(p.analyst, one, 'return_claim', { missing: ['measures_taken'], reason: 'which filter, where' });
    assert.equal(v.state, 'claim_returned');
    v = await act(p.owner, one, 'claim', { ...whole, measures_taken: 'the filter on the balancer' });
    c.advance(62 * DAY);
    await signIn();
    v = await until('the claim expires', async () => { const x = await get(p.analyst, `/vulnerabilities/${one}`); return x.state === 'claim_expired' ? x : null; });
    assert.equal(v.acts.filter((x) => x.kind === 'expire').length, 1);
});

test('R-A6-03 R-A6-09 R-10.2-09 a false positive is accepted and closed; asking is a request', async () => {
    let v = await act(p.owner, two, 'ask', { text: 'how is it set?' });
    const request = v.acts.find((x) => x.kind === 'consultation').request;
    assert.equal((await get(p.analyst, `/requests/${request}`)).kind, 'consultation');
    await refused(p.owner, two, 'claim', { category: 'false_positive' }, 400, 'characteristic_or_state_description');
    await act(p.owner, two, 'claim', { category: 'false_positive', characteristic_or_state_description: 'a test account without rights' });
    await refused(p.owner, two, 'accept_false_positive', {}, 403);
    v = await act(p.analyst, two, 'accept_false_positive');
    assert.equal(v.state, 'closed');
    assert.equal((await get(p.analyst, '/vulnerabilities?closed=true')).items.length, 1);
});

test('lists are loaded by the administrator from files, and known exploited ones come first', async () => {
    const load = async (kind, name, bytes) => {
        const up = await p.admin.upload(name, bytes);
        const a = await ask(p.admin, 'POST', '/vulnerability-lists', { kind, upload_id: up.json.id });
        assert.equal(a.status, 201, a.bytes.toString());
        return a.json.items[0].id;
    };
    const kev = await load('kev', 'kev.json', Buffer.from(JSON.stringify({ catalogVersion: '2026.03.01', dateReleased: '2026-03-01T00:00:00Z', vulnerabilities: [{ cveID: 'CVE-2020-11111', dateAdded: '2026-02-01', dueDate: '2026-02-22', knownRansomwareCampaignUse: 'Known' }] })));
    const epss = await load('epss', 'epss.csv.gz', gzipSync('#model_version:v2026.03.14,score_date:2026-03-19T00:00:00+0000\ncve,epss,percentile\nCVE-2020-11111,0.5,0.9\n'));
    const broken = await load('epss', 'broken.csv', Buffer.from('cve,epss,percentile\nCVE-2020-11111,7,0.9\n'));
    const lists = await until('the lists are counted', async () => { const l = (await get(p.admin, '/vulnerability-lists')).items; return l.every((x) => !['waiting', 'counting'].includes(x.state)) ? l : null; });
    const state = (id) => lists.find((x) => x.id === id);
    assert.equal(state(kev).state, 'applied');
    assert.equal(state(epss).state, 'applied');
    assert.equal(state(broken).state, 'refused');
    assert.match(state(broken).error, /2/);
    const v = await get(p.analyst, `/vulnerabilities/${one}`);
    assert.equal(v.kev, true);
    assert.equal(v.epss, 0.5);
    assert.equal(v.intel[0].kev_version, '2026.03.01');
    assert.deepEqual((await get(p.analyst, '/vulnerabilities?kev=true')).items.map((x) => x.id), [one]);
});

test('the list is a table too, rules are kept with their reasons, and what is asked wrongly is named', async () => {
    for (const format of ['xlsx', 'csv']) {
        const a = await p.analyst.request('GET', `/api/v1/vulnerabilities/export?format=${format}`);
        assert.equal(a.status, 200);
        assert.ok(a.bytes.length > 100);
    }
    let a = await ask(p.analyst, 'POST', '/vulnerability-rules/hosts', { object_id: 'state-register', was: 'register.example', becomes: '192.0.2.5', reason: 'one machine' });
    assert.equal(a.status, 201, a.bytes.toString());
    assert.equal((await ask(p.analyst, 'POST', '/vulnerability-rules/hosts', { object_id: 'state-register', was: 'register.example', becomes: '192.0.2.6', reason: 'again' })).status, 409);
    assert.equal((await ask(p.analyst, 'POST', `/vulnerability-rules/${a.json.id}/end`, { reason: 'no longer' })).status, 204);
    assert.equal((await get(p.analyst, '/vulnerability-rules?ended=true')).items[0].end_reason, 'no longer');
    for (const [query, field] of [['severity=awful', 'severity'], ['state=lost', 'state'], ['cve=x', 'cve'], ['before=what', 'before']]) {
        a = await ask(p.analyst, 'GET', `/vulnerabilities?${query}`);
        assert.equal(a.status, 400, query);
        assert.equal(a.json.field, field);
    }
    assert.equal((await get(p.analyst, '/objects/state-register/vulnerabilities')).open, 1);
});
