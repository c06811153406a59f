// requests.test.mjs - what the centre asks of owners and owners declare: through the real API, with a clock that is moved.
//
// One centre with the demonstration registry and a person of each role. Every answer is compared with docs/openapi.yaml. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { centre } from './lib/centre.mjs';
import { openapi } from './portal/openapi.mjs';

const spec = openapi();
let c, admin, p = {};
const HOUR = 3600, DAY = 24 * HOUR;
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const now = () => at(c.now());
/** The day at Almaty (UTC+5), some days from now. */
const day = (days = 0) => new Date(c.now() + (days * DAY + 5 * HOUR) * 1000).toISOString().slice(0, 10);

function fits(method, path, a) {
    const bare = path.split('?')[0];
    let problems = spec.problems(method, bare, a.status, a.json);
    if (problems.some((x) => x.includes('is not described')) && [400, 403].includes(a.status)) problems = spec.schemaProblems('Error', a.json);
    assert.deepEqual(problems, [], `${method} ${path} → ${a.status} ${a.bytes.toString().slice(0, 400)}`);
    return a;
}
const ask = async (who, method, path, body) => fits(method, path, await who.request(method, `/api/v1${path}`, body));
const get = async (who, path) => {
    const a = await ask(who, 'GET', path);
    assert.equal(a.status, 200, `${path}: ${a.bytes}`);
    return a.json;
};
const open = async (who, kind, objects, values) => {
    const a = await ask(who, 'POST', '/requests', { kind, object_ids: [objects].flat(), values });
    assert.equal(a.status, 201, `${kind}: ${a.bytes}`);
    return Array.isArray(objects) ? a.json.items : get(who, `/requests/${a.json.items[0].id}`);
};
const act = async (who, request, name, body = {}) => {
    const a = await ask(who, 'POST', `/requests/${request.id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const refused = async (who, request, name, body, status, field) => {
    const a = await ask(who, 'POST', `/requests/${request.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    if (field) assert.equal(a.json.field, field, `${name}: ${a.bytes}`);
    return a.json;
};
const attach = async (who, request, role, name, content, more = {}) => {
    const up = await who.upload(name, Buffer.from(content));
    assert.ok(up.status < 300, up.bytes.toString());
    const a = await ask(who, 'POST', `/requests/${request.id}/files`, { upload_id: up.json.id, role, ...more });
    assert.equal(a.status, 201, a.bytes.toString());
    return a.json;
};
const clock = (request, obligation) => request.clocks.filter((k) => k.obligation === obligation).at(-1);
const state = (request, obligation) => clock(request, obligation)?.state;
const due = async (obligation, from) => (await p.lead.get(`/obligations/${obligation}/due?from=${encodeURIComponent(from)}`)).json.due;
const same = (a, b) => assert.equal(Date.parse(a), Date.parse(b));

async function person(role, org) {
    const login = `${role}-${org ?? 'none'}`.replaceAll('_', '-'), password = 'a long password for tests 1';
    const a = await admin.post('/users', { login, name: `${role} ${org ?? ''}`.trim(), role, org_id: org, language: 'en', email: null, password });
    assert.equal(a.status, 201, a.bytes.toString());
    const client = c.client();
    assert.equal((await client.signIn(login, password)).status, 200);
    return client;
}

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    admin = await c.signedIn('administrator');
    p = { analyst: await c.signedIn('centre_analyst'), owner: await c.signedIn('registry'), city: await c.signedIn('city'), lead: await person('centre_lead', 'sts'),
        surveyor: await person('surveyor', 'sts'), documents: await person('document_auditor', 'sts'), list: await person('authorised_body', 'knb'),
        auditor: await person('auditor', null), cii: await person('cii_responsible', 'registry-centre') };
});
after(async () => { await c?.remove(); });

const OBJECT = 'state-register', OTHER = 'city-portal';

test('R-8-01, R-8-03, D-01: the notice of putting into operation is kept only when the letter and the electronic part are both recorded', async () => {
    let r = await open(p.owner, 'commissioning', OBJECT, { commissioned_on: day(-1) });
    assert.equal(r.state, 'awaited');
    same(clock(r, 'D-01').due, await due('D-01', day(-1)));
    assert.ok(clock(r, 'D-01').arithmetic.length > 2);
    await refused(p.owner, r, 'send_information', { confirmed: false }, 400, 'confirmed');
    r = await act(p.owner, r, 'send_information', { confirmed: true });
    assert.equal(state(r, 'D-01'), 'running');
    assert.match(r.values.information_sha256, /^[0-9a-f]{64}$/);
    await refused(p.owner, r, 'record_paper', { letter_number: '1-2/3', letter_date: day(), letter_received_on: day() }, 403);
    await refused(p.analyst, r, 'record_paper', { letter_number: '1-2/3', letter_date: day(), letter_received_on: day(-1) }, 400, 'letter_received_on');
    r = await act(p.analyst, r, 'record_paper', { letter_number: '1-2/3', letter_date: day(), letter_received_on: day() });
    assert.deepEqual([r.state, r.ended, state(r, 'D-01')], ['complete', true, 'fulfilled']);
    same(clock(r, 'D-01').fulfilled_at, r.values.information_sent_at);
    assert.ok(r.timeline.some((t) => t.kind === 'record_paper' && t.values.letter_number === '1-2/3'));
});

test('a foreign organisation neither sees a request nor opens one about another’s object', async () => {
    const [mine] = (await get(p.owner, '/requests?side=all')).items;
    assert.equal((await ask(p.city, 'GET', `/requests/${mine.id}`)).status, 404);
    assert.equal((await ask(p.city, 'POST', `/requests/${mine.id}/actions/send_information`, { confirmed: true })).status, 404);
    const a = await ask(p.city, 'POST', '/requests', { kind: 'commissioning', object_ids: [OBJECT], values: { commissioned_on: day() } });
    assert.deepEqual([a.status, a.json.field], [400, 'object_ids']);
    assert.deepEqual((await get(p.city, '/requests?side=all')).items, []);
});
