// backup.test.mjs - a copy of a running node and a node made of it: the real daemon while lines come, killed backups, a full target.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, centre, run, saqshy, sleep, until } from './lib/centre.mjs';

/** One OTLP request with the certificate of the first agent; true once it is acknowledged. */
function otlp(c, texts) {
    const name = readdirSync(join(c.data, 'pki/agents')).find((f) => f.endsWith('.pem')).replace('.pem', '');
    const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: texts.map((text) => ({ body: { stringValue: text } })) }] }] });
    return new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port: c.ports.otlp, method: 'POST', path: '/v1/logs', agent: false, ca: c.ca, servername: 'localhost',
            checkServerIdentity: () => undefined, cert: readFileSync(join(c.data, `pki/agents/${name}.pem`)), key: readFileSync(join(c.data, `pki/agents/${name}.key`)),
            headers: { 'Content-Type': 'application/json' } }, (a) => { a.resume(); a.on('end', () => done(a.statusCode === 200)); });
        r.on('error', fail);
        r.end(body);
    });
}
const numbers = async (c) => (await c.events('numbered', '--limit', '100000')).map((e) => Number(/numbered (\d+) /.exec(e['event.original'])[1])).sort((a, b) => a - b);

test('while lines come: every event that was acknowledged before is in the copy, once; killed backups go on; the node that is made of it runs', async (t) => {
    const c = await centre({ demo: true, agent: true, segmentBytes: 1 << 20 });
    const place = mkdtempSync(join(tmpdir(), 'saqshy-copy-')), target = join(place, 'copy'), back = join(place, 'node');
    // One hook, in this order: hooks run in the order in which they came, and a folder cannot go under a daemon that writes there.
    let stopTwin = async () => {};
    t.after(async () => { await stopTwin(); await c.remove(); rmSync(place, { recursive: true, force: true }); });
    await c.start();
    let acknowledged = 0, going = true;
    const sender = (async () => {
        for (let n = 0; going; n += 50) {
            const texts = Array.from({ length: 50 }, (_, i) => `numbered ${n + i} of the test`);
            if (await otlp(c, texts).catch(() => false)) acknowledged = n + 50;
        }
    })();
    t.after(() => { going = false; });
    await until('lines come', () => acknowledged >= 500);
    const backup = (...more) => saqshy(['backup', target, '--data', c.data, '--with-keys', '--quiet', '--json', ...more]);
    const before = acknowledged, first = await backup();
    assert.equal(first.code, 0, first.err);
    assert.match(first.err, /private keys/);
    assert.ok(JSON.parse(first.out).acknowledged_seq > before);
    for (let i = 0; i < 6; i++) {
        const p = spawn(bin('saqshy'), ['backup', target, '--data', c.data, '--with-keys', '--quiet', '--mib-per-second', '4'], { stdio: 'ignore' });
        await sleep(40 + 60 * i);
        p.kill('SIGKILL');
        await new Promise((done) => p.on('exit', done));
        const proof = await saqshy(['backup', 'verify', target, '--quiet']);
        assert.equal(proof.code, 0, proof.out + proof.err);
    }
    const sure = acknowledged, last = await backup();
    assert.equal(last.code, 0, last.err);
    assert.ok(JSON.parse(last.out).written_files < JSON.parse(last.out).files);
    going = false;
    await sender;
    const analyst = await c.signedIn('centre_analyst'), cases = (await analyst.get('/cases')).json.items.length;
    await c.stop();

    const restored = await saqshy(['restore', target, '--data', back, '--quiet']);
    assert.equal(restored.code, 0, restored.err);
    assert.equal((await saqshy(['restore', target, '--data', back, '--quiet'])).code, 2);    // not empty
    const verdict = await saqshy(['verify', '--data', back]);
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
    const twin = { ...c, data: back, configFile: join(back, 'saqshyd.yaml') };
    const daemon = spawn(bin('saqshyd'), ['--config', twin.configFile], { env: { ...process.env, ...c.env }, stdio: 'ignore' });
    const gone = new Promise((done) => daemon.on('exit', done));
    stopTwin = async () => { daemon.kill('SIGTERM'); await gone; };
    await until('the restored node is well', async () => (await c.client().request('GET', '/health')).status === 200, 120);
    twin.events = async (query, ...more) => (await saqshy(['search', query, '--data', back, '--json', ...more], { env: { ...process.env, ...c.env } })).out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    const found = await numbers(twin);
    assert.deepEqual([...new Set(found)], found, 'an event is there twice');
    for (let i = 0; i < sure; i++) assert.ok(found[i] === i, `event ${i} of ${sure} acknowledged ones is lost`);
    assert.equal((await (await c.signedIn('centre_analyst')).get('/cases')).json.items.length, cases);
    assert.ok(await otlp(twin, [`numbered ${10 ** 6} of the test`]));
    await until('it takes new ones', async () => (await numbers(twin)).includes(10 ** 6));
});

test('without keys there are none; a full target is told, leaves the source as it is and the copy before whole', async (t) => {
    const c = await centre({ demo: false, agent: true });
    const place = mkdtempSync(join(tmpdir(), 'saqshy-copy-')), target = join(place, 'disk');
    t.after(async () => { await run('umount', ['-l', target]); await c.remove(); rmSync(place, { recursive: true, force: true }); });
    await c.start();
    await until('it is taken', () => otlp(c, ['numbered 1 of the test']));
    const copy = join(place, 'copy'), made = await saqshy(['backup', copy, '--data', c.data, '--quiet']);
    assert.equal(made.code, 0, made.err);
    const list = readFileSync(join(copy, 'BACKUP'), 'utf8');
    assert.match(list, / desk\/desk\.db\n/);
    assert.match(list, / pki\/ca\.pem\n/);
    assert.doesNotMatch(list, /\.key\n/);
    assert.doesNotMatch(list, / SIGN-IN\n/);
    await run('mkdir', ['-p', target]);
    if ((await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', target])).code !== 0) return t.skip('no right to mount a small file system');
    const full = await saqshy(['backup', target, '--data', c.data, '--quiet']);
    assert.equal(full.code, 2);
    assert.match(full.err, /No space left|full|no room/);
    assert.ok(!existsSync(join(target, 'BACKUP')));
    await run('mount', ['-o', 'remount,size=64m', target]);
    const again = await saqshy(['backup', target, '--data', c.data, '--quiet', '--mib-per-second', '1000']);
    assert.equal(again.code, 0, again.err);
    assert.ok(statSync(join(target, 'BACKUP')).size > 0);
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data]);
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});
