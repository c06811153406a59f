// link.test.mjs - three nodes that really exchange: a centre, an owner's node joined by a network, and another owner's node that only files reach.
//
// Each is a saqshyd with the demonstration registry and the role "desk" alone. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import https from 'node:https';
import { centre, freePort, saqshy, sleep, until } from './lib/centre.mjs';
import { openapi } from './portal/openapi.mjs';

const spec = openapi();
const nodes = {};
const stranger = mkdtempSync(join(tmpdir(), 'saqshy-stranger-'));

/** A node that answers for an organisation. */
async function node(name, org, { connect = false } = {}) {
    const port = await freePort();
    const c = await centre({ demo: true, config: `link:\n  listen: "127.0.0.1:${port}"\n  connect: "${connect ? 'yes' : 'no'}"\n  url: "https://127.0.0.1:${port}"\n` });
    writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace('roles: [ingest, index, detect, desk]', 'roles: [desk]'));
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
    assert.equal((await stranger_.post('/link/nodes/centre/objects', { object_id: 'state-register' })).status, 400);
    const proposal = await until('the proposal', async () => (await analyst.get('/link/proposals?state=open')).json.items[0]);
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
    await quiet(centreNode, owner);
});

test('a node that is away delays and never drops: everything comes in order when it is back', async () => {
    const before_ = (await arrived(owner, centreNode)).length;
    await owner.stop();
    const analyst = await analystOf(centreNode);
    for (let i = 0; i < 5; i++) await ask(analyst, 'state-register');
    await until('the outbox holds them', async () => (await centreNode.peer(owner)).queue === 5);
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
        if (pid > 0) process.kill(pid, 'SIGKILL');
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

test('no chain of the audit trails is broken, and no desk fell but those that were killed', async () => {
    for (const c of Object.values(nodes)) {
        const log = readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8');
        assert.ok(!/AddressSanitizer|runtime error/.test(log), c.story());
        const audit = (await c.api('GET', '/audit?q=link')).json;
        assert.ok(audit.items.length > 0);
        assert.ok(audit.chain_broken_at === undefined || audit.chain_broken_at === null);
    }
});
