// collection.test.mjs - what the API tells of listeners, sources, parsers and tokens, to whom, and what people tell the collector: profiles and tokens.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import https from 'node:https';
import { centre, sendSyslog, until } from './lib/centre.mjs';
import { openapi } from './portal/openapi.mjs';

const spec = openapi();
let c, admin, analyst, officer;
const line = (host, program, text, at = c.now()) => `<38>1 ${new Date(at).toISOString()} ${host} ${program} 77 - - ${text}`;
const sources = async (who, query = '') => {
    const a = await who.get(`/collection/sources${query}`);
    assert.equal(a.status, 200, a.bytes.toString());
    return a.json;
};
const ids = (answer) => answer.items.map((s) => s.id);
const profile = (more) => ({ name: 'p', address: null, host: null, listener: null, zone: null, encoding: null, class: null, parser: null, object_id: null, ...more });
async function one(who, id) {
    const a = await who.get(`/collection/source?id=${encodeURIComponent(id)}`);
    return a.status === 200 ? a.json.source : null;
}
/** By the bulk listener, with a token: the status of the answer. */
function bulk(token, host) {
    const port = JSON.parse(readFileSync(join(c.data, 'run/ingest.json'), 'utf8')).bulk;
    return new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port, method: 'POST', path: '/_bulk', ca: c.ca, servername: 'localhost', agent: false,
            headers: { 'Content-Type': 'application/x-ndjson', Authorization: `Bearer ${token}` } }, (a) => { a.resume(); a.on('end', () => done(a.statusCode)); });
        r.on('error', fail);
        r.end(`{"create":{}}\n${JSON.stringify({ message: 'by token', host: { name: host } })}\n`);
    });
}

before(async () => {
    c = await centre({ demo: true });
    writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace('ingest:\n', 'ingest:\n  bulk: "127.0.0.1:0"\n'));
    await c.start();
    [admin, analyst, officer] = [await c.signedIn('administrator'), await c.signedIn('centre_analyst'), await c.signedIn('owner_officer')];
    await sendSyslog(c.ports.syslog, [
        ...Array.from({ length: 6 }, (_, i) => line('registry-web-1', 'sshd', `Failed password for root from 203.0.113.7 port ${40000 + i} ssh2`)),
        line('stranger-1', 'toaster', 'toast is done'), ...Array.from({ length: 4 }, () => '\u0001\u0002 %%% ??? what is this'),
        line('stranger-2', 'toaster', 'toast is done')]);
    await until('all are counted', async () => (await sources(admin)).counts.all >= 4).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
});
after(async () => { await c?.remove(); });

test('listeners are told with their address, what came and how fast; nobody bound to an organisation hears of them', async () => {
    const a = await until('the lines are counted', async () => {
        const x = await analyst.get('/collection/listeners');
        return x.json.items.find((l) => l.kind === 'syslog_tcp')?.events >= 12 && x;
    });
    const tcp = a.json.items.find((l) => l.kind === 'syslog_tcp');
    assert.deepEqual([a.json.running, a.json.expected, tcp.state, tcp.port], [true, true, 'listening', c.ports.syslog]);
    assert.equal(tcp.read, tcp.events + Object.values(tcp.refused).reduce((x, y) => x + y, 0));
    assert.ok(tcp.last_event_at && typeof tcp.rate_s === 'number');
    for (const path of ['listeners', 'parsers', 'profiles', 'tokens', 'upstreams', 'storage'])
        assert.equal((await officer.get(`/collection/${path}`)).status, 403, path);
    assert.equal((await analyst.get('/collection/tokens')).status, 403);
});

test('sources are filtered, sorted and paged by the server', async () => {
    const all = await sources(admin, '?sort=name');
    assert.deepEqual(ids(all), [...ids(all)].sort());
    assert.equal(all.total, all.items.length);
    // Page by page gives the same list.
    const paged = [];
    for (let before = ''; before !== null;) {
        const page = await sources(admin, `?sort=name&limit=1${before && `&before=${encodeURIComponent(before)}`}`);
        paged.push(...ids(page));
        before = page.next;
    }
    assert.deepEqual(paged, ids(all));
    assert.deepEqual(ids(await sources(admin, '?q=STRANGER-2')), ['stranger-2']);
    assert.deepEqual(ids(await sources(admin, '?flag=unassigned&q=stranger&sort=name')), ['stranger-1', 'stranger-2']);
    const unparsed = await sources(admin, '?flag=unparsed');
    assert.ok(unparsed.items.length >= 1 && unparsed.items.every((s) => s.unparsed > 0 && s.flags.includes('unparsed')), JSON.stringify(unparsed));
    assert.equal(unparsed.counts.unparsed, unparsed.total);
    assert.ok((await sources(admin, '?listener=own_log')).items.every((s) => s.listener === 'own_log'));
    for (const wrong of ['flag=x', 'sort=x', 'before=x', `q=${'x'.repeat(300)}`])
        assert.equal((await admin.get(`/collection/sources?${wrong}`)).status, 400, wrong);
});

test('an owner sees the sources of its own objects; another one is answered as one that does not exist', async () => {
    const theirs = await sources(analyst, '?q=registry-web-1');
    assert.equal(theirs.items[0].object.id, 'state-register');
    assert.ok(theirs.items[0].org.name.length > 0);
    const organisations = (await admin.get('/organisations')).json.items, other = (await admin.get('/objects')).json.items.find((o) => o.id === 'city-portal');
    assert.ok(organisations.length > 1);
    const password = 'correct horse battery staple 7';
    assert.equal((await admin.post('/users', { login: 'city-2', name: 'city', role: 'owner_officer', org_id: other.org.id, language: 'en', password })).status, 201);
    const city = c.client();
    await city.signIn('city-2', password);
    for (const query of ['', '?q=registry', '?object=state-register', '?flag=unassigned']) {
        const seen = await sources(city, query);
        assert.ok(seen.items.every((s) => s.object?.id === 'city-portal'), query);
        assert.equal(seen.counts.unassigned, 0, query);
    }
    const brief = (a) => `${a.status} ${a.json.code}`;
    assert.equal(brief(await city.get('/collection/source?id=registry-web-1')), brief(await city.get('/collection/source?id=nobody-has-this')));
    assert.equal((await city.get('/collection/source?id=registry-web-1')).status, 404);
    assert.equal((await analyst.get('/collection/source?id=registry-web-1')).status, 200);
});

test('a profile made in the portal is in force within seconds, without a restart, and stands in the audit trail', async () => {
    const made = await admin.post('/collection/profiles', profile({ name: 'toasters', host: 'stranger-*', class: 'net', object_id: 'city-portal', note: 'of the kitchen' }));
    assert.equal(made.status, 201, made.bytes.toString());
    await until('a line is read as the profile says', async () => {
        await sendSyslog(c.ports.syslog, [line('stranger-1', 'toaster', 'toast is done again')]);
        const s = await one(admin, 'stranger-1');
        return s.profile === 'toasters' && s.class === 'net' && s.object?.id === 'city-portal';
    });
    const list = (await analyst.get('/collection/profiles')).json.items;
    assert.deepEqual([list[0].name, list[0].origin, list[0].version, list[0].note], ['toasters', 'desk', 1, 'of the kitchen']);
    const stale = await admin.put(`/collection/profiles/${made.json.id}`, profile({ name: 'toasters', version: 7, host: 'stranger-*', class: 'app' }));
    assert.deepEqual([stale.status, stale.json.field], [409, 'version']);
    const wrong = await admin.post('/collection/profiles', profile({ name: 'x', address: '10.0.0.0/33', zone: '+05:00' }));
    assert.deepEqual([wrong.status, wrong.json.field], [400, 'address']);
    assert.equal((await analyst.post('/collection/profiles', profile({ name: 'x', host: 'y', zone: '+05:00' }))).status, 403);
    assert.equal((await admin.request('DELETE', `/api/v1/collection/profiles/${made.json.id}`)).status, 204);
    await until('without it the source is nobody’s again', async () => {
        await sendSyslog(c.ports.syslog, [line('stranger-1', 'toaster', 'toast is done once more')]);
        return (await one(admin, 'stranger-1')).object === null;
    });
    const trail = (await admin.get('/audit?q=source_profile')).json.items.map((r) => r.action);
    for (const action of ['source_profile.create', 'source_profile.remove']) assert.ok(trail.includes(action), `${action} in ${trail}`);
});

test('a token made in the portal lets a sender in, says when it was used, and lets nobody in once it is taken back', async () => {
    const made = await admin.post('/collection/tokens', { name: 'kitchen', object_id: 'city-portal' });
    assert.equal(made.status, 201, made.bytes.toString());
    await until('the collector knows it', async () => (await bulk(made.json.token, 'oven-1')) === 200);
    const row = await until('its use is known', async () => (await admin.get('/collection/tokens')).json.items.find((t) => t.name === 'kitchen' && t.last_event_at));
    assert.deepEqual([row.object.id, row.events >= 1, JSON.stringify(row).includes(made.json.token)], ['city-portal', true, false]);
    assert.equal((await admin.post('/collection/tokens', { name: 'kitchen', object_id: null })).status, 409);
    assert.equal((await admin.post('/collection/tokens', { name: 'a b', object_id: null })).json.field, 'name');
    assert.equal((await admin.request('DELETE', '/api/v1/collection/tokens/kitchen')).status, 204);
    await until('nobody is let in', async () => (await bulk(made.json.token, 'oven-1')) === 401);
    assert.ok(!readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8').includes(made.json.token), 'the token stands in no log');
});

test('parsers are told: files with their samples, and readers in the program with what they took', async () => {
    const all = await until('sshd took lines', async () => {
        const items = (await analyst.get('/collection/parsers')).json.items;
        return items.find((p) => p.id === 'sshd' && p.lines >= 6) && items;
    });
    assert.ok(all.some((p) => p.origin === 'ours' && p.state === 'loaded' && p.samples > 0));
    assert.equal(all.find((p) => p.id === 'sshd').origin, 'built_in');
});

test('every answer is as docs/openapi.yaml says', async () => {
    await until('the index has told of its disk', async () => (await analyst.get('/collection/storage')).json.retention);
    for (const path of ['alarms', 'listeners', 'sources', 'source?id=registry-web-1', 'parsers', 'profiles', 'tokens', 'upstreams', 'storage']) {
        const a = await admin.get(`/collection/${path}`);
        assert.deepEqual([a.status, spec.problems('GET', `/api/v1/collection/${path}`, a.status, a.json)], [200, []], path);
    }
});

test('a refused parser, a silent source: alarms that say what and since when; an owner hears of its own sources alone', async () => {
    writeFileSync(join(c.data, 'parsers/broken.yaml'), 'id: broken\ntitle: x\n');
    const refused = await until('the file is refused', async () => (await admin.get('/collection/alarms')).json.items.find((a) => a.kind === 'parser_refused'));
    assert.match(refused.text, /broken/);
    assert.equal((await officer.get('/collection/alarms')).json.items.length, 0);
    c.advance(86400);
    for (const client of [admin, officer]) assert.equal((await client.get('/session')).status, 401, 'a day is longer than a session');
    [admin, officer] = [await c.signedIn('administrator'), await c.signedIn('owner_officer')];
    const silent = await until('the silence is told', async () => (await officer.get('/collection/alarms')).json.items.find((a) => a.kind === 'source_silent'));
    assert.deepEqual(silent.names, ['registry-web-1']);
    assert.ok(Date.parse(silent.since_at) < c.now() - 80_000_000);
    const theirs = (await admin.get('/collection/alarms')).json.items.find((a) => a.kind === 'source_silent');
    assert.ok(theirs.count > 1, JSON.stringify(theirs));
    assert.deepEqual(ids(await sources(officer, '?flag=silent')), ['registry-web-1']);
    await sendSyslog(c.ports.syslog, [line('registry-web-1', 'sshd', 'Server listening on 0.0.0.0 port 22.')]);
    await until('it speaks again', async () => (await officer.get('/collection/alarms')).json.items.length === 0);
});
