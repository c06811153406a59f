// access.test.mjs - nobody learns of another organisation's things: every operation of docs/openapi.yaml, as every role, from outside.
//
// The demonstration has two owners. Whatever belongs to the first (its objects, hosts, people, cases, notices, requests) is collected by those who may
// read everything; then people of every role that is bound to an organisation, of the second owner, ask for each of these by its
// number. Two rules, with no exception to be written down: what is foreign is answered exactly as what does not exist; and no answer at all holds
// a word that is the first owner's alone.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { centre, until, sendSyslog } from './lib/centre.mjs';
import { openapi, ROLE_NAMES } from './portal/openapi.mjs';

const spec = openapi();
const BOUND = ['owner_officer', 'owner_administrator', 'ocib_analyst', 'cii_responsible', 'knb', 'authorised_body'];
const READS_ALL = ROLE_NAMES.filter((r) => !BOUND.includes(r));
// Words that stand in the first owner's things alone.
const FOREIGN_WORDS = ['registry-web-1', 'registry-db-1', 'Мемлекеттік тізілім ақпараттық', 'seitqali@registry.example', 'state-register'];
// Operations that answer a stream, or end the session that the test needs.
const APART = new Set(['signIn', 'signOut', 'streamChanges', 'tailEvents', 'getCatalogue', 'getMetrics', 'getHealth', 'changePassword']);
const NOBODY = 'nobody-has-this';
let c, admin, lead, found;
const outsiders = {};

const path = (p) => (/^\/(i18n|metrics|health)/.test(p) ? p : `/api/v1${p}`);
const body = (op) => (op.method === 'GET' || op.method === 'DELETE' ? undefined : op.bytes ? Buffer.from('x') : {});
const brief = (a) => `${a.status} ${a.json?.code ?? ''} ${a.json?.field ?? ''}`;

async function newcomer(role, org_id, login) {
    const password = 'correct horse battery staple 7';
    const a = await admin.post('/users', { login, name: login, role, org_id, language: 'en', password });
    assert.equal(a.status, 201, a.bytes.toString());
    const client = c.client();
    assert.equal((await client.signIn(login, password)).status, 200);
    return client;
}

/** Numbers of all that can be listed, by the path of the list: { '/cases': ['1', …] }. */
async function numbers(client) {
    const out = {};
    for (const { method, path: p, id, roles } of spec.operations()) {
        if (method !== 'GET' || p.includes('{') || APART.has(id) || !roles.length) continue;
        const a = await client.get(`${p}`);
        if (a.status === 200 && Array.isArray(a.json?.items)) out[p] = a.json.items.map((x) => x.id ?? x.sha256).filter((x) => typeof x === 'string');
    }
    return out;
}

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    [admin, lead] = [await c.signedIn('administrator'), await c.signedIn('centre_lead')];
    const objects = (await admin.get('/objects')).json.items, theirs = objects.find((o) => o.hosts?.includes('registry-web-1') || o.id === 'state-register');
    const other = objects.find((o) => o.id === 'city-portal');
    assert.ok(theirs && other, JSON.stringify(objects));
    for (const role of BOUND) outsiders[role] = await newcomer(role, other.org.id, role.replaceAll('_', '-'));
    await sendSyslog(c.ports.syslog, Array.from({ length: 14 }, (_, i) =>
        `<38>1 ${new Date(c.now() + i).toISOString()} registry-web-1 sshd ${4000 + i} - - Failed password for root from 203.0.113.7 port ${40000 + i} ssh2`));
    const kase = await until('a case of the first owner is open', async () => (await lead.get('/cases')).json.items.find((x) => x.object?.id === theirs.id))
        .catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    const whole = (await lead.get(`/cases/${kase.id}`)).json;
    const told = await lead.post(`/cases/${kase.id}/actions/notify`, { annex7: whole.annex7, recommendations: 'Block it', detection_kind: 'incident' });
    assert.equal(told.status, 200, told.bytes.toString());
    found = await numbers(lead);
    for (const [p, ids] of Object.entries(await numbers(admin))) found[p] = [...new Set([...(found[p] ?? []), ...ids])];
    found.documents = told.json.documents.map((d) => d.sha256);
});
after(async () => { await c?.remove(); });

/** Real numbers for a pattern: those of the list that stands before its first brace. */
function examples(p) {
    if (p.includes('{sha256}')) return found.documents;
    return found[p.slice(0, p.indexOf('/{'))] ?? [];
}
const fill = (p, id) => p.replace('{name}', 'comment').replace(/\{(id|sha256)\}/, id).replace(/\{[^}]+\}/g, NOBODY);
const absent = (p) => fill(p, p.includes('{sha256}') ? '0123456789abcdef'.repeat(4) : p.startsWith('/obligations') ? 'D-99' : NOBODY);

test('those who read everything find what the first owner has, so that the tests below ask for something', () => {
    assert.ok(found['/cases'].length && found['/objects'].length >= 2 && found.documents.length, JSON.stringify(found));
});

for (const role of BOUND) {
    test(`${role} of another organisation: what is foreign is answered as what does not exist`, async () => {
        const client = outsiders[role], own = await numbers(client);
        let asked = 0;
        for (const op of spec.operations().filter((o) => o.path.includes('{') && o.roles.includes(role) && !APART.has(o.id))) {
            if (/^\/(obligations|edition|rules)/.test(op.path)) continue; // the law and the rules belong to nobody
            const mine = new Set(own[op.path.slice(0, op.path.indexOf('/{'))] ?? []);
            const nothing = brief(await client.request(op.method, path(absent(op.path)), body(op)));
            for (const id of examples(op.path).filter((x) => !mine.has(x)).slice(0, 5)) {
                const a = await client.request(op.method, path(fill(op.path, encodeURIComponent(id))), body(op));
                assert.equal(brief(a), nothing, `${op.method} ${fill(op.path, id)} as ${role}: ${a.bytes.toString().slice(0, 300)}`);
                asked++;
            }
        }
        assert.ok(asked > 0, 'something foreign was asked for');
    });

    test(`${role} of another organisation: no answer holds a word of the first owner`, async () => {
        for (const op of spec.operations().filter((o) => o.method === 'GET' && !o.path.includes('{') && o.roles.includes(role) && !APART.has(o.id))) {
            const a = await outsiders[role].get(op.path), text = a.bytes.toString();
            for (const word of FOREIGN_WORDS) assert.ok(!text.includes(word), `GET ${op.path} as ${role} tells "${word}": ${text.slice(Math.max(0, text.indexOf(word) - 200), text.indexOf(word) + 100)}`);
        }
    });
}

test('a role that reads every organisation is for people of the centre: it is not given to an owner’s', async () => {
    for (const role of ['centre_analyst', 'centre_lead', 'surveyor', 'document_auditor']) {
        const a = await admin.post('/users', { login: 'slip', name: 'slip', role, org_id: 'city-services', language: 'en', password: 'correct horse battery staple 7' });
        assert.deepEqual([a.status, a.json.field], [400, 'org_id'], role);
    }
    await newcomer('surveyor', 'sts', 'a-surveyor');
});

test('whoever reads everything without deciding changes nothing', async () => {
    const auditor = await newcomer('auditor', null, 'the-auditor');
    for (const op of spec.operations().filter((o) => o.method !== 'GET' && !/^\/(session|uploads|inbox)/.test(o.path)))
        assert.ok(!op.roles.includes('auditor'), `${op.method} ${op.path} admits the auditor`);
    assert.equal((await auditor.get('/cases')).json.items.length, (await lead.get('/cases')).json.items.length);
    assert.ok(READS_ALL.includes('auditor'));
});
