// certificates.test.mjs - certificates of the node's own authority: renewed before they end and revoked at once, by the real daemon and agent, without a restart.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { appendFileSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import https from 'node:https';
import tls from 'node:tls';
import { bin, centre, run, saqshy, until } from './lib/centre.mjs';
import { collector } from './lib/collector.mjs';

const DAY = 86400;
/** The certificate that a port shows. */
function shown(port, ca, more = {}) {
    return new Promise((done, fail) => {
        const s = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost', checkServerIdentity: () => undefined, ...more }, () => { const c = s.getPeerX509Certificate(); s.end(); done(c); });
        s.on('error', fail);
    });
}
const pid = async (c) => Object.fromEntries(Object.entries(await c.roles()).map(([n, r]) => [n, r.pid]));
const list = async (data) => JSON.parse((await saqshy(['agent', 'list', '--json', '--data', data])).out);

test('the certificate of the listeners and of the portal is renewed when two thirds of its life are over, and nobody restarts', async (t) => {
    const c = await centre({ demo: false });
    t.after(() => c.remove());
    await c.start();
    const before = await shown(c.ports.portal, c.ca), pids = await pid(c);
    assert.ok(pids.keys > 0);
    c.advance(200 * DAY);                                    // not yet
    await until('the clock was seen', () => /saqshy_keys_server_days 19\d/.test(readFileSync(join(c.data, 'run/metrics-keys.prom'), 'utf8')), 60);
    assert.equal(existsSync(join(c.data, 'pki/server/server.pem')), false);
    c.advance(70 * DAY);                                     // 270 of 397
    await until('it is renewed', () => existsSync(join(c.data, 'pki/server/server.pem')), 60);
    const after = await until('the portal shows it', async () => { const s = await shown(c.ports.portal, c.ca); return s.serialNumber !== before.serialNumber && s; });
    assert.equal(after.subjectAltName, before.subjectAltName);
    assert.ok(new Date(after.validTo) > new Date(before.validTo));
    await until('health', async () => (await c.client().request('GET', '/health')).status === 200);
    assert.deepEqual(await pid(c), pids);
    assert.equal(statSync(join(c.data, 'pki/server/server.key')).mode & 0o777, 0o600);
    assert.equal((await list(c.data)).filter((x) => x.kind === 'server').length, 2);
});

test('an agent asks for a new certificate with the old one, and goes on with it; lines flow all the time, once', async (t) => {
    const c = await centre({ demo: false, agent: true });
    t.after(() => c.remove());
    const file = join(c.data, 'watched.log'), config = join(c.data, 'agent/agent.yaml');
    writeFileSync(file, '');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^inputs:.*$/m, 'inputs: none').replace(/^files:.*(\n  .*)*/m, '') + `files:\n  - path: ${file}\n`);
    const state = /^state: *"?([^"\n]+)"?/m.exec(readFileSync(config, 'utf8'))[1];
    await c.start();
    c.startAgent();
    const lines = async (n) => until(`line ${n}`, async () => (await c.events(`"counted line"`, '--limit', '100')).length === n);
    appendFileSync(file, 'counted line 1\n');
    await lines(1);
    const before = await list(c.data);
    c.advance(270 * DAY);
    const identity = await until('the agent has it', () => existsSync(join(state, 'identity.pem')) && join(state, 'identity.pem'), 90).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    assert.equal(statSync(identity).mode & 0o777, 0o600);
    const fresh = new X509Certificate(readFileSync(identity));
    const name = /CN=(.+)/.exec(fresh.subject)[1];
    const after = await list(c.data);
    assert.equal(after.filter((x) => x.name === name && x.kind === 'agent').length, before.filter((x) => x.name === name && x.kind === 'agent').length + 1);
    appendFileSync(file, 'counted line 2\n');
    await lines(2);
    const log = readFileSync(c.log, 'utf8') + readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8');
    assert.match(log, /took a renewed certificate/);
    assert.match(log, /renewed the certificate of an agent/);
    await c.stopAgent();
    c.startAgent();                                          // from the identity in its state folder
    appendFileSync(file, 'counted line 3\n');
    await lines(3);
    // Another one at once is refused: each is a line of issued.tsv for ever.
    writeFileSync(join(c.data, `run/renew/${name}.ask`), 'QUJD.QUJD.QUJD');
    await until('it is refused', () => /refused to renew the certificate of an agent.*less than 60 minutes ago/.test(readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8')));
});

test('a request for renewal counts for its signature alone: of another name, with another key, twice over, or damaged it is refused, and told', async (t) => {
    const c = await centre({ demo: false });
    t.after(() => c.remove());
    await c.start();
    const made = await saqshy(['agent', 'add', 'srv-1', '--data', c.data]);
    assert.equal(made.code, 0, made.err);
    assert.equal((await saqshy(['agent', 'add', 'srv-2', '--data', c.data])).code, 0);
    const of = (name) => ({ cert: readFileSync(join(c.data, `pki/agents/${name}.pem`)), key: readFileSync(join(c.data, `pki/agents/${name}.key`)) });
    const send = (who, method, ask) => new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port: c.ports.otlp, path: '/v1/certificate', method, agent: false, ca: c.ca, servername: 'localhost', checkServerIdentity: () => undefined, ...of(who),
            headers: ask === undefined ? {} : { 'Saqshy-Renewal': ask } }, (a) => { let text = ''; a.on('data', (d) => { text += d; }); a.on('end', () => done({ status: a.statusCode, text })); });
        r.on('error', fail);
        r.end();
    });
    assert.equal((await send('srv-1', 'GET')).status, 404);
    assert.equal((await send('srv-1', 'POST')).status, 400);
    assert.equal((await send('srv-1', 'POST', 'not base 64')).status, 400);
    const refusals = () => Number(/saqshy_keys_refused_total (\d+)/.exec(readFileSync(join(c.data, 'run/metrics-keys.prom'), 'utf8'))[1]);
    assert.equal((await send('srv-1', 'POST', 'AAAA.BBBB.CCCC')).status, 202);
    await until('it is refused', () => refusals() === 1);
    // What ingest itself would write for another name: the certificate inside is not of that name.
    writeFileSync(join(c.data, 'run/renew/srv-2.ask'), 'QUJD.QUJD.QUJD');
    await until('it is refused', () => refusals() === 2);
    assert.equal(readdirSync(join(c.data, 'run/renew')).length, 0);
    assert.match(readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8'), /refused to renew the certificate of an agent.*srv-2.*not of the form that agents write/);
});

test('a revoked certificate opens nothing: connections that stand are closed, new ones refused, others go on, and no restart', async (t) => {
    const c = await collector(t, 'syslog_tls: "127.0.0.1:0"\notlp: "127.0.0.1:0"\n', { agents: ['bad-1', 'good-1'] });
    const ca = readFileSync(join(c.pki, 'ca.pem'));
    const of = (name) => ({ cert: readFileSync(join(c.pki, `agents/${name}.pem`)), key: readFileSync(join(c.pki, `agents/${name}.key`)) });
    const open = (name, port) => new Promise((done, fail) => {
        const s = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...of(name) }, () => done(s));
        s.closed_ = new Promise((end) => { s.on('close', end); s.on('error', () => {}); });
        s.on('error', fail);
    });
    const bad = await open('bad-1', c.port('syslog_tls')), good = await open('good-1', c.port('syslog_tls')), web = await open('bad-1', c.port('otlp'));
    bad.write('<13>before one\n'); good.write('<13>before two\n');
    await c.wait(2);
    assert.equal((await saqshy(['agent', 'revoke', 'nobody', '--data', c.data])).code, 1);
    const done = await saqshy(['agent', 'revoke', 'bad-1', '--data', c.data]);
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /^1 certificates of bad-1 are revoked/);
    await bad.closed_;
    await web.closed_;
    good.write('<13>after two\n');
    await c.wait(3);
    await until('a new one is refused', async () => {
        const s = await open('bad-1', c.port('syslog_tls')).catch(() => null);
        if (!s) return true;                                 // TLS 1.3: the refusal may come after the handshake of this side
        s.write('<13>must not come\n');
        await s.closed_;
        return true;
    });
    const again = await open('good-1', c.port('syslog_tls'));
    again.write('<13>again two\n');
    const all = await c.wait(4);
    assert.equal(all.filter((e) => e['event.original'].includes('must not come')).length, 0);
    await until('it is counted', () => c.listener('syslog_tls').turned_away.certificate >= 1);
    assert.equal((await saqshy(['agent', 'revoke', 'bad-1', '--data', c.data])).code, 1);
    // A new certificate under the same name works.
    assert.equal((await saqshy(['agent', 'add', 'bad-1', '--data', c.data])).code, 0);
    const cured = await open('bad-1', c.port('syslog_tls'));
    cured.write('<13>cured one\n');
    await c.wait(5);
    const states = (await list(c.data)).filter((x) => x.name === 'bad-1').map((x) => x.state);
    assert.deepEqual(states, ['revoked', 'holds']);
    // A list that is not of this authority is told, and the one before stays in force.
    writeFileSync(join(c.pki, 'server/revoked.crl'), 'rubbish');
    await until('it is told', () => c.log().includes('no list of revoked certificates of this authority'));
    const crl = await open('good-1', c.port('syslog_tls'));
    crl.write('<13>still two\n');
    await c.wait(6);
    for (const s of [good, again, cured, crl]) s.destroy();
});

test('a revoked certificate opens nothing either where the configuration names a copy of the authority, nor when the list and the configuration change together', { timeout: 90_000 }, async (t) => {
    const copy = join(mkdtempSync(join(tmpdir(), 'saqshy-ca-')), 'ca.pem');
    t.after(() => rmSync(dirname(copy), { recursive: true, force: true }));
    const text = (more) => `listeners:\n  - { id: own, kind: syslog_tls, address: "127.0.0.1:0"${more} }\n`;
    const c = await collector(t, text(''), { agents: ['bad-1', 'good-1'] });
    writeFileSync(copy, readFileSync(join(c.pki, 'ca.pem')));
    const named = (more) => text(`, tls: { authority: "${copy}", client: required }${more}`);
    c.config(named(''));
    await c.stop();                                          // its sandbox lets in the folders that were there when it began
    await c.start();
    const ca = readFileSync(join(c.pki, 'ca.pem'));
    const of = (name) => ({ cert: readFileSync(join(c.pki, `agents/${name}.pem`)), key: readFileSync(join(c.pki, `agents/${name}.key`)) });
    const open = (name) => new Promise((done, fail) => {
        const s = tls.connect({ host: '127.0.0.1', port: c.port('own'), ca, servername: 'localhost', ...of(name) }, () => done(s));
        s.closed_ = new Promise((end) => { s.on('close', end); s.on('error', () => {}); });
        s.on('error', fail);
    });
    const bad = await open('bad-1'), good = await open('good-1');
    bad.write('<13>before one\n'); good.write('<13>before two\n');
    await c.wait(2);
    // At once behind each other: the listener opens the new list with the new configuration, and sees no change of it afterwards.
    assert.equal((await saqshy(['agent', 'revoke', 'bad-1', '--data', c.data])).code, 0);
    c.config(named(', limits: { idle_s: 3000 }'));
    assert.equal((await c.reload()).code, 0);
    await bad.closed_;
    const again = await open('bad-1').catch(() => null);
    if (again) { again.write('<13>must not come\n'); await again.closed_; }
    good.write('<13>after two\n');
    const all = await c.wait(3);
    assert.equal(all.filter((e) => e['event.original'].includes('must not come')).length, 0);
    good.destroy();
});

test('what root makes or revokes belongs to the owner of the data directory, so that the roles can read the list', { skip: process.getuid() !== 0 && 'only root can give files away' }, async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'saqshy-owner-')), owner = 65534;
    t.after(() => rmSync(data, { recursive: true, force: true }));
    assert.equal((await run(bin('src/pki/pki-make'), [join(data, 'pki'), 'srv-1'])).code, 0);
    for (const f of ['', 'pki', 'pki/ca.pem', 'pki/ca.key']) chownSync(join(data, f), owner, owner);
    rmSync(join(data, 'pki/issued.tsv'));                    // a data directory of the first releases
    assert.equal((await saqshy(['agent', 'add', 'srv-2', '--data', data])).code, 0);
    assert.equal((await saqshy(['agent', 'revoke', 'srv-2', '--data', data])).code, 0);
    for (const f of ['issued.tsv', 'agents', 'server', 'server/revoked.crl']) assert.equal(statSync(join(data, 'pki', f)).uid, owner, f);
});

test('an agent speaks for its own object alone where the OTLP listener takes certificates without insisting on them', { timeout: 90_000 }, async (t) => {
    const c = await collector(t, 'listeners:\n  - { id: in, kind: otlp, address: "127.0.0.1:0", tls: { client: optional } }\n', { agents: ['a1'] });
    await c.stop();
    writeFileSync(join(c.data, 'run/objects.tsv'), 'a1\tobj-a\nvictim\tobj-b\n');
    await c.start();
    const body = JSON.stringify({ resourceLogs: [{ resource: { attributes: [{ key: 'host.name', value: { stringValue: 'victim' } }] }, scopeLogs: [{ logRecords: [{ body: { stringValue: 'not of the victim' } }] }] }] });
    const status = await new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port: c.port('in'), path: '/v1/logs', method: 'POST', agent: false, ca: readFileSync(join(c.pki, 'ca.pem')), servername: 'localhost', checkServerIdentity: () => undefined,
            cert: readFileSync(join(c.pki, 'agents/a1.pem')), key: readFileSync(join(c.pki, 'agents/a1.key')), headers: { 'Content-Type': 'application/json' } }, (a) => { a.resume(); a.on('end', () => done(a.statusCode)); });
        r.on('error', fail);
        r.end(body);
    });
    assert.equal(status, 200);
    assert.equal((await c.wait(1))[0]['saqshy.object'], 'obj-a');
});
