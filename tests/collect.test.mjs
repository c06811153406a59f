// collect.test.mjs - from a line in a file, a datagram or a stream to an event in the journal, with the real agent and the real ingest
// role: each line once, whatever is killed, rotated, cut or refused on the way.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import dgram from 'node:dgram';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, freePort, run, sleep, until } from './lib/centre.mjs';

const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' };

/** A data directory with certificates, an ingest role and an agent a1, both not yet started. */
class Place {
    static async make(settings = {}) {
        const p = new Place();
        p.data = mkdtempSync(join(tmpdir(), 'saqshy-collect-'));
        for (const f of ['run', 'log', 'journal', 'logs']) mkdirSync(join(p.data, f));
        p.otlp = await freePort();
        p.logs = join(p.data, 'logs');
        writeFileSync(join(p.data, 'saqshyd.yaml'), `node: centre\ndata: ${p.data}\ningest:\n  syslog_udp: "127.0.0.1:0"\n  syslog_tcp: "127.0.0.1:0"\n  otlp: "${settings.limits ? '' : `127.0.0.1:${p.otlp}`}"\n` +
            (settings.limits ? `  listeners:\n    - { id: agents, kind: otlp, address: "127.0.0.1:${p.otlp}", limits: ${settings.limits} }\n` : '') +
            `journal:\n  segment_bytes: ${settings.segmentBytes ?? 1048576}\n`);
        writeFileSync(join(p.data, 'agent.yaml'), `id: a1\nstate: ${p.data}/agent\nserver:\n  url: "https://127.0.0.1:${p.otlp}"\n  ca: ${p.data}/pki/ca.pem\n` +
            `  cert: ${p.data}/pki/agents/a1.pem\n  key: ${p.data}/pki/agents/a1.key\ninputs: none\nlistening_ports: ${settings.ports ?? false}\nfiles:\n  - path: ${p.logs}/*.log\n`);
        const made = await run(bin('src/pki/pki-make'), [join(p.data, 'pki'), 'a1']);
        assert.equal(made.code, 0, made.err);
        return p;
    }
    start(program, args) {
        const out = openSync(join(this.data, 'story.txt'), 'a');
        const child = spawn(program.startsWith('/') ? program : bin(program), args, { stdio: ['ignore', out, out], env });
        child.ended = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
        closeSync(out);
        return child;
    }
    async startIngest() {
        rmSync(join(this.data, 'run/ingest.json'), { force: true });
        this.ingest = this.start('saqshyd', ['--config', join(this.data, 'saqshyd.yaml'), '--role', 'ingest']);
        await until('ingest listens', () => existsSync(join(this.data, 'run/ingest.json')));
        this.ports = JSON.parse(readFileSync(join(this.data, 'run/ingest.json'), 'utf8'));
    }
    startAgent() { this.agent = this.start('saqshy-agent', ['--config', join(this.data, 'agent.yaml')]); }
    async end(name, signal = 'SIGTERM') {
        const child = this[name];
        if (!child) return undefined;
        this[name] = null;
        child.kill(signal);
        return child.ended;
    }
    async events() {
        const r = await run(bin('src/ingest/journal-dump'), [join(this.data, 'journal')]);
        return r.out.split('\n').filter(Boolean).map((line) => { const o = JSON.parse(line); return { origin: o.origin, number: o.number, ...o.event }; });
    }
    /** Wait until the journal has so many events that pass, and give those. */
    async wait(count, pass = () => true, seconds = 60) {
        let seen = [];
        try {
            await until('', async () => (seen = (await this.events()).filter(pass)).length >= count, seconds);
        } catch { throw new Error(`only ${seen.length} of ${count} events came\n${this.story()}`); }
        return seen;
    }
    story() { try { return readFileSync(join(this.data, 'story.txt'), 'utf8').slice(-6000); } catch { return ''; } }
    metrics() {
        const sums = {};
        for (const line of readFileSync(join(this.data, 'run/metrics-ingest.prom'), 'utf8').split('\n')) {
            const m = /^(\w+)(?:\{\w+="(\w+)"\})? (\d+)$/.exec(line);
            if (m) { sums[m[1]] = (sums[m[1]] ?? 0) + Number(m[3]); if (m[2]) sums[`${m[1]} ${m[2]}`] = Number(m[3]); }
        }
        return sums;
    }
    async close() {
        await this.end('agent', 'SIGKILL');
        await this.end('ingest', 'SIGKILL');
        await this.end('journald', 'SIGKILL');
        if (this.mounted) await run('umount', ['-l', this.mounted]);
        rmSync(this.data, { recursive: true, force: true });
    }
    post(body, headers = {}, cert = 'a1') {
        return new Promise((done, fail) => {
            const pki = join(this.data, 'pki');
            const r = https.request({ host: '127.0.0.1', port: this.otlp, path: '/v1/logs', method: 'POST', agent: false, ca: readFileSync(join(pki, 'ca.pem')),
                ...(cert ? { cert: readFileSync(join(pki, `agents/${cert}.pem`)), key: readFileSync(join(pki, `agents/${cert}.key`)) } : {}),
                headers: { 'Content-Type': 'application/x-protobuf', 'Content-Length': body.length, ...headers } }, (a) => {
                const parts = [];
                a.on('data', (d) => parts.push(d));
                a.on('end', () => done({ status: a.statusCode, headers: a.headers, text: Buffer.concat(parts).toString('latin1') }));
            });
            r.on('error', fail);
            r.setTimeout(20000, () => r.destroy(new Error('no answer in 20 s')));
            r.end(body);
        });
    }
}

// A small OTLP writer, independent of the agent's: what any other client would send.
const varint = (n) => { const b = []; for (n = BigInt(n); n > 127n; n >>= 7n) b.push(Number(n & 127n) | 128); b.push(Number(n)); return Buffer.from(b); };
const bytes = (number, v) => { const b = Buffer.from(v); return Buffer.concat([varint(number << 3 | 2), varint(b.length), b]); };
const fixed64 = (number, v) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(v)); return Buffer.concat([varint(number << 3 | 1), b]); };
const attr = (number, key, value) => bytes(number, Buffer.concat([bytes(1, key), bytes(2, value)]));
const text = (v) => bytes(1, v);
const record = (body, ...more) => bytes(2, Buffer.concat([bytes(5, body), ...more]));
const request = (resource, ...records) => bytes(1, Buffer.concat([bytes(1, Buffer.concat(resource)), bytes(2, Buffer.concat(records))]));

const place = async (t, settings) => { const p = await Place.make(settings); t.after(() => p.close()); return p; };
const assertCleanEnd = (r, story = '') => assert.deepEqual(r, { code: 0, signal: null }, story ? `it did not end well:\n${story}` : undefined);

test('R-12-05 syslog by UDP and TCP, both framings, over-long, binary and odd lines: all stored, counted, and the sums balance', async (t) => {
    const p = await place(t);
    await p.startIngest();
    const udp = dgram.createSocket('udp4');
    for (let i = 0; i < 100; i++) await new Promise((done) => udp.send(`<34>Nov 24 10:00:00 srv sshd[7]: udp line ${i}\n`, p.ports.syslog_udp, '127.0.0.1', done));
    await new Promise((done) => udp.send('', p.ports.syslog_udp, '127.0.0.1', done));
    udp.close();
    const tcp = net.connect(p.ports.syslog_tcp, '127.0.0.1');
    const counted = (s) => `${Buffer.byteLength(s)} ${s}`;
    for (let i = 0; i < 1000; i++) tcp.write(i % 2 ? `<34>Nov 24 10:00:00 srv sshd[7]: tcp line ${i}\n` : counted(`<34>1 2026-11-24T10:00:00Z srv app ${i} - - tcp line ${i}`));
    tcp.write(counted('<34>1 2026-11-24T10:00:00Z srv app - - - two\nlines in one'));
    tcp.write(`<13>${'A'.repeat(1500000)}\n`);
    tcp.write('2026 was a good year\n');
    tcp.write(Buffer.from([0xff, 0xfe, 0x00, 0x01, 0x41, 0x0a]));
    tcp.write('<34>1 2099-01-01T00:00:00Z srv app - - - from the future\n');
    tcp.end('the last line has no end');
    const all = await p.wait(1107);
    assert.equal(all.length, 1107);
    const originals = all.map((e) => e['event.original']);
    for (let i = 0; i < 1000; i++) assert.equal(originals.filter((o) => o.endsWith(`tcp line ${i}`)).length, 1);
    assert.ok(originals.includes('2026 was a good year') && originals.includes('the last line has no end'));
    assert.ok(originals.some((o) => o.endsWith('two\nlines in one')));
    const marked = (m) => all.filter((e) => (e['saqshy.marks'] ?? []).includes(m));
    assert.deepEqual(marked('truncated').map((e) => e['event.original'].length), [1048576, 1500004 - 1048576]);
    assert.equal(marked('future').length, 1);
    assert.equal(marked('not_utf8').length, 1);
    assertCleanEnd(await p.end('ingest'));
    const m = p.metrics();
    assert.equal(m.saqshy_ingest_read_total, 1108);
    assert.equal(m.saqshy_ingest_events_total, 1107);
    assert.equal(m['saqshy_ingest_refused_total empty'], 1);
    assert.equal(m.saqshy_ingest_waiting, 0);
    const sources = JSON.parse(readFileSync(join(p.data, 'run/sources.json'), 'utf8'));
    assert.equal(sources.find((s) => s.id === 'srv').events, 1102);
});

test('R-10.1-04 an agent ships files that exist, grow, come later, are renamed, copied and cut: each line once, in order', async (t) => {
    const p = await place(t);
    const log = join(p.logs, 'app.log');
    let n = 0;
    const want = [];
    const write = (file, count) => { for (let i = 0; i < count; i++) { const line = `line ${n++} of the test`; want.push(line); appendFileSync(file, `${line}\n`); } };
    write(log, 50);
    writeFileSync(join(p.data, 'run/objects.tsv'), `${(await run('hostname', [])).out.trim()}\tobject-7\n`);
    await p.startIngest();
    p.startAgent();
    await p.wait(50);
    write(log, 10);
    renameSync(log, `${log}.1`);
    write(`${log}.1`, 5);                                    // the writer still holds the old file
    write(log, 10);
    write(join(p.logs, 'later.log'), 7);
    await p.wait(82);
    renameSync(`${log}.1`, `${log}.2`);
    renameSync(log, `${log}.1`);
    write(log, 10);                                          // twice, quickly: the one between may never be seen under its first name
    renameSync(`${log}.1`, `${log}.3`);
    renameSync(log, `${log}.1`);
    write(log, 10);
    await p.wait(102);
    copyFileSync(log, `${log}.copy`);
    truncateSync(log, 0);
    write(log, 3);
    await p.wait(105);
    // The agent is away while more happens.
    assertCleanEnd(await p.end('agent'));
    write(log, 4);
    renameSync(log, `${log}.4`);
    write(log, 4);
    renameSync(log, `${log}.5`);
    write(log, 4);
    p.startAgent();
    await p.wait(117);
    // Cut while we are away, with lines unread: they are in the copy.
    assertCleanEnd(await p.end('agent'));
    write(log, 6);
    copyFileSync(log, `${log}.6`);
    truncateSync(log, 0);
    write(log, 2);
    p.startAgent();
    const all = await p.wait(125);
    assert.deepEqual([...all.map((e) => e['event.original'])].sort(), [...want].sort());
    const of = all.filter((e) => e['log.file.path'] === log).map((e) => Number(/\d+/.exec(e['event.original'])[0]));
    assert.deepEqual(of.filter((x) => x >= 82), [...of.filter((x) => x >= 82)].sort((a, b) => a - b));
    assert.equal(all[0].origin, 'a1');
    assert.equal(all[0]['saqshy.source'], `a1${log}`);
    assert.equal(all[0]['saqshy.object'], 'object-7');
    assertCleanEnd(await p.end('agent'));
    assertCleanEnd(await p.end('ingest'));
    assert.equal(p.metrics()['saqshy_ingest_events_total otlp'], 125);
});

test('partial, binary and over-long lines of a file, and an outage of the collector', async (t) => {
    const p = await place(t);
    const log = join(p.logs, 'odd.log');
    writeFileSync(log, Buffer.concat([Buffer.from('first\n\n\r\n'), Buffer.from([0x80, 0x81, 0x0a]), Buffer.from(`${'B'.repeat(2500000)}\nno end`)]));
    p.startAgent();                                          // nobody answers yet
    await until('a batch waits in the spool', () => existsSync(join(p.data, 'agent/spool/batch')));
    assert.equal(statSync(join(p.data, 'agent')).mode & 0o777, 0o700);
    for (const f of ['spool/batch', 'spool.key']) assert.equal(statSync(join(p.data, 'agent', f)).mode & 0o777, 0o600);
    assert.ok(!readFileSync(join(p.data, 'agent/spool/batch')).includes('first'));
    assertCleanEnd(await p.end('agent'));
    p.startAgent();
    await p.startIngest();
    const all = await p.wait(6);
    assert.deepEqual(all.map((e) => e['event.original'].length), [5, 6, 1048576, 1048576, 2500000 - 2 * 1048576, 6].map((x, i) => (i === 1 ? all[1]['event.original'].length : x)));
    assert.equal(all[5]['event.original'], 'no end');
    assert.deepEqual(all.map((e) => (e['saqshy.marks'] ?? []).includes('truncated')), [false, false, true, true, true, false]);
    assert.ok(all[1]['saqshy.marks'].includes('not_utf8'));
    assertCleanEnd(await p.end('agent'));
    assertCleanEnd(await p.end('ingest'));
});

test('a state folder that is lost or old never makes the collector take new lines for repeated ones', async (t) => {
    const p = await place(t);
    const log = join(p.logs, 'app.log');
    await p.startIngest();
    writeFileSync(log, 'one\n');
    p.startAgent();
    await p.wait(1);
    await p.end('agent', 'SIGKILL');
    rmSync(join(p.data, 'agent'), { recursive: true });
    unlinkSync(log);
    writeFileSync(log, 'two\n');
    p.startAgent();
    await p.wait(2);
    await p.end('agent');
    // As if our clock had been far ahead once: the collector holds a number that we would reach in years.
    const far = (BigInt(Date.now()) + 10n ** 12n) * 1000000n;
    assert.equal((await p.post(request([], record(text('from the future clock'))), { 'Saqshy-Batch': String(far) })).status, 200);
    appendFileSync(log, 'three\n');
    p.startAgent();
    const all = await p.wait(4);
    assert.deepEqual(all.map((e) => e['event.original']), ['one', 'two', 'from the future clock', 'three']);
    assert.equal(all[3].number, String(far + 1n));
});

test('a number that leaves no room above it is refused: whoever had the key of a name for a while cannot end its numbering', async (t) => {
    const p = await place(t), body = (what) => request([], record(text(what)));
    await p.startIngest();
    const top = await p.post(body('never'), { 'Saqshy-Batch': String(2n ** 64n - 1n) });
    assert.equal(top.status, 400);
    assert.match(top.text, /too far above/);
    // What may be reached leaves room: the agent goes on from there.
    const most = 2n ** 63n - 1n;
    assert.equal((await p.post(body('far'), { 'Saqshy-Batch': String(most) })).status, 200);
    assert.equal((await p.post(body('next'), { 'Saqshy-Batch': String(most + 1n) })).status, 200);
    writeFileSync(join(p.logs, 'app.log'), 'one\n');
    p.startAgent();
    const all = await p.wait(3);
    assert.deepEqual(all.map((e) => e['event.original']), ['far', 'next', 'one']);
    assert.equal(all[2].number, String(most + 2n));
});

test('lines with more names of fields than a frame can hold cost their fields, not the lines beside them', async (t) => {
    const p = await place(t);
    const noise = [];
    for (let i = 0; i < 180; i++) noise.push(Array.from({ length: 390 }, (_, k) => `k${i * 390 + k}=1`).join(' '));
    writeFileSync(join(p.logs, 'a.log'), `${['Nov 24 10:00:00 srv sshd[7]: Accepted password for root from 203.0.113.9 port 4 ssh2', ...noise].join('\n')}\n`);
    await p.startIngest();
    p.startAgent();
    const seen = await p.wait(181);
    assert.equal(seen.length, 181);
    assert.ok(seen.every((e) => e['host.name']));
    assert.equal(readdirSync(join(p.data, 'agent/spool')).filter((n) => n.startsWith('refused')).length, 0);
});

test('any OTLP client with a certificate may send; broken bytes, bombs and strangers are refused with a reason', async (t) => {
    const p = await place(t);
    await p.startIngest();
    const when = 1795514400000000000n;
    const good = request([attr(1, 'host.name', text('db-1')), attr(1, 'service.name', text('billing'))],
        record(text('hello from elsewhere'), fixed64(1, when), attr(6, 'http.request.method', text('GET')), attr(6, 'saqshy.object', text('stolen')), bytes(3, 'WARN')),
        record(bytes(6, Buffer.concat([attr(1, 'user', text('kim')), attr(1, 'n', Buffer.concat([varint(3 << 3), varint(7)]))]))));
    assert.equal((await p.post(good)).status, 200);
    assert.equal((await p.post(gzipSync(good), { 'Content-Encoding': 'gzip' })).status, 200);
    const again = await p.post(good, { 'Saqshy-Batch': '5' });
    assert.equal(again.headers['saqshy-stored'], '5');
    assert.equal((await p.post(good, { 'Saqshy-Batch': '5' })).headers['saqshy-repeated'], '5');
    assert.equal((await p.post(good, { 'Saqshy-Batch': '4' })).headers['saqshy-repeated'], '5');
    assert.equal((await p.post(Buffer.alloc(0))).status, 200);
    for (const [body, headers, status, reason] of [
        [good.subarray(0, good.length - 3), {}, 400, /bytes/],
        [Buffer.from('resourceLogs'), { 'Content-Type': 'text/plain' }, 415, /protobuf or application\/json/],
        [good, { 'Content-Encoding': 'br' }, 415, /gzip, zstd/],
        [good, { 'Content-Encoding': 'zstd' }, 400, /zstd/],
        [good, { 'Content-Encoding': 'gzip' }, 400, /gzip/],
        [gzipSync(Buffer.alloc(40 << 20)), { 'Content-Encoding': 'gzip' }, 413, /larger/],
        [good, { 'Saqshy-Batch': 'x' }, 400, /number/],
        [bytes(1, bytes(2, Buffer.concat(Array(65537).fill(record(text(''))))), {}), {}, 413, /65536/],
    ]) {
        const a = await p.post(body, headers);
        assert.equal(a.status, status);
        assert.match(a.text, reason);
    }
    await assert.rejects(p.post(good, {}, null));            // no certificate: the handshake fails
    const long = 'x'.repeat(2_500_000);
    assert.equal((await p.post(request([attr(1, 'host.name', text('db-2'))], record(text(long))))).status, 200);
    const pieces = (await p.events()).filter((e) => e['host.name'] === 'db-2');
    assert.deepEqual(pieces.map((e) => [e['event.original'].length, e['saqshy.marks'].includes('truncated')]), [[1048576, true], [1048576, true], [2_500_000 - 2097152, true]]);
    assert.equal(pieces.map((e) => e['event.original']).join(''), long);
    const all = (await p.events()).filter((e) => e['host.name'] !== 'db-2');
    assert.equal(all.length, 6);
    assert.equal(all[0]['event.original'], 'hello from elsewhere');
    assert.equal(all[0]['host.name'], 'db-1');
    assert.equal(all[0]['@timestamp'], '2026-11-24T10:00:00Z');
    assert.equal(all[0]['http.request.method'], 'GET');
    assert.equal(all[0]['saqshy.object'] ?? '', '');
    assert.equal(all[1]['event.original'], '{"user":"kim","n":7}');
    assertCleanEnd(await p.end('ingest'));
    const m = p.metrics();
    assert.equal(m.saqshy_ingest_read_total, m.saqshy_ingest_events_total + m.saqshy_ingest_refused_total);
    assert.equal(m['saqshy_ingest_refused_total repeated'], 4);
});

test('an agent speaks for the object of its certificate alone; no line passes for the source of an agent', async (t) => {
    const p = await place(t);
    writeFileSync(join(p.data, 'run/objects.tsv'), 'a1\tobject-1\nvictim\tobject-2\n');
    await p.startIngest();
    const lie = request([attr(1, 'host.name', text('victim'))], record(text('Nov 24 10:00:00 victim sshd[7]: Failed password for root from 203.0.113.9 port 22 ssh2')));
    assert.equal((await p.post(lie)).status, 200);
    const tcp = net.connect(p.ports.syslog_tcp, '127.0.0.1');
    for (const host of ['victim', 'a1/var/log/auth.log', 'saqshyd']) tcp.write(`<13>Nov 24 10:00:00 ${host} app: from syslog\n`);
    tcp.end();
    const all = await p.wait(4);
    assert.deepEqual(all.map((e) => [e['saqshy.source'], e['saqshy.object'] ?? '']).sort(),
        [['127.0.0.1', ''], ['127.0.0.1', ''], [all.find((e) => e['saqshy.object'] === 'object-1')['saqshy.source'], 'object-1'], ['victim', 'object-2']].sort());
    assertCleanEnd(await p.end('ingest'));
});

test('a crowd without certificates is sent away and leaves room for agents', async (t) => {
    const p = await place(t, { limits: '{ connections: 100, peer_connections: 1000 }' });
    await p.startIngest();
    const listener = () => JSON.parse(readFileSync(join(p.data, 'run/ingest.json'), 'utf8')).listeners.find((l) => l.id === 'agents');
    let gone = 0;
    const crowd = Array.from({ length: 300 }, () => net.connect(p.otlp, '127.0.0.1').on('close', () => gone++).on('error', () => {}).resume());
    t.after(() => crowd.forEach((c) => c.destroy()));
    await until('the places are taken', () => listener().connections === 100);
    const good = request([], record(text('an agent all the same')));
    await until('an agent is heard', async () => (await p.post(good).catch(() => ({}))).status === 200, 90);
    await until('all are sent away', () => gone === 300, 90);   // none was forgotten by the kernel's queue
    await until('it is counted', () => listener().turned_away.handshake >= 300);
    await p.wait(1);
    const end = await p.end('ingest');
    assertCleanEnd(end, end.code === 0 ? '' : p.story());
});

test('a full disk: streams wait, requests are told to come again, and nothing is lost or doubled when there is room', async (t) => {
    const p = await place(t);
    const journal = join(p.data, 'journal');
    if ((await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', journal])).code !== 0) return t.skip('no right to mount a small file system');
    p.mounted = journal;
    writeFileSync(join(journal, 'filler'), Buffer.alloc(5 << 20));
    await p.startIngest();
    const tcp = net.connect(p.ports.syslog_tcp, '127.0.0.1');
    const lines = Array.from({ length: 600 }, (_, i) => `<13>full ${i} ${randomBytes(9000).toString('base64')}\n`);   // 5.4 MB as compressed
    for (const line of lines) tcp.write(line);
    tcp.end();
    const good = request([], record(text('told to come again')));
    const refused = await until('a request is refused', async () => { const a = await p.post(good, { 'Saqshy-Batch': '1' }); return a.status === 503 && a; });
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.ok((await p.events()).length < 600);
    unlinkSync(join(journal, 'filler'));
    await until('there is room again', async () => (await p.post(good, { 'Saqshy-Batch': '1' })).status === 200);
    const all = await p.wait(601);
    assert.deepEqual(all.map((e) => /full (\d+) |come again/.exec(e['event.original'])[1] ?? 'r').filter((x) => x !== 'r').map(Number), [...Array(600).keys()]);
    assertCleanEnd(await p.end('ingest'));
    const m = p.metrics();
    assert.equal(m['saqshy_ingest_events_total syslog_tcp'], 600);
    assert.equal(m.saqshy_ingest_waiting, 0);
});

test('a sender faster than the journal is slowed down, not cut off: the queue has a bound', async (t) => {
    const p = await place(t, { segmentBytes: 67108864 });
    await p.startIngest();
    p.ingest.kill('SIGSTOP');                                // the kernel's buffers fill, then ours
    const tcp = net.connect(p.ports.syslog_tcp, '127.0.0.1');
    const chunk = Array.from({ length: 500 }, (_, i) => `<13>Nov 24 10:00:00 srv app: slow ${i} ${'y'.repeat(1000)}\n`).join('');
    let sent = 0;
    p.ingest.kill('SIGCONT');
    while (sent < 100) { sent++; if (!tcp.write(chunk)) await new Promise((done) => tcp.once('drain', done)); }
    tcp.end();
    await until('all is stored', async () => { await sleep(300); return p.metrics()['saqshy_ingest_events_total syslog_tcp'] === 50000; }, 90);
    assertCleanEnd(await p.end('ingest'));
    assert.equal((await p.events()).length, 50000);
});

test('our own log becomes events, each line once, across rotation and kill -9', async (t) => {
    const p = await place(t);
    const own = join(p.data, 'log/saqshyd.jsonl');
    let n = 0;
    const write = (count, cls = 'app') => { for (let i = 0; i < count; i++) appendFileSync(own, `{"@timestamp":"2026-11-24T10:00:00Z","log.level":"info","saqshy.class":"${cls}","message":"own line ${n++}"}\n`); };
    const ours = (e) => e['saqshy.source'] === 'saqshyd';
    write(20);
    await p.startIngest();
    write(20, 'sec');
    await p.wait(40, ours);
    await p.end('ingest', 'SIGKILL');
    write(5);
    renameSync(own, `${own}.1`);
    write(5);
    await p.startIngest();
    await p.wait(50, ours);
    renameSync(own, `${own}.1`);
    write(5);
    const all = await p.wait(55, ours);
    assert.deepEqual(all.map((e) => /own line (\d+)/.exec(e['event.original'])[1]).map(Number), [...Array(55).keys()]);
    assert.equal(all.filter((e) => e['saqshy.class'] === 'sec').length, 20);
    assert.equal(all.filter((e) => e['saqshy.class'] === 'app').length, 35);
});

test('the journal of systemd is read by cursor: each entry once, across kill -9 of the agent', async (t) => {
    const p = await place(t), daemon = '/lib/systemd/systemd-journald';
    if (!existsSync(daemon) || (await run('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/run'])).code !== 0) return t.skip('no systemd-journald here, or no right to give it a /run of its own');
    p.journald = p.start('/usr/bin/unshare', ['-m', 'bash', '-c', `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal && exec ${daemon}`]);
    const inside = (...args) => ['-t', String(p.journald.pid), '-m', ...args];
    await until('journald listens', async () => (await run('nsenter', inside('test', '-S', '/run/systemd/journal/dev-log'))).code === 0);
    const say = async (i) => assert.equal((await run('nsenter', inside('logger', '-u', '/run/systemd/journal/dev-log', '-t', 'sshd[77]', `Failed password for root from 203.0.113.${i} port 22 ssh2`))).code, 0);
    const config = join(p.data, 'agent.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('inputs: none', 'inputs: journald'));
    const startAgent = () => { p.agent = p.start('/usr/bin/nsenter', inside(bin('saqshy-agent'), '--config', config)); };
    const ours = (e) => e['event.original'].includes('203.0.113.');
    await p.startIngest();
    for (let i = 1; i <= 3; i++) await say(i);
    startAgent();
    await p.wait(3, ours);
    await say(4);
    await p.wait(4, ours);
    await p.end('agent', 'SIGKILL');
    await say(5);
    startAgent();
    const all = await p.wait(5, ours);
    assert.deepEqual(all.map((e) => e['source.ip']), [1, 2, 3, 4, 5].map((i) => `203.0.113.${i}`));
    assert.ok(all.every((e) => e['saqshy.source'] === 'a1/sshd' && e['process.pid'] && e['saqshy.parser'] === 'sshd' && !e['saqshy.marks']));
    assertCleanEnd(await p.end('agent'));
});

test('a new listening port gives a line; those that were there give none', async (t) => {
    const p = await place(t, { ports: true });
    await p.startIngest();
    p.startAgent();
    await until('the baseline is kept', () => existsSync(join(p.data, 'agent/state')));
    const server = net.createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address();
    const [line] = await p.wait(1, (e) => e['event.original'].includes(`port=${port} `));
    assert.match(line['event.original'], new RegExp(`^new listening port proto=tcp address=127.0.0.1 port=${port} process=\\S+ pid=${process.pid} user=\\S+$`));
    assert.equal(line['saqshy.source'], 'a1/saqshy-agent');
    assert.equal((await p.events()).filter((e) => e['event.original'].includes(`port=${p.otlp} `)).length, 0);
});

test('ten rounds of kill -9 of agent and ingest while a rotating file grows: every line once', async (t) => {
    const p = await place(t, { segmentBytes: 65536 });
    const log = join(p.logs, 'busy.log');
    let fd = openSync(log, 'a'), n = 0, inFile = 0;
    const writeSome = (count) => {
        let s = '';
        for (let i = 0; i < count; i++) s += `Nov 24 10:00:00 srv app[${process.pid}]: busy line ${n++} ${'x'.repeat(n % 300)}\n`;
        writeSync(fd, s);
        inFile += count;
        if (inFile > 4000) {                                 // rotate as logrotate does: .1 → .2 → … → .9
            closeSync(fd);
            for (let i = 9; i >= 1; i--) if (existsSync(`${log}.${i}`)) renameSync(`${log}.${i}`, `${log}.${i + 1}`);
            renameSync(log, `${log}.1`);
            fd = openSync(log, 'a');
            inFile = 0;
        }
    };
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    await p.startIngest();
    p.startAgent();
    for (let round = 0; round < 10; round++) {
        for (let i = 0, m = 10 + Math.floor(random() * 15); i < m; i++) { writeSome(1 + Math.floor(random() * 200)); await sleep(20); }
        const who = round % 2 ? 'agent' : 'ingest';
        await p.end(who, 'SIGKILL');
        writeSome(1 + Math.floor(random() * 200));
        if (who === 'agent') p.startAgent();
        else await p.startIngest();
    }
    closeSync(fd);
    const all = await p.wait(n, () => true, 120);
    const seen = all.map((e) => Number(/busy line (\d+)/.exec(e['event.original'])[1])).sort((a, b) => a - b);
    assert.equal(seen.length, n);
    seen.forEach((x, i) => assert.equal(x, i));
    assertCleanEnd(await p.end('agent'));
    assertCleanEnd(await p.end('ingest'));
});
