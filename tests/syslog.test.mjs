// syslog.test.mjs - syslog as devices and servers send it, over UDP, TCP and TLS: the examples of the manual with real senders, who speaks for whom,
// certificates that change, limits that slow and never drop, and a configuration that changes while connections stand.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import dgram from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';
import { join } from 'node:path';
import { bin, root, run, saqshy, sleep, until, kill9 } from './lib/centre.mjs';
import { collector, example } from './lib/collector.mjs';

const have = (program) => ['/usr/sbin/', '/usr/bin/', '/sbin/', '/bin/'].some((d) => existsSync(d + program));
const local = (text) => text.replaceAll(/"(0\.0\.0\.0|127\.0\.0\.1):\d+"/g, '"127.0.0.1:0"');
/** The settings below ingest: of an example of the manual, at free ports of this host. */
const section = (page, n) => local(example(page, 'yaml', n)).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '');
const line = (host, text, n = '-') => `<13>1 2026-11-27T10:00:00Z ${host} app 7 ${n} - ${text}`;

function dial(c, port, cert, options = {}) {
    return new Promise((done, fail) => {
        const s = tls.connect({ host: '127.0.0.1', port, ca: readFileSync(join(c.pki, 'ca.pem')), servername: 'localhost',
            ...(cert ? { cert: readFileSync(join(c.pki, `agents/${cert}.pem`)), key: readFileSync(join(c.pki, `agents/${cert}.key`)) } : {}), ...options });
        s.once('secureConnect', () => done(s));
        s.once('error', fail);
        s.on('close', () => (s.over = true));
    });
}
const plain = (port) => new Promise((done, fail) => { const s = net.connect(port, '127.0.0.1', () => done(s)); s.once('error', fail); s.on('close', () => (s.over = true)); });
const write = (s, text) => new Promise((done) => s.write(text, done));

/** Run the real rsyslogd until the events are there: it follows a file and forwards its lines by the action of the manual. */
async function rsyslog(t, c, name, action, lines) {
    const dir = join(c.data, name), input = join(dir, 'in.log');
    mkdirSync(dir);
    writeFileSync(input, '');
    writeFileSync(join(dir, 'rsyslog.conf'), `${action.match(/^global\([^]*?"\)\n/m)?.[0].replace(/\)\n$/, ` workDirectory="${dir}")\n`) ?? `global(workDirectory="${dir}")\n`}` +
        `module(load="imfile" mode="inotify")\ninput(type="imfile" File="${input}" Tag="story")\n${action.replace(/^global\([^]*?"\)\n/m, '')}`);
    const r = spawn('/usr/sbin/rsyslogd', ['-n', '-i', join(dir, 'pid'), '-f', join(dir, 'rsyslog.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    r.stderr.on('data', (d) => (said += d));
    r.stdout.on('data', (d) => (said += d));
    const ended = new Promise((done) => r.on('exit', done));
    t.after(async () => { r.kill('SIGKILL'); await ended; });
    await sleep(500);
    writeFileSync(input, lines.map((l) => l + '\n').join(''), { flag: 'a' });
    try { return await c.wait(lines.length, (e) => /^story line/.test(e.message)); } catch (e) { throw new Error(`${e.message}\nrsyslog: ${said}`); }
}

test('R-12-05 the examples of syslog over TCP and UDP hold: a real rsyslog and logger deliver', async (t) => {
    const c = await collector(t, section('syslog-tcp.md') + section('syslog-udp.md'));
    const sent = await run('logger', ['--server', '127.0.0.1', '--udp', '--port', String(c.ports.syslog_udp), '--rfc5424', 'hello by logger']);
    assert.equal(sent.code, 0, sent.err);
    await c.wait(1, (e) => /hello by logger/.test(e['event.original']));
    if (!have('rsyslogd')) { t.diagnostic('rsyslogd is not there: not tried'); return; }
    const lines = Array.from({ length: 500 }, (_, i) => `story line ${i} of Алматы`);
    const action = example('syslog-tcp.md', 'rsyslog').replace('collector.example.kz', '127.0.0.1').replace('5514', String(c.ports.syslog_tcp));
    const seen = await rsyslog(t, c, 'rsyslog', action, lines);
    assert.deepEqual(seen.map((e) => e.message), lines);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 the examples of syslog over TLS hold: a real rsyslog with a certificate, and openssl by hand', async (t) => {
    const c = await collector(t, section('syslog-tls.md'), { agents: ['srv-1'] });
    const files = { 'ca.pem': join(c.pki, 'ca.pem'), 'srv-1.pem': join(c.pki, 'agents/srv-1.pem'), 'srv-1.key': join(c.pki, 'agents/srv-1.key') };
    const byHand = await run('openssl', ['s_client', '-quiet', '-no_ign_eof', '-connect', `127.0.0.1:${c.ports.syslog_tls}`, '-CAfile', files['ca.pem'], '-cert', files['srv-1.pem'], '-key', files['srv-1.key']],
        { input: line('srv-1', 'hello over TLS') + '\n' });
    assert.equal(byHand.code, 0, byHand.err);
    const [hello] = await c.wait(1, (e) => e.message === 'hello over TLS');
    assert.equal(hello['tls.client.x509.subject.common_name'], 'srv-1');
    assert.equal(hello['saqshy.source'], 'srv-1');
    if (!have('rsyslogd')) { t.diagnostic('rsyslogd is not there: not tried'); return; }
    let action = example('syslog-tls.md', 'rsyslog').replace('collector.example.kz', '127.0.0.1').replace('"6514"', `"${c.ports.syslog_tls}"`);
    for (const [name, path] of Object.entries(files)) action = action.replaceAll(`/etc/saqshy/${name}`, path);
    const lines = Array.from({ length: 500 }, (_, i) => `story line ${i} over TLS`);
    const seen = await rsyslog(t, c, 'rsyslog-tls', action, lines);
    assert.deepEqual(seen.map((e) => e.message), lines);
    assert.ok(seen.every((e) => e['tls.client.x509.subject.common_name'] === 'srv-1' && e['saqshy.source'].startsWith('srv-1')));
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

/** The real syslog-ng, installed or unpacked by scripts/lib.sh; it follows a file and forwards its lines by the destination of the manual. */
async function syslogNg(t, c, name, destination, lines) {
    const dir = join(c.data, name), input = join(dir, 'in.log'), peers = join(root, 'build/peers/usr');
    const own = existsSync(join(peers, 'sbin/syslog-ng'));
    if (!own && !have('syslog-ng')) { t.diagnostic('syslog-ng is not there: not tried'); return; }
    mkdirSync(dir);
    writeFileSync(input, lines.map((l) => l + '\n').join(''));
    writeFileSync(join(dir, 'syslog-ng.conf'), `@version: 3.38\nsource s_src { file("${input}" flags(no-parse) program-override("story")); };\n${destination}`);
    const lib = join(peers, 'lib/syslog-ng');
    const r = spawn(own ? join(peers, 'sbin/syslog-ng') : 'syslog-ng', ['-F', '--no-caps', '-f', join(dir, 'syslog-ng.conf'), '-R', join(dir, 'persist'), '-p', join(dir, 'pid'), '-c', join(dir, 'ctl'),
        ...(own ? [`--module-path=${join(lib, '3.38')}`] : [])], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...(own ? { LD_LIBRARY_PATH: `${lib}:${peers}/lib/x86_64-linux-gnu` } : {}) } });
    let said = '';
    r.stderr.on('data', (d) => (said += d));
    r.stdout.on('data', (d) => (said += d));
    const ended = new Promise((done) => r.on('exit', done));
    t.after(async () => { r.kill('SIGKILL'); await ended; });
    try {
        const ours = new Set(lines);
        assert.deepEqual((await c.wait(lines.length, (e) => ours.has(e.message))).map((e) => e.message), lines);
    } catch (e) { throw new Error(`${e.message}\nsyslog-ng: ${said}`); }
    r.kill('SIGTERM');
    await ended;
}

test('R-12-05 a real syslog-ng delivers over TCP and TLS as the manual says', async (t) => {
    const c = await collector(t, section('syslog-tcp.md') + section('syslog-tls.md'), { agents: ['srv-1'] });
    const lines = Array.from({ length: 500 }, (_, i) => `story by syslog-ng, line ${i} of Қостанай`);
    await syslogNg(t, c, 'ng-tcp', example('syslog-tcp.md', 'syslog-ng').replace('collector.example.kz', '127.0.0.1').replace('5514', String(c.ports.syslog_tcp)), lines);
    let destination = example('syslog-tls.md', 'syslog-ng').replace('collector.example.kz', '127.0.0.1').replace('6514', String(c.ports.syslog_tls));
    for (const [name, path] of Object.entries({ 'ca.pem': join(c.pki, 'ca.pem'), 'srv-1.pem': join(c.pki, 'agents/srv-1.pem'), 'srv-1.key': join(c.pki, 'agents/srv-1.key') }))
        destination = destination.replaceAll(`/etc/saqshy/${name}`, path);
    await syslogNg(t, c, 'ng-tls', destination, lines.map((l) => l.replace('line', 'TLS line')));
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

const three = `syslog_tls: ""
listeners:
${['none', 'optional', 'required'].map((client) => `  - id: tls-${client}\n    kind: syslog_tls\n    address: "127.0.0.1:0"\n    tls: { client: ${client} }\n`).join('')}`;

test('syslog over TLS with and without a client certificate: who is let in, what is kept, who speaks for whom', async (t) => {
    const c = await collector(t, three, { agents: ['fw-1', 'relay'] });
    writeFileSync(join(c.data, 'run/objects.tsv'), 'fw-1\t7\nbank\t8\n');
    await sleep(2500);   // objects are looked at every two seconds
    const other = join(c.data, 'other');
    assert.equal((await run(bin('src/pki/pki-make'), [other, 'fw-1'])).code, 0);
    const stranger = { cert: readFileSync(join(other, 'agents/fw-1.pem')), key: readFileSync(join(other, 'agents/fw-1.key')) };
    for (const [listener, cert] of [['none', null], ['none', 'fw-1'], ['optional', null], ['optional', 'fw-1'], ['required', 'fw-1'], ['required', 'relay']]) {
        const s = await dial(c, c.port(`tls-${listener}`), cert);
        await write(s, `${line('bank', `${listener} ${cert}`)}\n${line('fw-1', `own ${listener} ${cert}`)}\n`);
        s.end();
    }
    const seen = Object.fromEntries((await c.wait(12)).map((e) => [e.message, e]));
    const name = (m) => seen[m]['tls.client.x509.subject.common_name'];
    assert.equal(name('none fw-1'), undefined, 'nobody asked for it');
    assert.equal(name('optional fw-1'), 'fw-1');
    assert.equal(name('optional null'), undefined);
    assert.deepEqual([seen['optional fw-1']['saqshy.source'], seen['optional fw-1']['saqshy.object']], ['bank', '8']);
    assert.deepEqual([seen['required fw-1']['saqshy.source'], seen['required fw-1']['saqshy.object']], ['fw-1/bank', '7'], 'it speaks for its own object alone');
    assert.deepEqual([seen['own required fw-1']['saqshy.source'], seen['own required fw-1']['saqshy.object']], ['fw-1', '7']);
    assert.deepEqual([seen['required relay']['saqshy.source'], seen['required relay']['saqshy.object']], ['relay/bank', '8'], 'a relay is no host of the registry');
    // Refused: none where one is needed, one of another authority, plain text, an old protocol. In TLS 1.3 the client learns it after its handshake.
    const refused = async (listener, cert, options) => {
        try {
            const s = await dial(c, c.port(`tls-${listener}`), cert, options);
            s.on('error', () => {});
            s.write(line('bank', 'never') + '\n');
            await until('it is closed', () => s.over);
        } catch { /* so it is refused in the handshake */ }
    };
    await refused('required', null);
    await refused('required', null, stranger);
    await refused('optional', null, stranger);
    await refused('none', null, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
    const p = await plain(c.port('tls-none'));
    p.on('error', () => {});
    await write(p, line('bank', 'never') + '\n');
    await until('plain text is closed', () => p.over);
    await until('they are counted', () => {
        const away = (id) => c.listener(id).turned_away;
        return away('tls-required').certificate === 2 && away('tls-optional').certificate === 1 && away('tls-none').handshake === 2;
    });
    assert.equal((await c.events()).filter((e) => e.message === 'never').length, 0);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a certificate that is renewed on disk is taken without a restart and without losing a connection; a broken one is not', async (t) => {
    const c = await collector(t, 'syslog_tcp: ""', { agents: ['srv-1'] });
    const own = join(c.data, 'own');
    mkdirSync(own);
    const put = (from) => { for (const f of ['server.pem', 'server.key']) { copyFileSync(join(from, f), join(own, `.${f}`)); renameSync(join(own, `.${f}`), join(own, f)); } };
    put(c.pki);
    c.config(`listeners:\n  - id: own\n    kind: syslog_tls\n    address: "127.0.0.1:0"\n    tls: { certificate: own/server.pem, key: own/server.key, client: none }`);
    await c.stop();
    await c.start();
    const first = await dial(c, c.port('own')), serial = first.getPeerCertificate().serialNumber;
    await write(first, line('h', 'before') + '\n');
    await c.wait(1);
    assert.equal((await run(bin('src/pki/pki-make'), [c.pki, 'srv-1'])).code, 0);   // the same authority, another certificate
    writeFileSync(join(own, 'server.pem'), 'no certificate');
    await until('the broken one is told', () => /cannot take the changed certificate/.test(c.log()));
    const still = await dial(c, c.port('own'));
    assert.equal(still.getPeerCertificate().serialNumber, serial);
    put(c.pki);
    await until('the new one is shown', async () => {
        const s = await dial(c, c.port('own')), now = s.getPeerCertificate().serialNumber;
        s.destroy();
        return now !== serial;
    });
    await write(first, line('h', 'after') + '\n');
    await write(still, line('h', 'still') + '\n');
    await c.wait(3);
    assert.ok(!first.over && !still.over);
    first.destroy();
    still.destroy();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('the certificate of this node is renewed in DATA/pki/server while listeners stand, for syslog and OTLP alike', async (t) => {
    const c = await collector(t, 'syslog_tls: "127.0.0.1:0"\notlp: "127.0.0.1:0"', { agents: ['srv-1'] });
    const serial = async (id) => { const s = await dial(c, c.port(id), 'srv-1'), n = s.getPeerCertificate().serialNumber; s.destroy(); return n; };
    const stands = await dial(c, c.port('syslog_tls'), 'srv-1'), before = await serial('otlp');
    assert.equal(await serial('syslog_tls'), before);
    const fresh = join(c.data, 'fresh');
    mkdirSync(fresh);
    for (const f of ['ca.pem', 'ca.key']) copyFileSync(join(c.pki, f), join(fresh, f));
    assert.equal((await run(bin('src/pki/pki-make'), [fresh])).code, 0);
    for (const f of ['server.key', 'server.pem']) { copyFileSync(join(fresh, f), join(c.pki, 'server', `.${f}`)); renameSync(join(c.pki, 'server', `.${f}`), join(c.pki, 'server', f)); }
    await until('both show the new one', async () => (await serial('otlp')) !== before && (await serial('syslog_tls')) !== before);
    await write(stands, line('srv-1', 'still here') + '\n');
    await c.wait(1);
    assert.doesNotMatch(c.log(), /cannot take the changed certificate/);
    stands.destroy();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('limits of one address: connections, bytes a second and record size; the sender is slowed, nothing is dropped', async (t) => {
    const c = await collector(t, `syslog_tcp: ""
listeners:
  - id: few
    kind: syslog_tcp
    address: "127.0.0.1:0"
    limits: { peer_connections: 2, record_bytes: 1024 }
  - id: slow
    kind: syslog_tls
    address: "127.0.0.1:0"
    tls: { client: none }
    limits: { peer_bytes_s: 100000 }`);
    const a = await plain(c.port('few')), b = await plain(c.port('few')), third = await plain(c.port('few'));
    third.on('error', () => {});
    await until('the third is closed', () => third.over);
    await write(a, line('h', 'x'.repeat(3000)) + '\n');
    const pieces = await c.wait(3);
    assert.ok(pieces.every((e) => e['event.original'].length <= 1024 && [e['saqshy.marks']].flat().includes('truncated')), JSON.stringify(pieces[0]));
    await until('who has how many is shown', async () => {
        const peer = JSON.parse((await saqshy(['sources', '--json', '--data', c.data])).out).peers.find((x) => x.listener === 'few');
        return peer.address === '127.0.0.1' && peer.connections === 2 && peer.turned_away === 1 && peer.bytes > 3000;
    });
    assert.match((await saqshy(['sources', '--sources', '--data', c.data])).out, /^h +few +127\.0\.0\.1 +2 +1 /m);
    a.end();
    await until('the place is free', () => c.listener('few').connections === 1);
    const fourth = await plain(c.port('few'));
    await write(fourth, line('h', 'in again') + '\n');
    await c.wait(1, (e) => e.message === 'in again');
    assert.equal(c.listener('few').turned_away.peer_limit, 1);
    assert.equal(c.listener('few').truncated, 3);
    b.destroy();
    fourth.destroy();
    // 600 KB at 100 KB a second: it takes its time, and all of it comes, in order.
    const s = await dial(c, c.port('slow')), lines = Array.from({ length: 3000 }, (_, i) => line('h', `${i} ${'y'.repeat(150)}`));
    s.end(lines.map((l) => l + '\n').join(''));
    const seen = await c.wait(3000, (e) => /y{150}/.test(e.message));
    await until('it was told to wait again and again', () => c.listener('slow').slowed >= 2);
    assert.deepEqual(seen.map((e) => e['event.original']), lines);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('the configuration changes while connections stand: listeners come, go and move; a broken file is refused whole with its place', async (t) => {
    const before = `syslog_tcp: "127.0.0.1:0"\nlisteners:\n  - id: second\n    kind: syslog_tcp\n    address: "127.0.0.1:0"\n    limits: { peer_connections: 2 }\n`;
    const c = await collector(t, before, { agents: ['srv-1'] });
    const one = await plain(c.port('syslog_tcp')), two = await plain(c.port('second')), pid = c.state.pid;
    await write(one, line('h', 'one 1') + '\n' + '<13>1 - h app - - - half of a li');
    await write(two, line('h', 'two 1') + '\n');
    await c.wait(2);
    c.config(before.replace('kind: syslog_tcp', 'kind: syslog_tpc'));
    let r = await c.reload();
    assert.equal(r.code, 1);
    assert.match(r.err, /saqshyd\.yaml:\d+:\d+: unknown kind "syslog_tpc"/);
    assert.equal(c.state.listeners.length, 2);
    // A role that falls meanwhile begins again with what was sound.
    kill9(pid);
    await until('ingest runs again', () => c.state.pid !== pid);
    await until('both are closed with it', () => one.over && two.over);
    const three = await plain(c.port('syslog_tcp')), four = await plain(c.port('second')), now = c.state.pid;
    await write(three, '<13>1 - h app - - - half of a li');
    // Another port for the first, other limits for the second, one more with TLS; and a profile for what comes by the second.
    c.config(`syslog_tcp: "127.0.0.2:0"\nlisteners:
  - { id: second, kind: syslog_tcp, address: "127.0.0.1:${c.port('second')}", source: old-boxes, limits: { peer_connections: 1 } }
  - { id: third, kind: syslog_tls, address: "127.0.0.1:0", tls: { client: none } }
sources:
  - { name: old-boxes, zone: "+06:00", class: fw, object: "42" }
`);
    r = await c.reload();
    assert.deepEqual([r.code, r.err], [0, '']);
    assert.equal(c.state.pid, now, 'the same process');
    assert.deepEqual(c.state.listeners.map((l) => l.id).sort(), ['second', 'syslog_tcp', 'third']);
    await write(three, 'ne\n');
    await write(four, '<13>Nov 27 10:00:00 h app: two 2\n');
    const s = await dial(c, c.port('third'));
    await write(s, line('h', 'three') + '\n');
    const seen = Object.fromEntries((await c.wait(5)).map((e) => [e.message, e]));
    assert.ok(seen['half of a line'], 'a line that began before is whole');
    assert.match(seen['two 2']['@timestamp'], /T04:00:00/, 'the zone of its profile');
    assert.deepEqual([seen['two 2']['saqshy.class'], seen['two 2']['saqshy.object']], ['fw', '42']);
    const more = await plain(c.port('second'));
    more.on('error', () => {});
    await until('the new limit counts', () => more.over);
    assert.ok(!three.over && !four.over);
    // The second goes: its connection ends, what it sent is stored.
    await write(four, line('h', 'last words') + '\n');
    await c.wait(1, (e) => e.message === 'last words');
    c.config('syslog_tcp: "127.0.0.2:0"');
    assert.equal((await c.reload()).code, 0);
    await until('its connection is closed', () => four.over && s.over);
    assert.ok(!three.over);
    await write(three, line('h', 'still here') + '\n');
    await c.wait(1, (e) => e.message === 'still here');
    // An address that cannot be had is told; the rest is in force.
    c.config('syslog_tcp: "127.0.0.2:0"\nsyslog_udp: "127.0.0.1:0"\nlisteners:\n  - { id: far, kind: syslog_tcp, address: "192.0.2.1:5514" }');
    r = await c.reload();
    assert.equal(r.code, 1);
    assert.match(r.err, /listener "far": could not listen for syslog on TCP 192\.0\.2\.1:5514/);
    assert.deepEqual(c.state.listeners.map((l) => l.id), ['syslog_tcp', 'syslog_udp']);
    three.destroy();
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('source profiles by address, listener and host: zone, encoding, class, parser and object', async (t) => {
    const c = await collector(t, `syslog_udp: "127.0.0.1:0"\nsyslog_tcp: "127.0.0.1:0"
sources:
  - { name: by-host, host: "bras-*", zone: "+03:00", class: net, object: "5" }
  - { name: by-listener, listener: syslog_tcp, encoding: windows-1251, object: "6" }
  - { name: by-net, address: 127.0.0.0/8, zone: Asia/Almaty }
  - { name: all-others, class: db }
`);
    const udp = dgram.createSocket('udp4');
    const send = (text) => new Promise((done) => udp.send(text, c.ports.syslog_udp, '127.0.0.1', done));
    await send('<13>Nov 27 10:00:00 bras-7 app: a host');
    await send('<13>Nov 27 10:00:00 else app: a net');
    udp.close();
    const s = await plain(c.ports.syslog_tcp);
    // "Қате" has no place in windows-1251; "Ошибка" has: CE F8 E8 E1 EA E0
    s.end(Buffer.concat([Buffer.from('<13>Nov 27 10:00:00 old app: '), Buffer.from([0xce, 0xf8, 0xe8, 0xe1, 0xea, 0xe0]), Buffer.from('\n')]));
    const seen = Object.fromEntries((await c.wait(3)).map((e) => [e['host.name'], e]));
    assert.match(seen['bras-7']['@timestamp'], /T07:00:00/);
    assert.deepEqual([seen['bras-7']['saqshy.class'], seen['bras-7']['saqshy.object']], ['net', '5']);
    assert.match(seen.else['@timestamp'], /T05:00:00/);
    assert.equal(seen.old.message, 'Ошибка');
    assert.equal(seen.old['saqshy.object'], '6');
    await until('sources name their profile', () => c.sources().find((x) => x.id === 'bras-7')?.profile === 'by-host');
    // Profiles are of senders: our own log is none, whatever they say of all others.
    const own = await until('our own log is a source', () => c.sources().find((x) => x.id === 'saqshyd'));
    assert.ok(!own.profile && ['app', 'sec'].includes(own.class), JSON.stringify(own));
    // What base cannot judge is refused with its place too.
    for (const [source, why] of [['{ name: x, zone: Europe/Nowhere }', /saqshyd\.yaml:\d+:\d+: source "x": zone "Europe\/Nowhere"/], ['{ name: x, class: os }', /unknown class "os"/],
        ['{ name: x, encoding: utf-9 }', /unknown encoding "utf-9"/], ['{ name: x, address: 300.1.1.1 }', /no address or network/], ['{ zone: "+05:00" }', /needs "name"/],
        ['{ name: x }\nlisteners:\n  - { id: l, kind: syslog_tcp, address: "127.0.0.1:0", source: y }', /saqshyd\.yaml:\d+:\d+: listener "l": there is no source "y"/],
        ['{ name: x }\nlisteners:\n  - { id: l, kind: syslog_tcp, address: here }', /saqshyd\.yaml:\d+:\d+: listener "l": "here" is not ADDRESS:PORT/],
        ['{ name: x }\nlisteners:\n  - { id: l, kind: syslog_tcp, address: "127.0.0.1:0", tls: { client: none } }', /saqshyd\.yaml:\d+:\d+: a listener of the kind syslog_tcp has no TLS/],
        ['{ name: x }\nlisteners:\n  - { id: l, kind: syslog_tcp, limits: { idle_s: 1 } }', /saqshyd\.yaml:\d+:\d+: "idle_s" must be a whole number from 10/],
        ['{ name: x }\nlisteners:\n  - { id: syslog_udp, kind: syslog_udp, address: "127.0.0.1:0" }', /stands in "ingest\.listeners" and as "ingest\.syslog_udp"/]]) {
        c.config(`syslog_udp: "127.0.0.1:0"\nsources:\n  - ${source}`);
        const r = await run(bin('saqshyd'), ['--check', '--config', c.file]);
        assert.equal(r.code, 2, source);
        assert.match(r.err, why);
    }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('what the desk tells of senders counts where the configuration is silent; a broken file changes nothing', async (t) => {
    const c = await collector(t, 'syslog_udp: "127.0.0.1:0"\nsources:\n  - { name: ours, host: known, object: "1" }');
    const udp = dgram.createSocket('udp4'), told = join(c.data, 'run/profiles.json');
    const put = (text) => { writeFileSync(`${told}.tmp`, text); renameSync(`${told}.tmp`, told); };
    let n = 0;
    const object = async (host) => {
        const text = `n${n++}`;
        await new Promise((done) => udp.send(`<13>Nov 27 10:00:00 ${host} app: ${text}`, c.ports.syslog_udp, '127.0.0.1', done));
        return (await c.wait(1, (e) => e.message === text))[0]['saqshy.object'];
    };
    put(JSON.stringify([{ name: 'desk', address: '127.0.0.1', zone: '+09:00', object: '77' }]));
    await until('it is read', async () => (await object('other')) === '77');
    assert.equal(await object('known'), '1', 'the configuration comes first');
    put('[{"name": "desk", "class": "nothing of the kind"}]');
    await until('it is told', () => /cannot take the source profiles/.test(c.log()));
    assert.equal(await object('other'), '77');
    rmSync(told);
    await until('without a file nothing is told', async () => (await object('other')) !== '77');
    udp.close();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('losses of UDP are counted: by the numbers that senders give, and by the kernel; the command shows both', async (t) => {
    const c = await collector(t, 'syslog_udp: "127.0.0.1:0"');
    const udp = dgram.createSocket('udp4');
    const send = (text) => new Promise((done) => udp.send(text, c.ports.syslog_udp, '127.0.0.1', done));
    for (const n of [1, 2, 5, 6]) await send(`<13>1 2026-11-27T10:00:00Z sw-1 app - - [meta sequenceId="${n}"] m${n}`);
    for (const n of [10, 11, 15]) await send(`<189>${n}: *Nov 27 10:00:0${n % 10}.000: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.5)`);
    await c.wait(7);
    await until('gaps are shown', () => c.sources().find((s) => s.id === 'sw-1')?.gaps === 2 && c.sources().find((s) => s.id === '127.0.0.1')?.gaps === 3);
    const stopped = c.state.pid;
    process.kill(stopped, 'SIGSTOP');       // we are too slow: the kernel's buffer fills and drops
    const big = Buffer.alloc(60000, 'z');
    for (let i = 0; i < 1200; i++) await send(big);
    process.kill(stopped, 'SIGCONT');
    await until('drops are counted', () => c.listener('syslog_udp').kernel_drops > 0);
    const drops = await until('all that was not dropped is stored', async () => { const l = c.listener('syslog_udp'); return l.events - 7 + l.kernel_drops === 1200 && l.kernel_drops; });
    udp.close();
    const shown = await saqshy(['sources', '--data', c.data]);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, new RegExp(`^syslog_udp +syslog_udp .* ${drops} `, 'm'));
    assert.match(shown.out, /^sw-1 +syslog_udp +127\.0\.0\.1 +- +4 .* 2 /m);
    const json = JSON.parse((await saqshy(['sources', '--json', '--data', c.data])).out);
    assert.equal(json.listeners[0].kernel_drops, drops);
    assert.ok(json.sources.length >= 2);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a crowd of strangers leaves room: half-open handshakes and silent connections go, others are served', async (t) => {
    const c = await collector(t, `syslog_tls: ""
listeners:
  - { id: small, kind: syslog_tls, address: "127.0.0.1:0", tls: { client: none }, limits: { connections: 8, peer_connections: 100 } }
  - { id: open, kind: syslog_tcp, address: "127.0.0.1:0", limits: { connections: 8, peer_connections: 100 } }`);
    const served = await dial(c, c.port('small'));
    const crowd = [];
    for (let i = 0; i < 20; i++) { const s = net.connect(c.port(i % 2 ? 'small' : 'open'), '127.0.0.1'); s.on('error', () => {}); crowd.push(s); }
    await until('both are full', () => c.listener('small').connections === 8 && c.listener('open').connections === 8);
    const late = await dial(c, c.port('small'));
    await write(late, line('h', 'late') + '\n');
    await write(served, line('h', 'served') + '\n');
    await c.wait(2);
    const calm = net.connect(c.port('open'), '127.0.0.1');
    await write(calm, line('h', 'calm') + '\n');
    await c.wait(3);
    for (const s of [...crowd, served, late, calm]) s.destroy();
    await until('all are gone', () => c.listener('small').connections === 0 && c.listener('open').connections === 0);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('twenty changes of the configuration while four connections send: each line once, in order, and no connection ends', async (t) => {
    const base = (more) => `syslog_tcp: "127.0.0.1:0"\nsyslog_udp: "127.0.0.1:0"\n${more}`;
    const keep = (port, limits) => `listeners:\n  - { id: kept, kind: syslog_tls, address: "127.0.0.1:${port}", tls: { client: optional }, limits: { peer_connections: ${limits} } }\n`;
    const c = await collector(t, base(keep(0, 20)), { agents: ['srv-1'] });
    const pid = c.state.pid, port = c.port('kept');
    const senders = [await plain(c.port('syslog_tcp')), await plain(c.port('syslog_tcp')), await dial(c, port, 'srv-1'), await dial(c, port)];
    let going = true;
    const sent = senders.map(() => 0);
    const sending = senders.map(async (s, i) => {
        while (going) {
            const text = Array.from({ length: 20 }, () => line(`h${i}`, `n${sent[i]++}`) + '\n').join('');
            await write(s, text.slice(0, 700));     // and the rest later, so that lines are half there when the configuration changes
            await sleep(5);
            await write(s, text.slice(700));
        }
    });
    const variants = [
        (n) => keep(port, 10 + n),
        (n) => `${keep(port, 20)}  - { id: more-${n % 3}, kind: syslog_tcp, address: "127.0.0.1:0" }\n`,
        (n) => `${keep(port, 20)}  - { id: udp-${n % 2}, kind: syslog_udp, address: "127.0.0.1:0" }\n`,
        (n) => `${keep(port, 20)}sources:\n  - { name: p${n}, host: h1, object: "${n}" }\n`,
    ];
    for (let n = 0; n < 20; n++) {
        c.config(base(n % 5 === 4 ? 'listeners: broken\n' : variants[n % variants.length](n)));
        const r = await c.reload();
        assert.equal(r.code, n % 5 === 4 ? 1 : 0, r.err);
    }
    going = false;
    await Promise.all(sending);
    assert.ok(senders.every((s) => !s.over));
    for (const s of senders) s.end();
    const all = await c.wait(sent.reduce((a, b) => a + b), (e) => /^n\d+$/.test(e.message));
    for (let i = 0; i < senders.length; i++)
        assert.deepEqual(all.filter((e) => e['host.name'] === `h${i}`).map((e) => e.message), Array.from({ length: sent[i] }, (_, n) => `n${n}`));
    assert.equal(c.state.pid, pid);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('noise on every port stops no listener: what it said is stored or counted, and others are served', async (t) => {
    const c = await collector(t, `syslog_udp: "127.0.0.1:0"\nsyslog_tcp: "127.0.0.1:0"\notlp: "127.0.0.1:0"
listeners:\n  - { id: tls-none, kind: syslog_tls, address: "127.0.0.1:0", tls: { client: none } }`, { agents: ['srv-1'] });
    let seed = 7;
    const random = (n) => { const b = Buffer.alloc(n); for (let i = 0; i < n; i++) { seed = (seed * 1103515245 + 12345) & 0x7fffffff; b[i] = seed >> 16; } return b; };
    const pid = c.state.pid, udp = dgram.createSocket('udp4');
    for (let i = 0; i < 40; i++) {
        await new Promise((done) => udp.send(random(i * 37 % 1400), c.ports.syslog_udp, '127.0.0.1', done));
        for (const id of ['syslog_tcp', 'otlp', 'tls-none']) {
            const s = await plain(c.port(id));
            s.on('error', () => {});
            s.write(i % 3 ? random(1 + i * 997 % 30000) : Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), random(500)]));
            s.end();
        }
        const inside = await dial(c, c.port('tls-none'));      // and inside a handshake that held
        inside.on('error', () => {});
        inside.end(Buffer.concat([Buffer.from(i % 2 ? '999999999 <' : '12 '), random(2000)]));
    }
    udp.close();
    const s = await dial(c, c.port('tls-none'));
    await write(s, line('h', 'after the noise') + '\n');
    await c.wait(1, (e) => e.message === 'after the noise');
    s.destroy();
    const o = await dial(c, c.port('otlp'), 'srv-1');
    o.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(String(await new Promise((done) => o.once('data', done))), /^HTTP\/1\.1 404/);
    o.destroy();
    assert.equal(c.state.pid, pid);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
