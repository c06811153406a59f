// link.test.mjs - three nodes that really exchange: a centre, an owner's node joined by a network, and another owner's node that only files reach.
//
// Each is a saqshyd with the demonstration registry and the role "desk" alone. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import https from 'node:https';
import net from 'node:net';
import { centre, freePort, saqshy, sleep, until, kill9 } from './lib/centre.mjs';
import { openapi } from './portal/openapi.mjs';

const spec = openapi();
const nodes = {};
const stranger = mkdtempSync(join(tmpdir(), 'saqshy-stranger-'));

/** A node that answers for an organisation. */
async function node(name, org, { connect = false } = {}) {
    const port = await freePort();
    const c = await centre({ demo: true, config: `link:\n  listen: "127.0.0.1:${port}"\n  connect: "${connect ? 'yes' : 'no'}"\n  poll_s: 1\n  url: "https://127.0.0.1:${port}"\n` });
    writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace('roles: [ingest, index, detect, desk, keys]', 'roles: [desk]'));
    Object.assign(c, { name, org, link: port });
    nodes[name] = c;
    const made = await saqshy(['link', 'init', '--data', c.data, '--id', name]);
    assert.equal(made.code, 0, made.err);
    await c.start();
    c.admin = await c.signedIn('administrator');
    c.api = async (method, path, body, status = 200) => {
        const a = await c.admin.request(method, `/api/v1${path}`, body);
        assert.equal(a.status, status, `${name} ${method} ${path}: ${a.status} ${a.bytes.toString().slice(0, 400)}`);
        if (a.json) assert.deepEqual(spec.problems(method, path.split('?')[0], a.status, a.json), []);
        return a;
    };
    c.cli = (args, env = {}) => saqshy(['link', ...args, '--server', `https://127.0.0.1:${c.ports.portal}`, '--cacert', join(c.data, 'pki/ca.pem')],
        { env: { ...process.env, SAQSHY_USER: c.accounts.admin.login, SAQSHY_PASSWORD: c.accounts.admin.password, ...env } });
    c.peer = async (other) => (await c.api('GET', `/link/nodes/${other.name}`)).json;
    c.envelopes = async (other, direction) => {
        const all = [];
        for (let next = ''; next !== null;) {
            const a = (await c.api('GET', `/link/nodes/${other.name}/envelopes?direction=${direction}&limit=1000${next ? `&before=${next}` : ''}`)).json;
            all.push(...a.items);
            next = a.next;
        }
        return all;
    };
    assert.equal((await c.cli(['self', '--org', org])).code, 0);
    return c;
}

/** Each administrator hands over a card; the other compares the fingerprint that was told by telephone. */
async function pair(a, b, url) {
    for (const [from, to, at] of [[a, b, url?.to], [b, a, url?.from]]) {
        const card = join(to.data, `${from.name}.card`);
        assert.equal((await from.cli(['card', card])).code, 0);
        assert.ok(!readFileSync(card, 'utf8').includes('PRIVATE'));
        const told = (await from.api('GET', '/link')).json.self.fingerprint;
        const added = await to.cli(['add', '--org', from.org, '--fingerprint', told.toUpperCase().replace(/(....)/g, '$1 '), ...(at ? ['--peer-url', at] : []), card]);
        assert.equal(added.code, 0, added.err);
    }
}

let centreNode, owner, city;
before(async () => {
    centreNode = await node('centre', 'sts');
    owner = await node('registry', 'registry-centre', { connect: true });
    city = await node('city', 'city-services');
    await pair(centreNode, owner, { to: `https://127.0.0.1:${centreNode.link}` });
    await pair(centreNode, city);
});
after(async () => {
    for (const c of Object.values(nodes)) await c.remove();
    rmSync(stranger, { recursive: true, force: true });
});

let asked = 0;
/** The centre tells an owner of a vulnerability: a notice to their organisation. */
async function ask(analyst, object, text = `vulnerability ${++asked}`) {
    const a = await analyst.post('/requests', { kind: 'vulnerability_notice', object_ids: [object], values: { sender: 'sts', title: text, text } });
    assert.equal(a.status, 201, a.bytes.toString());
}
/** A metric of a node; NaN: it is not there. */
const metric = async (c, name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await c.admin.request('GET', '/metrics')).bytes.toString())?.[1]);
const analystOf = (c) => c.signedIn('analyst');
/** Notices that came to a node, oldest first. */
const arrived = async (c, from) => (await c.envelopes(from, 'in')).filter((e) => e.kind !== 'receipt').reverse();
const sent = async (c, to) => (await c.envelopes(to, 'out')).filter((e) => e.kind !== 'receipt').reverse();
const settled = async (c, other) => until(`${c.name} has nothing for ${other.name}`, async () => (await c.peer(other)).queue === 0, 60);
const quiet = async (a, b) => { await settled(a, b); await settled(b, a); };

test('a node is let in by its card and the fingerprint that was told, by an administrator alone', async () => {
    const card = join(centreNode.data, 'registry.card');
    const wrong = await centreNode.cli(['add', '--org', 'knb', '--fingerprint', '0'.repeat(64), card]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /fingerprint/);
    const analyst = await analystOf(centreNode);
    assert.equal((await analyst.get('/link')).status, 200);
    assert.equal((await analyst.put('/link/self', { org_id: 'knb' })).status, 403);
    assert.equal((await (await centreNode.signedIn('registry')).get('/link')).status, 403);
    assert.equal((await saqshy(['link', 'init', '--data', centreNode.data, '--id', 'other'])).code, 1, 'a second key would be a second node');
    assert.match((await centreNode.cli(['show'])).out, /registry .*\n.*waiting 0/);
});

test('a notice of the centre stands in the owner’s inbox, its receipts come back to the centre', async () => {
    const analyst = await analystOf(centreNode);
    await ask(analyst, 'state-register', 'What is the purpose of each server?');
    const [came] = await until('it arrives', async () => { const l = await arrived(owner, centreNode); return l.length ? l : null; });
    assert.equal(came.receipt.result, 'accepted');
    const officer = await owner.signedIn('registry');
    const item = (await officer.get('/inbox')).json.items.find((i) => i.number === came.receipt.number);
    assert.ok(item, 'the officer of the owner sees it under the number of their own node');
    const mine = await until('the receipt', async () => (await sent(centreNode, owner)).find((e) => e.receipt));
    assert.deepEqual([mine.receipt.result, mine.receipt.number, mine.message], ['accepted', came.receipt.number, came.message]);
    assert.equal(mine.hash, came.hash);
    assert.equal(mine.read_at, null);
    assert.ok(mine.documents.some((d) => d.type === 'application/pdf'));
    assert.equal((await officer.post(`/inbox/${item.id}/read`)).status, 200);
    await until('read there, known here', async () => (await sent(centreNode, owner))[0].read_at);
    const doc = await centreNode.admin.get(`/link/documents/${mine.documents[0].sha256}`), same = await owner.admin.get(`/link/documents/${mine.documents[0].sha256}`);
    assert.ok(doc.bytes.length > 1000 && doc.bytes.equals(same.bytes), 'the same bytes on both sides');
    await quiet(centreNode, owner);
});

test('an owner’s notice comes to the centre', async () => {
    const officer = await owner.signedIn('registry');
    const a = await officer.post('/requests', { kind: 'contact_change', object_ids: ['state-register'],
        values: { changed_at: new Date(owner.now() - 3600e3).toISOString().replace(/\.\d+Z/, 'Z'), person_name: 'Жаңа адам', person_phone: '+7 000 000 00 09', person_email: 'new@registry.example' } });
    assert.equal(a.status, 201, a.bytes.toString());
    await until('something of the owner is at the centre, or nothing was to be told', async () => {
        const out = await sent(owner, centreNode);
        return out.length && out.every((e) => e.receipt?.result === 'accepted');
    });
    assert.equal((await arrived(centreNode, owner)).length, (await sent(owner, centreNode)).length);
    await quiet(centreNode, owner);
});

test('what an owner says of their object is a proposed change at the centre, taken over by an analyst, and the owner is told', async () => {
    const officer = await owner.signedIn('registry'), analyst = await analystOf(centreNode);
    const there = (await owner.admin.get('/registry/objects/state-register')).json;
    const renamed = await owner.admin.put('/registry/objects/state-register', { version: there.version, value: { ...there.value, name: 'Тізілім, жаңа атау' }, reason: 'renamed' });
    assert.equal(renamed.status, 200, renamed.bytes.toString());
    const said = await officer.post('/link/nodes/centre/objects', { object_id: 'state-register', note: 'the name has changed' });
    assert.equal(said.status, 201, said.bytes.toString());
    const stranger_ = await owner.signedIn('city');
    assert.equal((await stranger_.post('/link/nodes/centre/objects', { object_id: 'state-register' })).status, 403, 'the node speaks for another organisation');
    const proposal = await until('the proposal', async () => (await analyst.get('/link/proposals?state=open')).json.items.find((x) => x.object?.id === 'state-register'));
    assert.deepEqual(spec.problems('GET', '/link/proposals', 200, (await analyst.get('/link/proposals')).json), []);
    const change = proposal.changes.find((x) => x.field === 'name');
    assert.equal(change.to, 'Тізілім, жаңа атау');
    assert.notEqual(change.from, change.to);
    assert.equal((await analyst.get('/registry/objects/state-register')).json.value.name, change.from, 'nothing changes by itself');
    assert.equal((await (await centreNode.signedIn('city')).post(`/link/proposals/${proposal.id}/decision`, { decision: 'accept' })).status, 404);
    const done = await analyst.post(`/link/proposals/${proposal.id}/decision`, { decision: 'accept', note: 'as the owner says' });
    assert.equal(done.status, 204, done.bytes.toString());
    assert.equal((await analyst.get('/registry/objects/state-register')).json.value.name, change.to);
    await until('the owner is told', async () => (await sent(owner, centreNode)).some((e) => e.kind === 'registry_update' && e.receipt?.result === 'agreed'));
    const own = await until('the organisation’s own data', async () => (await analyst.get('/link/proposals?state=open')).json.items.find((x) => x.their_object === null));
    assert.equal((await analyst.post(`/link/proposals/${own.id}/decision`, { decision: 'decline', note: 'known' })).status, 204);
    await quiet(centreNode, owner);
});

test('a change of an object that the other node knows goes there by itself, as a proposal, if the administrator wants it so', async () => {
    const analyst = await analystOf(centreNode), p = await owner.peer(centreNode);
    const change = async (name) => {
        const o = (await owner.admin.get('/registry/objects/state-register')).json;
        const a = await owner.admin.put('/registry/objects/state-register', { version: o.version, value: { ...o.value, name, internet_bandwidth: 1.5 }, reason: 'renamed' });
        assert.equal(a.status, 200, a.bytes.toString());
    };
    const open = async () => (await analyst.get('/link/proposals?state=open')).json.items;
    await change('Айтылмаған атау');
    await owner.api('PUT', '/link/nodes/centre', { org_id: p.org.id, title: p.title, url: p.url, active: true, updates: true });
    await change('Өздігінен барған атау');
    const proposal = await until('the proposal', async () => (await open()).find((x) => x.changes.some((k) => k.to === 'Өздігінен барған атау')));
    assert.equal((await open()).length, 1, 'what changed before is not told');
    assert.equal(proposal.changes.find((k) => k.field === 'internet_bandwidth').to, 1.5, 'a number with a fraction travels');
    assert.equal((await analyst.post(`/link/proposals/${proposal.id}/decision`, { decision: 'accept' })).status, 204);
    await owner.api('PUT', '/link/nodes/centre', { org_id: p.org.id, title: p.title, url: p.url, active: true, updates: false });
    await quiet(centreNode, owner);
});

test('components and contacts of an object and the organisation’s own data travel as proposals, by themselves too, and people’s data leave a trace', async () => {
    const analyst = await analystOf(centreNode), p = await owner.peer(centreNode);
    const setting = (updates) => owner.api('PUT', '/link/nodes/centre', { org_id: p.org.id, title: p.title, url: p.url, active: true, updates });
    const open = async () => (await analyst.get('/link/proposals?state=open')).json.items;
    const proposalOf = (what, test_) => until(what, async () => (await open()).find((x) => x.changes.some(test_)));
    const accept = async (x) => {
        const a = await analyst.post(`/link/proposals/${x.id}/decision`, { decision: 'accept' });
        assert.equal(a.status, 204, a.bytes.toString());
    };
    const components = async (who) => (await who.get('/registry/objects/state-register/components?limit=1000')).json.items;
    const contacts = async (who) => (await who.get('/registry/objects/state-register/contacts?limit=1000')).json.items;
    /* By an act: a component that the centre does not know. */
    const made = await owner.admin.post('/registry/objects/state-register/components', { value: { name: 'Жаңа сервер', asset_class: 'hardware', ip_addresses: ['198.51.100.77'], purpose: 'деректер қоры' }, reason: 'new' });
    assert.equal(made.status, 201, made.bytes.toString());
    assert.equal((await owner.admin.post('/link/nodes/centre/objects', { object_id: 'state-register' })).status, 201);
    let proposal = await proposalOf('the component', (c) => c.kind === 'component' && c.field === 'ip_addresses' && c.to.includes('198.51.100.77'));
    assert.deepEqual(spec.problems('GET', '/link/proposals', 200, (await analyst.get('/link/proposals')).json), []);
    assert.equal(proposal.changes.find((c) => c.kind === 'component' && c.field === 'purpose' && c.name === 'Жаңа сервер').from, null);
    assert.ok(!(await components(analyst)).some((c) => c.value.name === 'Жаңа сервер'), 'nothing changes by itself');
    await accept(proposal);
    const copy = (await components(analyst)).find((c) => c.value.name === 'Жаңа сервер');
    assert.deepEqual(copy.value.ip_addresses, ['198.51.100.77']);
    for (const x of await open()) await accept(x);
    /* By themselves: the same component again, a contact with its person, the organisation. */
    await setting(true);
    const change = async (path, more) => {
        const r = path.includes('/components/') ? (await components(owner.admin)).find((c) => path.endsWith(`/${c.id}`)) : (await owner.admin.get(path)).json, a = await owner.admin.put(path, { version: r.version, value: { ...r.value, ...more }, reason: 'changed' });
        assert.equal(a.status, 200, a.bytes.toString());
    };
    await change(`/registry/components/${made.json.id}`, { purpose: 'көшірмелер' });
    proposal = await proposalOf('the change', (c) => c.field === 'purpose' && c.to === 'көшірмелер');
    assert.deepEqual(proposal.changes.map((c) => [c.kind, c.field, c.from]), [['component', 'purpose', 'деректер қоры']]);
    await accept(proposal);
    assert.equal((await components(analyst)).find((c) => c.id === copy.id).value.purpose, 'көшірмелер', 'the same component under our own number');
    const person = await owner.admin.post('/registry/people', { value: { name: 'Айгүл Серік', org_id: 'registry-centre', language: 'kk', channels: [{ kind: 'mobile', value: '+7 700 000 11 22' }] }, reason: 'new' });
    assert.equal(person.status, 201, person.bytes.toString());
    const contact = await owner.admin.post('/registry/objects/state-register/contacts', { value: { person_id: person.json.id, role: 'deputy' }, reason: 'new' });
    assert.equal(contact.status, 201, contact.bytes.toString());
    proposal = await proposalOf('the contact', (c) => c.kind === 'contact' && c.field === 'person_name' && c.to === 'Айгүл Серік');
    const trail = async (c, q) => (await c.api('GET', `/audit?q=${q}`)).json.items.filter((a) => a.action === 'personal.read');
    assert.ok((await trail(owner, encodeURIComponent(`contact/${contact.json.id}`))).length > 0, 'that they left is in the trail');
    assert.ok((await trail(centreNode, 'proposals')).length > 0, 'that they were shown too');
    await accept(proposal);
    await change(`/registry/people/${person.json.id}`, { channels: [{ kind: 'mobile', value: '+7 700 000 33 44' }] });
    proposal = await proposalOf('the number', (c) => c.field === 'person_channels' && JSON.stringify(c.to).includes('33 44'));
    await accept(proposal);
    const there = (await contacts(analyst)).filter((c) => c.person?.name === 'Айгүл Серік');
    assert.deepEqual(there.map((c) => c.person.channels[0].value), ['+7 700 000 33 44'], 'one contact, with the new number');
    await change('/registry/organisations/registry-centre', { head: 'Жаңа басшы' });
    proposal = await proposalOf('the head', (c) => c.kind === 'organisation' && c.field === 'head');
    assert.deepEqual([proposal.object, proposal.their_object, proposal.changes.length], [null, null, 1]);
    await accept(proposal);
    assert.equal((await analyst.get('/registry/organisations/registry-centre')).json.value.head, 'Жаңа басшы');
    /* And gone. */
    const now = (await components(owner.admin)).find((c) => c.id === made.json.id);
    const removed = await owner.admin.post(`/registry/components/${made.json.id}/remove`, { version: now.version, reason: 'gone' });
    assert.ok(removed.status < 300, removed.bytes.toString());
    proposal = await proposalOf('the removal', (c) => c.field === 'removed' && c.to === true);
    await accept(proposal);
    assert.ok(!(await components(analyst)).some((c) => c.id === copy.id));
    await setting(false);
    await quiet(centreNode, owner);
    assert.deepEqual(await open(), [], 'what was taken over is not told back');
});

/* --- cases: each side keeps its own, what is done on one is repeated on the other --- */

const MINUTE = 60;
const at = (c, seconds = 0) => new Date(c.now() + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
const clockOf = (x, id) => x.clocks.filter((k) => k.obligation === id).at(-1);
const stateOf = (x, id) => clockOf(x, id)?.state ?? 'none';
const same = (a, b) => assert.equal(Date.parse(a), Date.parse(b));
async function show(who, id) {
    const a = await who.get(`/cases/${id}`);
    assert.equal(a.status, 200, a.bytes.toString());
    assert.deepEqual(spec.problems('GET', `/cases/${id}`, 200, a.json).filter((x) => !/\.(clocks|notices)\[\d+\]\.\w+: not in the schema/.test(x)), []);
    return a.json;
}
async function act(who, x, name, body = {}, status = 200) {
    const a = await who.post(`/cases/${x.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    return a.json;
}
async function declare(who, body) {
    const a = await who.post('/cases', body);
    assert.equal(a.status, 201, a.bytes.toString());
    return a.json;
}
/** The copy of a case on another node. */
const copyOf = async (who, title, state) => until(`a copy of "${title}"`, async () => {
    const x = (await who.get('/cases?limit=1000')).json.items.find((k) => k.title === title && (!state || k.state === state));
    return x ? show(who, x.id) : null;
}, 60);
const stands = (who, x, state) => until(`state ${state}`, async () => { const y = await show(who, x.id); return y.state === state ? y : null; }, 60);
const measures = (x, more = {}) => ({
    ...x.annex2, registered_on: x.confirmed_at.slice(0, 10), level: 'high', incident_type: 'ransomware', scale: 'mass', sign: 'valid', contour: ['internal_lan'],
    nature: 'Файлдар шифрланды', consequences: ['operability_breach'], affected_object: x.object.name, recurrence: 'new', elimination_actions: 'Қайта орнатылды', note: null, ...more,
});
const incident = (c, object, title, more = {}) => ({ object, title, detected_at: at(c, -20 * MINUTE), confirmed_at: at(c, -10 * MINUTE), level: 'medium', contact: 'кезекші, 1234',
    description: `${title}: не болды`, notice: true, ...more });
let mine, theirs;

test('7.2 R-12-10 D-08 D-09 an incident that an owner’s node declares opens a case at the centre’s node, its clocks from the owner’s moments', async () => {
    const officer = await owner.signedIn('registry'), analyst = await analystOf(centreNode);
    mine = await declare(officer, incident(owner, 'state-register', 'Тораптағы шифрлаушы'));
    theirs = await copyOf(analyst, 'Тораптағы шифрлаушы', 'sts_notified');
    assert.deepEqual([theirs.machine, theirs.detector, theirs.state, theirs.kind, theirs.level], ['self', 'owner', 'sts_notified', 'incident', 'medium']);
    for (const field of ['detected_at', 'confirmed_at']) same(theirs[field], mine[field]);
    same(theirs.facts.sts_notified_at, mine.facts.sts_notified_at);
    for (const id of ['D-08', 'D-09', 'D-06']) {
        same(clockOf(theirs, id).from, mine.confirmed_at);
        same(clockOf(theirs, id).due, clockOf(mine, id).due);
        assert.equal(stateOf(theirs, id), stateOf(mine, id));
    }
    assert.deepEqual([stateOf(theirs, 'D-08'), stateOf(theirs, 'D-09'), stateOf(theirs, 'D-06')], ['fulfilled', 'running', 'running']);
    const item = (await analyst.get('/inbox')).json.items.find((i) => i.case_id === theirs.id);
    assert.equal(item?.kind, 'incident_notice', 'the notice lies in the inbox of the centre and belongs to the case');
    assert.deepEqual(theirs.nodes.map((n) => [n.node, n.number]), [['registry', mine.number]]);
    mine = await until('both numbers are known on both sides', async () => { const x = await show(officer, mine.id); return x.nodes[0]?.number ? x : null; });
    assert.deepEqual(mine.nodes.map((n) => [n.node, n.number]), [['centre', theirs.number]]);
    assert.equal((await (await centreNode.signedIn('registry')).post(`/cases/${theirs.id}/actions/update`, { text: 'x' })).json.code, 'elsewhere', 'the owner acts on the owner’s node');
    assert.equal((await (await owner.signedIn('analyst')).post(`/cases/${mine.id}/actions/close`, {})).status, 409);
});

test('7.2 D-09 D-06 updates, Annex 2, elimination, return and acceptance follow on both sides in their order', async () => {
    const officer = await owner.signedIn('registry'), analyst = await analystOf(centreNode);
    await act(officer, mine, 'update', { text: 'Екінші сервер де зақымданған', level: 'high' });
    await act(officer, mine, 'update', { text: 'Көшірмелер бүтін' });
    let y = await until('both updates', async () => { const x = await show(analyst, theirs.id); return x.updates.length === 2 ? x : null; });
    assert.deepEqual([y.updates.map((u) => [u.no, u.text]), y.level], [[[1, 'Екінші сервер де зақымданған'], [2, 'Көшірмелер бүтін']], 'high']);
    let x = await act(officer, mine, 'report_measures', { annex2: measures(await show(officer, mine.id)) });
    y = await stands(analyst, theirs, 'measures_reported');
    assert.deepEqual([y.annex2.nature, stateOf(y, 'D-09'), y.incident_type], ['Файлдар шифрланды', 'fulfilled', 'ransomware']);
    same(y.facts.measures_at, x.facts.measures_at);
    const theirDocument = y.documents.find((d) => d.kind === 'annex2').sha256;
    assert.equal(theirDocument, x.documents.find((d) => d.kind === 'annex2').sha256, 'the very document, not another drawing of it');
    assert.ok((await analyst.get(`/documents/${theirDocument}`)).bytes.equals((await officer.get(`/documents/${theirDocument}`)).bytes));
    await act(officer, mine, 'eliminate', { causes_at: at(owner), causes: 'жойылды', consequences_at: at(owner), consequences: 'жойылды' });
    await until('declared there', async () => (await show(analyst, theirs.id)).facts.causes_at);
    await act(analyst, theirs, 'return_elimination', { reason: 'дәлел жоқ' });
    x = await until('returned here', async () => { const k = await show(officer, mine.id); return !k.facts.causes_at && k.timeline.some((l) => l.kind === 'return_elimination') ? k : null; });
    assert.equal(stateOf(x, 'D-06'), 'running');
    await act(officer, mine, 'eliminate', { causes_at: at(owner), causes: 'дәлелі қоса берілді', consequences_at: at(owner), consequences: 'жойылды' });
    await until('declared again', async () => (await show(analyst, theirs.id)).facts.causes_at);
    y = await act(analyst, theirs, 'accept_elimination', {});
    x = await stands(officer, mine, 'eliminated');
    assert.deepEqual([stateOf(x, 'D-06'), stateOf(y, 'D-06')], ['fulfilled', 'fulfilled']);
    same(x.eliminated_at, y.eliminated_at);
    await act(analyst, theirs, 'close', { note: 'болды' });
    await stands(officer, mine, 'closed');
    assert.equal((await centreNode.peer(owner)).unapplied, 0);
    assert.equal((await owner.peer(centreNode)).unapplied, 0);
});

test('7.1 R-10.1-06 D-10 D-11 the centre’s notice opens the owner’s view on the owner’s node, its seventy-two hours from the notice; confirmation comes back', async () => {
    const officer = await owner.signedIn('registry'), analyst = await analystOf(centreNode);
    let y = await declare(analyst, { object: 'state-register', title: 'Күдікті кіру', detected_at: at(centreNode, -5 * MINUTE), incident_type: 'botnet' });
    await sleep(1500);
    assert.ok(!(await officer.get('/cases?limit=1000')).json.items.some((k) => k.title === 'Күдікті кіру'), 'before the notice the owner knows nothing');
    y = await act(analyst, y, 'notify', { annex7: { ...y.annex7, device_name: 'registry-web-1', event_name: 'Күдікті кіру', nature: 'Күдікті кіру' }, recommendations: 'Бұғаттаңыз', detection_kind: 'incident' });
    let x = await copyOf(officer, 'Күдікті кіру');
    assert.deepEqual([x.machine, x.detector, x.state, x.recommendations, stateOf(x, 'D-05')], ['sts', 'centre', 'notified', 'Бұғаттаңыз', 'none']);
    same(x.notified_at, y.notified_at);
    for (const id of ['D-10', 'D-11']) {
        same(clockOf(x, id).from, y.notified_at);
        same(clockOf(x, id).due, clockOf(y, id).due);
    }
    assert.equal(x.documents.find((d) => d.kind === 'annex7').sha256, y.documents.find((d) => d.kind === 'annex7').sha256);
    await act(officer, x, 'acknowledge');
    await act(officer, x, 'confirm_incident', { confirmed_at: at(owner), level: 'undefined' });
    y = await stands(analyst, y, 'incident_confirmed');
    x = await show(officer, x.id);
    assert.ok(y.facts.acknowledged_at);
    assert.deepEqual([stateOf(y, 'D-10'), stateOf(y, 'D-11'), stateOf(y, 'D-06'), stateOf(y, 'D-31')], ['cancelled', 'running', 'running', 'running']);
    same(clockOf(y, 'D-06').from, x.confirmed_at);
    await act(analyst, y, 'review_level', { level: 'low', reason: 'аз әсер' });
    await until('the level is known here', async () => (await show(officer, x.id)).level === 'low');
    await act(officer, x, 'consult_request', { text: 'Қалай тексереміз?' });
    await until('the question', async () => (await show(analyst, y.id)).consultations.length === 1);
    await act(analyst, y, 'consult_give', { text: 'Оқшауланған ортада' });
    await until('the answer', async () => (await show(officer, x.id)).consultations[0].answer === 'Оқшауланған ортада');
    await quiet(centreNode, owner);
});

test('7.3 R-22-02 D-23 D-25 a notice of an operational centre’s node about a critical object opens a case of chapter 3 at the centre’s node', async () => {
    const ocib = await node('ocib', 'guard-ocib', { connect: true });
    await pair(centreNode, ocib, { to: `https://127.0.0.1:${centreNode.link}` });
    const person = async (login, role, org) => {
        const password = 'a long password for tests 1';
        const a = await ocib.admin.post('/users', { login, name: login, role, org_id: org, language: 'en', email: null, password });
        assert.equal(a.status, 201, a.bytes.toString());
        return ocib.signedIn({ login, password });
    };
    const duty = await person('duty', 'ocib_analyst', 'guard-ocib'), unit = await person('unit', 'owner_officer', 'heat-networks');
    const opened = await (await analystOf(ocib)).post('/requests', { kind: 'cii_connection', object_ids: ['heat-dispatch'], values: { included_on: at(ocib).slice(0, 10), basis: 'бұйрық 1' } });
    assert.equal(opened.status, 201, opened.bytes.toString());
    const id = opened.json.items?.[0]?.id ?? opened.json.id ?? opened.json.requests?.[0]?.id;
    for (const [who, name, body] of [[unit, 'declare_connection', { connected_at: at(ocib), cii_monitoring_system: 'SIEM', ocib_technical_means: 'коллектор' }], [duty, 'confirm_connection', {}]]) {
        const a = await who.post(`/requests/${id}/actions/${name}`, body);
        assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    }
    let x = await declare(duty, incident(ocib, 'heat-dispatch', 'Диспетчерлікке кіру'));
    const analyst = await analystOf(centreNode);
    let y = await copyOf(analyst, 'Диспетчерлікке кіру', 'notified');
    assert.deepEqual([y.machine, y.detector, stateOf(y, 'D-23'), stateOf(y, 'D-25'), stateOf(y, 'D-06')], ['cii', 'ocib', 'fulfilled', 'running', 'none']);
    for (const k of ['D-23', 'D-24', 'D-25']) same(clockOf(y, k).from, x.confirmed_at);
    x = await act(duty, x, 'report_measures', { annex2: measures(await show(duty, x.id)) });
    y = await stands(analyst, y, 'measures_reported');
    assert.equal(stateOf(y, 'D-25'), 'fulfilled');
    await act(analyst, y, 'close', {});
    await stands(duty, x, 'closed');
    assert.equal((await centreNode.peer(ocib)).unapplied, 0);
});

test('TLP:RED does not leave a node: the notice is refused before anything is taken for told', async () => {
    const officer = await owner.signedIn('registry'), analyst = await analystOf(centreNode);
    const red = await declare(officer, { ...incident(owner, 'state-register', 'Қызыл іс'), notice: false, confirmed_at: null, contact: null, level: null });
    const me = (await officer.get(`/cases/${red.id}/people`)).json.items.find((u) => u.org.id === 'registry-centre');
    await act(officer, red, 'set_tlp', { tlp: 'red', persons: [me.id], reason: 'құпия' });
    const refusedOne = await officer.post(`/cases/${red.id}/actions/notify_incident`, { what: 'x', contact: 'y', confirmed_at: at(owner) });
    assert.deepEqual([refusedOne.status, refusedOne.json.code], [409, 'tlp_forbids'], refusedOne.bytes.toString());
    await sleep(1500);
    assert.ok(!(await analyst.get('/cases?limit=1000')).json.items.some((k) => k.title === 'Қызыл іс'));
    await quiet(owner, centreNode);
});

test('a node that is away delays and never drops: everything comes in order when it is back', async () => {
    const before_ = (await arrived(owner, centreNode)).length;
    await owner.stop();
    const analyst = await analystOf(centreNode);
    for (let i = 0; i < 5; i++) await ask(analyst, 'state-register');
    await until('the outbox holds them', async () => (await centreNode.peer(owner)).queue === 5);
    await until('the metric counts them', async () => (await metric(centreNode, 'saqshy_link_waiting')) >= 5);
    assert.ok((await metric(centreNode, 'saqshy_link_oldest_seconds')) >= 0);
    await owner.start();
    owner.admin = await owner.signedIn('administrator');
    const came = await until('all five', async () => { const l = await arrived(owner, centreNode); return l.length === before_ + 5 ? l : null; });
    const there = await sent(centreNode, owner);
    assert.deepEqual(came.map((e) => e.message), there.map((e) => e.message), 'in the order in which they were sent');
    await quiet(centreNode, owner);
});

test('either desk killed at any moment under load: each notice arrives once, in order', async () => {
    const analyst = await analystOf(centreNode), had = (await arrived(owner, centreNode)).length;
    const kill = async (c) => {
        const pid = (await c.roles()).desk.pid;
        if (pid > 0) kill9(pid);
    };
    let seed = 20260320;
    const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return seed % n; };
    let asking = true, made = 0;
    const load = (async () => {
        for (let i = 0; i < 24; i++)
            for (;;) {
                const text = `under load ${i}`;
                const a = await analyst.post('/requests', { kind: 'vulnerability_notice', object_ids: ['state-register'], values: { sender: 'sts', title: text, text } }).catch(() => ({ status: 0 }));
                if (a.status === 201) { made++; break; }
                if (a.status === 401) throw new Error('signed out');
                /* Killed before or after the commit: look, as a person would, before asking again. */
                await until('the portal is back', async () => (await centreNode.client().request('GET', '/health')).status === 200, 90);
                const list = (await analyst.get('/requests?side=all&limit=1000')).json?.items ?? [];
                const told = (await Promise.all(list.slice(0, 3).map((r) => analyst.get(`/requests/${r.id}`)))).some((r) => r.json?.values?.title === text);
                if (told) { made++; break; }
            }
        asking = false;
    })();
    const killing = (async () => {
        while (asking) {
            await sleep(300 + random(1200));
            await kill(random(2) ? centreNode : owner);
        }
    })();
    await Promise.all([load, killing]);
    for (const c of [centreNode, owner]) await until(`${c.name} is up`, async () => (await c.client().request('GET', '/health')).status === 200, 90);
    assert.equal(made, 24);
    const there = await sent(centreNode, owner);
    const came = await until('all of them', async () => { const l = await arrived(owner, centreNode); return l.length >= had + 24 ? l : null; }, 100);
    await sleep(3000);
    assert.equal((await arrived(owner, centreNode)).length, had + 24);
    assert.deepEqual(came.map((e) => e.message), there.map((e) => e.message));
    const sequence = (await owner.envelopes(centreNode, 'in')).map((e) => e.sequence).reverse();
    assert.deepEqual(sequence, sequence.map((_, i) => i + 1), 'no number is missing and none came twice');
    await until('every receipt', async () => (await sent(centreNode, owner)).every((e) => e.receipt?.result === 'accepted'), 60);
    const officer = await owner.signedIn('registry');
    const numbers = (await officer.get('/inbox?limit=1000')).json.items.map((i) => i.number).filter((n) => n?.startsWith('IN-'));
    assert.equal(new Set(numbers).size, numbers.length);
    await quiet(centreNode, owner);
});

test('D-08 either desk killed at any moment while incidents are declared: each opens one case, none is lost, nothing is out of order', async () => {
    const had = (await centreNode.peer(owner)).unapplied;
    let seed = 7, declaring = true;
    const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return seed % n; };
    const officer = await owner.signedIn('registry');
    const load = (async () => {
        for (let i = 0; i < 10; i++)
            for (;;) {
                const title = `өлтіру ${i}`, a = await officer.post('/cases', incident(owner, 'state-register', title)).catch(() => ({ status: 0 }));
                if (a.status === 201) break;
                await until('the portal is back', async () => (await owner.client().request('GET', '/health')).status === 200, 90);
                if (((await officer.get('/cases?limit=1000')).json?.items ?? []).some((k) => k.title === title)) break;
            }
        declaring = false;
    })();
    const killing = (async () => {
        while (declaring) {
            await sleep(200 + random(900));
            const pid = (await (random(2) ? centreNode : owner).roles()).desk.pid;
            if (pid > 0) kill9(pid);
        }
    })();
    await Promise.all([load, killing]);
    for (const c of [centreNode, owner]) await until(`${c.name} is up`, async () => (await c.client().request('GET', '/health')).status === 200, 90);
    const analyst = await analystOf(centreNode);
    const came = await until('all of them', async () => {
        const l = (await analyst.get('/cases?limit=1000')).json.items.filter((k) => k.title.startsWith('өлтіру ') && k.state === 'sts_notified');
        return l.length >= 10 ? l : null;
    }, 100);
    await sleep(2000);
    const all = (await analyst.get('/cases?limit=1000')).json.items.filter((k) => k.title.startsWith('өлтіру '));
    assert.deepEqual([came.length, all.length, new Set(all.map((k) => k.title)).size], [10, 10, 10]);
    assert.equal((await centreNode.peer(owner)).unapplied, had);
    await quiet(owner, centreNode);
});

/** One raw exchange with the listener of a node, with the key of a data directory; an error of TLS is { error }. */
const raw = (to, keys, body, path = '/link/v1/envelopes', method = 'POST') => new Promise((done) => {
    const r = https.request({ host: '127.0.0.1', port: to.link, path, method, agent: false, rejectUnauthorized: false,
        ...(keys ? { cert: readFileSync(join(keys, 'link/node.pem')), key: readFileSync(join(keys, 'link/node.key')) } : {}),
        headers: body ? { 'Content-Length': body.length } : {} }, (a) => {
        const parts = [];
        a.on('data', (d) => parts.push(d));
        a.on('end', () => done({ status: a.statusCode, text: Buffer.concat(parts).toString() }));
        a.on('error', (e) => done({ error: e.code }));
    });
    r.on('error', (e) => done({ error: e.code }));
    r.end(body);
});

test('old bundles again, foreign certificates and foreign bundles change nothing', async () => {
    await quiet(centreNode, owner);
    const file = join(stranger, 'old.saqshy');
    const analyst = await analystOf(centreNode);
    /* An old bundle: the owner's node wrote it while it was cut off. */
    await centreNode.stop();
    const officer = await owner.signedIn('registry');
    assert.equal((await officer.post('/requests', { kind: 'contact_change', object_ids: ['state-register'],
        values: { changed_at: new Date(owner.now() - 7200e3).toISOString().replace(/\.\d+Z/, 'Z'), person_name: 'Басқа адам', person_phone: '+7 000 000 00 08', person_email: 'x@registry.example' } })).status, 201);
    await until('it waits', async () => (await owner.peer(centreNode)).queue > 0);
    assert.equal((await owner.cli(['export', '--peer', 'centre', file])).code, 0);
    await until('the failure is noted', async () => (await owner.peer(centreNode)).last_error);
    await centreNode.start();
    centreNode.admin = await centreNode.signedIn('administrator');
    owner.advance(700); /* the pause grows to ten minutes at most */
    owner.admin = await owner.signedIn('administrator');
    await quiet(owner, centreNode);
    const had = (await centreNode.envelopes(owner, 'in')).length;
    for (let i = 0; i < 3; i++) {
        const again = await raw(centreNode, owner.data, readFileSync(file));
        assert.equal(again.status, 200, again.text);
    }
    assert.equal((await centreNode.envelopes(owner, 'in')).length, had);
    /* Nobody speaks HTTP here without a registered certificate. */
    assert.equal((await saqshy(['link', 'init', '--data', stranger, '--id', 'registry'])).code, 0);
    assert.ok((await raw(centreNode, stranger, readFileSync(file))).error, 'a certificate that nobody registered, though it bears the name');
    assert.ok((await raw(centreNode, null, readFileSync(file))).error, 'no certificate');
    /* A registered node may not carry what another one says, nor ask for anything else. */
    const other = await raw(centreNode, city.data, readFileSync(file));
    assert.equal(other.status, 403);
    assert.equal(JSON.parse(other.text).code, 'forged');
    assert.equal((await raw(centreNode, city.data, null, '/api/v1/session', 'GET')).status, 404);
    assert.equal((await raw(centreNode, city.data, Buffer.from('{}'))).status, 400);
    const damaged = readFileSync(file);
    damaged[damaged.length - 20] ^= 1;
    assert.equal((await raw(centreNode, owner.data, damaged)).status, 400);
    assert.equal((await centreNode.envelopes(owner, 'in')).length, had);
    assert.ok(analyst);
    await quiet(owner, centreNode);
});

test('files go there and back where no network joins two nodes; twice is once, and a foreign or damaged file is refused whole', async () => {
    const there = join(stranger, 'there.saqshy'), back = join(stranger, 'back.saqshy'), bad = join(stranger, 'bad.saqshy');
    const analyst = await analystOf(centreNode);
    await ask(analyst, 'city-portal', 'By file.');
    await until('it waits', async () => (await centreNode.peer(city)).queue === 1);
    assert.equal((await centreNode.cli(['export', '--peer', 'city', there])).code, 0);
    const first = await city.cli(['import', there]);
    assert.match(first.out, /1 applied \(0 of them refused\), 0 known/, first.err);
    assert.match((await city.cli(['import', there])).out, /0 applied .* 1 known/);
    assert.equal((await city.cli(['export', '--peer', 'centre', back])).code, 0);
    assert.match((await centreNode.cli(['import', back])).out, /1 applied .* 1 of ours acknowledged/);
    const [e] = await sent(centreNode, city);
    assert.deepEqual([e.receipt.result, e.via], ['accepted', 'file']);
    assert.match(e.receipt.number, /^IN-/);
    assert.equal((await centreNode.peer(city)).queue, 0);
    const officer = await city.signedIn('city');
    assert.equal((await officer.get('/inbox')).json.items.filter((i) => i.number === e.receipt.number).length, 1);
    /* For another node; cut; one letter changed; not such a file at all. */
    const bytes = readFileSync(there);
    const letter = Buffer.from(bytes);
    letter[letter.indexOf('By file') + 1] ^= 1;
    for (const [content, who, reason] of [[bytes, owner, /409 wrong_node/], [bytes.subarray(0, bytes.length - 7), city, /409 not_a_bundle/], [letter, city, /409 not_a_bundle/],
        [Buffer.from('hello\n'), city, /409 not_a_bundle/], [readFileSync(back), city, /409 wrong_node/]]) {
        writeFileSync(bad, content);
        const a = await who.cli(['import', bad]);
        assert.equal(a.code, 1);
        assert.match(a.err, reason);
    }
    assert.equal((await arrived(city, centreNode)).length, 1);
    assert.equal((await city.signedIn('city')).csrf.length > 0 && (await (await city.signedIn('city')).post('/link/imports', { upload: 'x' })).status, 403);
});

test('7.2 D-08 by files: the same case, the same clocks, and a node that claims the object of another is not believed', async () => {
    const there = join(stranger, 'incident.saqshy'), back = join(stranger, 'receipts.saqshy');
    const carry = async () => {
        assert.equal((await city.cli(['export', '--peer', 'centre', there])).code, 0);
        const a = await centreNode.cli(['import', there]);
        assert.equal(a.code, 0, a.err);
        assert.equal((await centreNode.cli(['export', '--peer', 'city', back])).code, 0);
        assert.equal((await city.cli(['import', back])).code, 0);
        return a.out;
    };
    const analyst = await analystOf(centreNode);
    /* Their own registry says that the object is theirs. Ours does not. */
    const o = (await city.admin.get('/registry/objects/state-register')).json;
    const taken = await city.admin.put('/registry/objects/state-register', { version: o.version, value: { ...o.value, org_id: 'city-services' }, reason: 'claim' });
    assert.equal(taken.status, 200, taken.bytes.toString());
    const officer = await city.signedIn('city');
    const told = async () => (await city.envelopes(centreNode, 'out')).filter((e) => e.step?.act === 'notify_incident').length, before = await told();
    await declare(officer, incident(city, 'state-register', 'Бөтен нысан'));
    const x = await declare(officer, incident(city, 'city-portal', 'Файлмен келген'));
    await until('both wait, whole', async () => (await told()) === before + 2);   // an incident is more than one envelope
    await carry();
    const y = await copyOf(analyst, 'Файлмен келген', 'sts_notified');
    assert.deepEqual([y.machine, y.state, stateOf(y, 'D-08')], ['self', 'sts_notified', 'fulfilled']);
    same(clockOf(y, 'D-09').due, clockOf(x, 'D-09').due);
    assert.ok(!(await analyst.get('/cases?limit=1000')).json.items.some((k) => k.title === 'Бөтен нысан'), 'no case of another’s object');
    const p = await centreNode.peer(city), came = (await centreNode.envelopes(city, 'in')).filter((e) => e.step?.result === 'not_applied');
    assert.ok(p.unapplied > 0 && p.unapplied === came.length, `counted: ${p.unapplied}`);
    await until('the metric counts them', async () => (await metric(centreNode, 'saqshy_link_steps_unapplied')) === p.unapplied + (await centreNode.peer(owner)).unapplied);
    assert.ok((await metric(centreNode, 'saqshy_link_refused')) >= 0);
    assert.ok(came.every((e) => ['unknown_object', 'unknown_case'].includes(e.step.code) && e.step.reason), JSON.stringify(came.map((e) => e.step)));
    const numbers = (await analyst.get('/inbox?limit=1000')).json.items.map((i) => i.number);
    assert.ok(came.every((e) => numbers.includes(e.receipt.number)), 'each lies in the inbox all the same');
    assert.ok((await city.envelopes(centreNode, 'out')).some((e) => e.step?.result === 'not_applied'), 'they know of it too');
    assert.match(await carry(), /0 applied/);
    /* Tried again it is refused again, for the same reason; once our registry says that the object is theirs, it opens its case, once. */
    const one = came.find((e) => e.step.code === 'unknown_object');
    assert.match((await centreNode.cli(['retry', '--peer', 'city', one.id])).out, /1 tried, 0 applied/);
    assert.equal((await centreNode.peer(city)).unapplied, p.unapplied);
    const ours = (await centreNode.admin.get('/registry/objects/state-register')).json;
    const given = await centreNode.admin.put('/registry/objects/state-register', { version: ours.version, value: { ...ours.value, org_id: 'city-services' }, reason: 'handed over' });
    assert.equal(given.status, 200, given.bytes.toString());
    assert.deepEqual((await centreNode.api('POST', '/link/nodes/city/retry', {})).json, { tried: p.unapplied, applied: p.unapplied });
    const z = await copyOf(analyst, 'Бөтен нысан', 'sts_notified');
    assert.deepEqual([z.machine, stateOf(z, 'D-08')], ['self', 'fulfilled']);
    assert.deepEqual((await centreNode.api('POST', '/link/nodes/city/retry', { envelope: one.id })).json, { tried: 0, applied: 0 }, 'what was applied stays as it is');
    assert.equal((await centreNode.peer(city)).unapplied, 0);
    assert.deepEqual((await analyst.get('/inbox?limit=1000')).json.items.map((i) => i.number).sort(), numbers.sort(), 'no notice came a second time');
    assert.equal((await (await centreNode.signedIn('city')).post('/link/nodes/city/retry', {})).status, 403);
    await carry();
    assert.ok((await city.envelopes(centreNode, 'out')).every((e) => e.step?.result !== 'not_applied'), 'they know of it too');
    const back_ = (await centreNode.admin.get('/registry/objects/state-register')).json;
    assert.equal((await centreNode.admin.put('/registry/objects/state-register', { version: back_.version, value: { ...back_.value, org_id: 'registry-centre' }, reason: 'and back' })).status, 200);
});

test('a node that is switched off is kept out at once, and goes on where it was when it is let in again', async () => {
    const p = await centreNode.peer(owner);
    await quiet(centreNode, owner);
    await centreNode.api('PUT', '/link/nodes/registry', { org_id: p.org.id, title: p.title, url: null, active: false });
    const empty = join(stranger, 'empty.saqshy');
    assert.equal((await owner.cli(['export', '--peer', 'centre', empty])).code, 0);
    const a = await raw(centreNode, owner.data, readFileSync(empty));
    assert.ok(a.error || a.status === 403, JSON.stringify(a));
    await until('the handshake is refused', async () => (await raw(centreNode, owner.data, readFileSync(empty))).error);
    await centreNode.api('PUT', '/link/nodes/registry', { org_id: p.org.id, title: p.title, url: null, active: true });
    const analyst = await analystOf(centreNode);
    const had = (await arrived(owner, centreNode)).length;
    await ask(analyst, 'state-register', 'And again.');
    owner.advance(700);
    owner.admin = await owner.signedIn('administrator');
    await until('it goes on', async () => (await arrived(owner, centreNode)).length === had + 1, 60);
});

/** All clocks go on together: what one node says of a moment must not be to come for another. */
async function later(seconds, ...all) {
    const to = Math.max(...all.map((c) => c.now())) + seconds * 1000;
    for (const c of all) c.advance(Math.ceil((to - c.now()) / 1000));
    for (const c of all) c.admin = await c.signedIn('administrator');
}

test('D-08 a network that is cut in the middle of exchanges: incidents are declared meanwhile, each opens one case when it is whole again', async () => {
    /* Between the two stands a wire that breaks after some bytes, in either direction, or lets nothing through. */
    let left = 0, broken = 0;
    const wire = net.createServer((from) => {
        const to = net.connect(centreNode.link, '127.0.0.1');
        const both = () => { from.destroy(); to.destroy(); };
        for (const [a, b] of [[from, to], [to, from]]) {
            a.on('error', both).on('close', both);
            a.on('data', (d) => {
                if ((left -= d.length) < 0) { broken++; both(); } else b.write(d);
            });
        }
    });
    await new Promise((done) => wire.listen(0, '127.0.0.1', done));
    const p = await owner.peer(centreNode), url = (u) => owner.api('PUT', '/link/nodes/centre', { org_id: p.org.id, title: p.title, url: u, active: true });
    try {
        await url(`https://127.0.0.1:${wire.address().port}`);
        await later(1, centreNode, owner);
        const officer = await owner.signedIn('registry'), had = (await centreNode.peer(owner)).unapplied;
        for (const [i, bytes] of [0, 300, 2500, 9000, 30000].entries()) {
            left = bytes;
            const was = broken;
            await declare(officer, incident(owner, 'state-register', `үзіліс ${i}`));
            await later(11 * MINUTE, centreNode, owner);    /* over the pause, which grows to ten minutes */
            await until('the wire broke', async () => broken > was, 60);
        }
        assert.ok((await owner.peer(centreNode)).last_error, 'the failure is shown');
        left = Infinity;
        await later(11 * MINUTE, centreNode, owner);
        const analyst = await analystOf(centreNode);
        await until('all of them', async () => (await analyst.get('/cases?limit=1000')).json.items.filter((k) => k.title.startsWith('үзіліс ') && k.state === 'sts_notified').length === 5, 90);
        await quiet(owner, centreNode);
        assert.equal((await analyst.get('/cases?limit=1000')).json.items.filter((k) => k.title.startsWith('үзіліс ')).length, 5, 'each once');
        assert.equal((await centreNode.peer(owner)).unapplied, had);
    } finally {
        await url(p.url);
        wire.close();
    }
    await quiet(owner, centreNode);
});

test('7.1 R-10.1-13 D-06 KNB’s own node: the notice opens the case there where it stands, KNB decides there, and a kill of that node at any moment loses nothing', async () => {
    const knb = await node('knb', 'knb', { connect: true });
    await pair(centreNode, knb, { to: `https://127.0.0.1:${centreNode.link}` });
    await later(1, centreNode, owner, knb);
    let officer = await owner.signedIn('registry');
    let x = await declare(officer, incident(owner, 'state-register', 'Жойылмаған оқиға'));
    let y = await copyOf(await analystOf(centreNode), 'Жойылмаған оқиға', 'sts_notified');
    await later(73 * 3600, centreNode, owner, knb);
    const analyst = await analystOf(centreNode), password = 'a long password for tests 1';
    for (const c of [knb, centreNode])
        await c.api('POST', '/users', { login: 'knb-duty', name: 'knb-duty', role: 'knb', org_id: 'knb', language: 'kk', email: null, password }, 201);
    const there = await knb.signedIn({ login: 'knb-duty', password });
    officer = await owner.signedIn('registry');
    y = await until('D-06 is overdue', async () => { const k = await show(analyst, y.id); return stateOf(k, 'D-06') === 'overdue' ? k : null; }, 60);
    assert.equal((await there.get('/cases')).json.items.length, 0, 'KNB knows what it was told of');
    y = await act(analyst, y, 'notify_knb', { note: 'жойылмады' });
    const z = await copyOf(there, 'Жойылмаған оқиға', 'escalated_knb');
    assert.deepEqual([z.machine, z.kind, z.level, z.documents.map((d) => d.kind)], ['self', 'incident', 'medium', ['knb_notice']]);
    same(z.confirmed_at, x.confirmed_at);
    same(clockOf(z, 'D-06').due, clockOf(x, 'D-06').due);
    assert.deepEqual(z.nodes.map((n) => [n.node, n.number]), [['centre', y.number]]);
    assert.equal((await (await centreNode.signedIn({ login: 'knb-duty', password })).post(`/cases/${y.id}/actions/decide_visit`, { reason: 'x' })).json.code, 'elsewhere');
    /* What KNB decides on its node stands at the centre. */
    await act(there, z, 'decide_visit', { reason: 'Дереу жіберілсін' });
    y = await until('the decision', async () => { const k = await show(analyst, y.id); return k.visits.length ? k : null; }, 60);
    assert.deepEqual([y.visits[0].decided_by, y.visits[0].state], ['knb', 'need_determined']);
    /* What the owner does comes by the centre, though KNB's desk is killed again and again. */
    let seed = 11, working = true;
    const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return seed % n; };
    const killing = (async () => {
        for (let n = 0; working || n < 4; n++) {
            await sleep(200 + random(900));
            const pid = (await knb.roles()).desk.pid;
            if (pid > 0) kill9(pid);
        }
    })();
    for (let i = 0; i < 8; i++) {
        await act(officer, x, 'update', { text: `жаңалық ${i}` });
        await sleep(400);
    }
    await act(officer, x, 'eliminate', { causes_at: at(owner), causes: 'жойылды', consequences_at: at(owner), consequences: 'жойылды' });
    await until('declared', async () => (await show(analyst, y.id)).facts.causes_at, 60);
    await act(analyst, y, 'accept_elimination', {});
    working = false;
    await killing;
    await until('KNB’s node is up', async () => (await knb.client().request('GET', '/health')).status === 200, 90);
    knb.advance(11 * MINUTE);
    knb.admin = await knb.signedIn('administrator');
    const again = await knb.signedIn({ login: 'knb-duty', password });
    const end = await stands(again, z, 'eliminated');
    assert.deepEqual(end.updates.map((u) => u.text), [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `жаңалық ${i}`));
    x = await stands(officer, x, 'eliminated');
    same(end.eliminated_at, x.eliminated_at);
    await quiet(centreNode, knb);
    assert.deepEqual([(await knb.peer(centreNode)).unapplied, (await knb.peer(centreNode)).refused], [0, 0]);
    const sequence = (await knb.envelopes(centreNode, 'in')).map((e) => e.sequence).reverse();
    assert.deepEqual(sequence, sequence.map((_, i) => i + 1), 'no number is missing and none came twice');
});

test('no chain of the audit trails is broken, and no desk fell but those that were killed', async () => {
    for (const c of Object.values(nodes)) {
        const log = readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8');
        assert.ok(!/AddressSanitizer|runtime error/.test(log), c.story());
        const audit = (await c.api('GET', '/audit?q=link')).json;
        assert.ok(audit.items.length > 0);
        assert.ok(audit.chain_broken_at === undefined || audit.chain_broken_at === null);
    }
});
