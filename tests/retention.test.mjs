// retention.test.mjs - how long events are kept and what happens when there is no room: the real daemon on a small file system, and with a clock that is moved by years.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smtp } from './lib/smtp.mjs';
import { bin, centre, run, saqshy, sendSyslog, sleep, until, kill9 } from './lib/centre.mjs';

const MIB = 1 << 20, DAY = 86400;
const picture = (c) => JSON.parse(readFileSync(join(c.data, 'run/retention.json'), 'utf8'));
const configure = (c, text) => writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace(/\nretention:[^]*$/, '\n') + text);
/** A file system of its own, under TMPDIR for what is made in it. */
async function small(t, size) {
    const place = mkdtempSync(join(tmpdir(), 'saqshy-small-')), before = process.env.TMPDIR;
    if ((await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', place])).code !== 0) return null;
    process.env.TMPDIR = place;
    t.after(async () => {
        if (before === undefined) delete process.env.TMPDIR; else process.env.TMPDIR = before;
        await run('umount', ['-l', place]);
        rmSync(place, { recursive: true, force: true });
    });
    return place;
}
const free = (path) => { const s = statfsSync(path); return s.bavail * s.bsize; };

/** One OTLP request with the certificate of the first agent. */
function otlp(c, text) {
    const name = readdirSync(join(c.data, 'pki/agents')).find((f) => f.endsWith('.pem')).replace('.pem', '');
    const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: text } }] }] }] });
    return new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port: c.ports.otlp, method: 'POST', path: '/v1/logs', agent: false, ca: c.ca, servername: 'localhost',
            checkServerIdentity: () => undefined, cert: readFileSync(join(c.data, `pki/agents/${name}.pem`)), key: readFileSync(join(c.data, `pki/agents/${name}.key`)),
            headers: { 'Content-Type': 'application/json' } }, (a) => { a.resume(); a.on('end', () => done({ status: a.statusCode, headers: a.headers })); });
        r.on('error', fail);
        r.end(body);
    });
}

test('a full disk: the reserve stays, senders wait or are told to come again, everybody is told, nothing old goes, the desk goes on; with room again all is there, once', async (t) => {
    const place = await small(t, '220m');
    if (!place) return t.skip('no right to mount a small file system');
    const mail = await smtp();
    const c = await centre({ demo: true, agent: true, smtp: mail.port, segmentBytes: MIB, config: 'retention:\n  reserve: 60MiB\n' });
    t.after(async () => { await c.remove(); await mail.stop(); });
    await c.start();
    const admin = await c.signedIn('administrator'), analyst = await c.signedIn('centre_analyst');
    const me = (await admin.get('/users')).json.items.find((u) => u.role === 'administrator');
    const told = await admin.put(`/users/${me.id}`, { name: me.name, role: me.role, org_id: me.org_id, language: 'en', email: 'admin@centre.example', active: true });
    assert.equal(told.status, 200, String(told.bytes));
    await sendSyslog(c.ports.syslog, ['<13>Nov 24 10:00:00 srv app: the oldest line']);
    await until('the oldest line is found', async () => (await c.events('"the oldest line"')).length === 1);
    await until('it is published', () => existsSync(join(c.data, 'run/retention.json')));
    assert.equal(picture(c).space.state, 'ok');
    const filler = join(place, 'filler');
    writeFileSync(filler, Buffer.alloc(free(place) - 85 * MIB));
    const tcp = net.connect(c.ports.syslog, '127.0.0.1');
    const lines = Array.from({ length: 5000 }, (_, i) => `<13>Nov 24 10:00:00 srv app: full ${i} ${randomBytes(9000).toString('base64')}\n`);   // 45 MB as compressed
    tcp.on('error', () => {});
    for (const line of lines) tcp.write(line);
    tcp.end();
    await until('the reserve is touched', () => picture(c).space.state === 'touched', 120);
    const refused = await until('a request is refused', async () => { const a = await otlp(c, 'told to come again'); return a.status === 503 && a; });
    assert.ok(Number(refused.headers['retry-after']) > 0);
    const status = await saqshy(['status', '--data', c.data]), retention = await saqshy(['retention', '--data', c.data]);
    assert.equal(status.code, 1, status.out);
    assert.match(status.out, /TOUCHED, senders are slowed, nothing is removed before its term/);
    assert.equal(retention.code, 1, retention.out);
    assert.match(retention.out, /^full +in 0 days/m);
    const health = await c.client().request('GET', '/health');
    assert.equal(health.status, 503);
    assert.equal(health.json.storage, 'touched');
    await until('the metric tells', async () => /^saqshy_space_state 2$/m.test((await analyst.request('GET', '/metrics')).bytes.toString()));
    assert.match(readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8'), /the reserve of a disk is touched: senders are slowed/);
    await until('the trail knows', async () => (await admin.get('/audit?limit=200')).json.items.some((r) => r.action === 'storage.touched'));
    await until('the administrator has a letter', () => mail.letters.some((l) => l.to.some((x) => x.includes('admin@centre.example'))));
    // The desk goes on, from the reserve.
    const org = (await admin.get('/organisations')).json.items[0].id;
    const letter = await analyst.post('/notices', { kind: 'letter', subject: { kind: 'organisation', id: org }, addressees: [org], title: 'On a full disk', text: 'x' });
    assert.equal(letter.status, 201, String(letter.bytes));
    await sleep(3000);
    assert.ok(free(place) > 30 * MIB, `${free(place)} bytes are left of the reserve`);
    assert.equal((await c.events('"the oldest line"')).length, 1);
    assert.ok((await c.events('app full', '--limit', '10000')).length < 5000);
    unlinkSync(filler);
    await until('there is room again', () => picture(c).space.state === 'ok', 60);
    await until('the request is taken', async () => (await otlp(c, 'came again')).status === 200);
    const all = await until('all came', async () => { const e = await c.events('app full', '--limit', '10000'); return e.length >= 5000 && e; }, 120);
    assert.deepEqual(all.map((e) => Number(/full (\d+) /.exec(e['event.original'])[1])).sort((a, b) => a - b), [...Array(5000).keys()]);
    assert.equal((await c.events('"came again"')).length, 1);
    await until('health', async () => (await c.client().request('GET', '/health')).status === 200);
    assert.equal((await saqshy(['status', '--data', c.data])).code, 0);
    await until('the trail knows of the end', async () => (await admin.get('/audit?limit=200')).json.items.some((r) => r.action === 'storage.room'));
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data]);
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});

test('three years: an event is there on the last day of its term and gone after it; what has a longer term stays', async (t) => {
    const c = await centre({ demo: false, config: 'retention:\n  longer:\n    - {name: kept, filter: "kept", days: 1500}\n' });
    t.after(() => c.remove());
    await c.start();
    await sendSyslog(c.ports.syslog, ['<13>Nov 24 10:00:00 srv app: usual words', '<13>Nov 24 10:00:00 srv app: kept words']);
    await until('both are stored', async () => (await c.events('words')).length === 2);
    const restart = async (days) => { await c.stop(); c.advance(days * DAY); await c.start(); await until('the index has looked', () => existsSync(join(c.data, 'run/retention.json')) && picture(c).at > new Date(c.now() - 600e3).toISOString()); };
    const words = async () => (await c.events('words')).map((e) => /app: (\w+)/.exec(e['event.original'])[1]).sort();
    await restart(1095);
    assert.deepEqual(await words(), ['kept', 'usual']);
    await restart(2);
    await until('the usual one went', async () => (await words()).length === 1);
    assert.deepEqual(await words(), ['kept']);
    assert.ok(picture(c).store.removed.events > 0);
    await restart(410);
    await until('the other one went', async () => (await words()).length === 0);
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data]);
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});

test('a clock that is ahead: two days go in an hour, however often the role index starts', async (t) => {
    const c = await centre({ demo: false });
    t.after(() => c.remove());
    const words = async () => (await c.events('words')).map((e) => /app: (\w+)/.exec(e['event.original'])[1]).sort();
    for (const day of ['one', 'two', 'three', 'four', 'five']) {
        await c.start();
        await sendSyslog(c.ports.syslog, [`<13>Nov 24 10:00:00 srv app: ${day} words`]);
        await until('it is stored', async () => (await words()).includes(day));
        await c.stop();
        c.advance(DAY);
    }
    c.advance(1200 * DAY);
    await c.start();
    await until('two days went', async () => (await words()).length === 3);
    for (let i = 0; i < 3; i++) {
        const before = picture(c).at;
        await c.stop();
        await c.start();
        await until('the index has looked', () => existsSync(join(c.data, 'run/retention.json')) && picture(c).at > before);
        assert.deepEqual(await words(), ['five', 'four', 'three']);
    }
    await c.stop();
    c.advance(3600);
    await c.start();
    await until('two more went', async () => (await words()).length === 1);
    assert.deepEqual(await words(), ['five']);
});

test('the archive: parts that are out of fast reach lie on another disk, portal and command find them there, across kill -9 of the index', async (t) => {
    const away = mkdtempSync(join(tmpdir(), 'saqshy-away-'));
    t.after(() => rmSync(away, { recursive: true, force: true }));
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    configure(c, `\nretention:\n  archive: ${away}\n`);
    await c.start();
    await sendSyslog(c.ports.syslog, ['<13>Nov 24 10:00:00 srv app: words of long ago']);
    await until('it is stored', async () => (await c.events('"words of long ago"')).length === 1);
    await c.stop();
    c.advance(70 * DAY);
    await c.start();
    await until('it has moved', () => picture(c).store.archive?.parts > 0, 90);
    assert.ok(readdirSync(away).some((d) => /^\d{8}$/.test(d)));
    assert.equal((await c.events('"words of long ago"')).length, 1);
    const analyst = await c.signedIn('centre_lead'), found = await analyst.get(`/events?q=${encodeURIComponent('"words of long ago"')}&from=2020-01-01T00:00:00Z&to=2040-01-01T00:00:00Z`);
    assert.equal(found.status, 200, String(found.bytes));
    assert.equal(found.json.items.length, 1);
    const shown = await saqshy(['retention', '--data', c.data]);
    assert.match(shown.out, new RegExp(`^archive .* in ${away}`, 'm'));
    // kill -9 of the index, and again: the state is the one before or after.
    for (let i = 0; i < 3; i++) {
        kill9(await c.running('index'));
        await until('it runs again', async () => (await c.roles()).index.pid > 0);
        assert.equal((await c.events('"words of long ago"')).length, 1);
    }
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data]);
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});

test('a shorter term is refused without a recorded reason, at start and at reload; with one it is told wherever the term is', async (t) => {
    const c = await centre({ demo: false });
    t.after(() => c.remove());
    await c.start();
    configure(c, '\nretention:\n  days: 30\n');
    const check = await run(bin('saqshyd'), ['--check', '--config', c.configFile]);
    assert.equal(check.code, 2);
    assert.match(check.err, /least terms are 1096 and 62.*needs "retention.reason", "retention.decided_by" and "retention.decided_on"/);
    const refused = await saqshy(['reload', '--data', c.data]);
    assert.notEqual(refused.code, 0);
    await until('it is published', () => existsSync(join(c.data, 'run/retention.json')));
    assert.equal(picture(c).terms.days, 1096);
    configure(c, '\nretention:\n  days: 30\n  reason: a test stand\n  decided_by: A. Head\n  decided_on: 2026-03-01\n');
    const taken = await saqshy(['reload', '--data', c.data]);
    assert.equal(taken.code, 0, taken.err);
    await until('the new term is in force', () => picture(c).terms.days === 30);
    assert.match((await saqshy(['retention', '--data', c.data])).out, /^SHORTER +by decision of A\. Head on 2026-03-01: a test stand$/m);
    assert.match((await saqshy(['status', '--data', c.data])).out, /kept for 30 days only, by decision of A\. Head on 2026-03-01: a test stand/);
    await until('the security log has it', () => readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8').split('\n').some((l) => l.includes('by a recorded decision') && l.includes('"saqshy.class":"sec"') && l.includes('a test stand')));
    const admin = await c.signedIn('administrator');
    await until('the trail has it', async () => (await admin.get('/audit?limit=200')).json.items.some((r) => r.action === 'storage.terms_shorter' && /days 30.*A\. Head/.test(r.detail)));
});
