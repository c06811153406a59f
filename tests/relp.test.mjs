// relp.test.mjs - RELP as rsyslog speaks it, and by hand: a line is answered when it is stored and not before; nothing is lost when the collector
// dies, and only what RELP repeats stands twice.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { bin, freePort, run, sleep, until, kill9 } from './lib/centre.mjs';
import { collector, example } from './lib/collector.mjs';
import { haveRsyslog, rsyslog } from './lib/peers.mjs';

const local = (text) => text.replaceAll(/"(0\.0\.0\.0|127\.0\.0\.1):\d+"/g, '"127.0.0.1:0"');
const section = (page, n) => local(example(page, 'yaml', n)).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '');
const line = (text, n = '-') => `<38>1 2026-11-27T10:00:00Z srv-1 sshd 7 ${n} - ${text}`;
/** The example of the manual for this collector, with messages as they came in. */
const action = (c, port, n, files = {}) => {
    let a = example('relp.md', 'rsyslog', n).replaceAll('target="collector.example.kz"', 'target="127.0.0.1"').replaceAll('collector.example.kz', 'localhost')
        .replace('port="2514"', `port="${port}"`).replace('RSYSLOG_SyslogProtocol23Format', 'RAW');
    for (const [name, path] of Object.entries(files)) a = a.replaceAll(`/etc/saqshy/${name}`, path);
    return a;
};
const texts = (events) => events.map((e) => e['event.original']);

test('R-12-05 the example of RELP holds: each line of a real rsyslog is stored once, exactly as sent', async (t) => {
    const c = await collector(t, section('relp.md', 0));
    if (!haveRsyslog('omrelp')) { t.skip('rsyslog with omrelp (package rsyslog-relp) is not there'); return; }
    const r = await rsyslog(t, join(c.data, 'rsyslog'), action(c, c.ports.relp, 0));
    const lines = Array.from({ length: 3000 }, (_, i) => line(`story line ${i} of Алматы`));
    await r.send(lines);
    const seen = await c.wait(lines.length).catch((e) => { throw new Error(`${e.message}\nrsyslog: ${r.said}`); });
    assert.deepEqual(texts(seen), lines);
    await until('all are answered', () => c.listener('relp').events === lines.length);
    await r.stop();
    await until('it said goodbye', () => c.listener('relp').connections === 0);
    assert.equal(c.listener('relp').unanswered, 0);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

/** A RELP client by hand: frames go out as they are, answers come in whole. */
async function client(port) {
    const s = await new Promise((done, fail) => { const x = net.connect(port, '127.0.0.1', () => done(x)); x.once('error', fail); });
    const c = { socket: s, text: '', over: false };
    s.on('data', (d) => (c.text += d.toString('latin1')));
    s.on('close', () => (c.over = true));
    s.on('error', () => {});
    c.send = (...frames) => new Promise((done) => s.write(Buffer.concat(frames.map((f) => (Buffer.isBuffer(f) ? f : Buffer.from(f)))), done));
    c.got = (text) => until(`"${text}" comes, not ${JSON.stringify(c.text)}`, () => c.text === text);
    return c;
}
const frame = (n, command, data = '') => { const b = Buffer.from(data); return Buffer.concat([Buffer.from(`${n} ${command} ${b.length}${b.length ? ' ' : ''}`), b, Buffer.from('\n')]); };
const offers = (version = 0) => `relp_version=${version}\nrelp_software=by hand\ncommands=syslog`;
const opened = (n, version) => { const text = `200 OK\nrelp_version=${version}\nrelp_software=saqshy\ncommands=syslog`; return `${n} rsp ${text.length} ${text}\n`; };
const ok = (...numbers) => numbers.map((n) => `${n} rsp 6 200 OK\n`).join('');

test('RELP by hand: versions, order of answers, numbers that wrap, long and empty lines, hints, and the end', async (t) => {
    const c = await collector(t, `relp: "127.0.0.1:0"\nlisteners:\n  - { id: short, kind: relp, address: "127.0.0.1:0", limits: { record_bytes: 1024 } }`);
    for (const [version, spoken] of [[0, 0], [1, 1], [7, 1]]) {
        const r = await client(c.ports.relp);
        await r.send(frame(1, 'open', offers(version)));
        await r.got(opened(1, spoken));
        r.socket.destroy();
    }
    const r = await client(c.port('short')), long = `<13>1 - h app - - - ${'x'.repeat(2500)}`;
    await r.send(frame(999999997, 'open', offers()), frame(0, 'hello'), frame(999999998, 'syslog', line('two\nlines inside')), frame(999999999, 'syslog', ''),
        frame(1, 'syslog', line('with its end') + '\r\n'), frame(2, 'syslog', long), frame(3, 'eventlog', 'x'), frame(4, 'syslog', Buffer.from([...Buffer.from(line('8 bits ')), 0xcf, 0xf0, 0x01])));
    await r.got(opened(999999997, 0) + ok(999999998, 999999999, 1, 2) + '3 rsp 19 500 unknown command\n' + ok(4));
    const seen = await c.wait(6);
    assert.equal(seen[0]['event.original'], line('two\nlines inside'));
    assert.equal(seen[1]['event.original'], line('with its end'));
    assert.equal(seen.slice(2, 5).map((e) => e['event.original']).join(''), long);
    assert.ok(seen.slice(2, 5).every((e) => [e['saqshy.marks']].flat().includes('truncated')));
    assert.ok(![seen[5]['saqshy.marks']].flat().includes('truncated'));
    // Byte by byte it is the same; then the end.
    r.text = '';
    for (const b of frame(5, 'syslog', line('slow'))) await r.send(Buffer.from([b]));
    await r.got(ok(5));
    await r.send(frame(6, 'syslog', line('last')), frame(7, 'close'), frame(8, 'syslog', line('never')));
    await r.got(ok(5, 6, 7) + '0 serverclose 0\n');
    await until('it is closed', () => r.over);
    await c.wait(8);
    await until('the empty line is counted', () => c.listener('short').refused.empty === 1);
    assert.equal(c.listener('short').turned_away.protocol, undefined);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('what is no RELP is answered with a reason where it can be, closed and counted; lines before it are stored and answered', async (t) => {
    const c = await collector(t, 'relp: "127.0.0.1:0"');
    const open = frame(1, 'open', offers()), rsp = (n, text) => `${n} rsp ${text.length} ${text}\n`, bye = '0 serverclose 0\n';
    const rows = [
        ['a line before open', [frame(1, 'syslog', line('early'))], rsp(1, '500 the session is not open') + bye],
        ['open twice', [open, frame(2, 'open', offers())], opened(1, 0) + rsp(2, '500 the session is open already') + bye],
        ['no version', [frame(1, 'open', 'commands=syslog')], rsp(1, '500 the offer needs relp_version, a number') + bye],
        ['another command', [frame(1, 'open', 'relp_version=0\ncommands=eventlog')], rsp(1, '500 the command syslog is not offered') + bye],
        ['no line feed', [open, frame(2, 'syslog', line('kept')), '3 syslog 3 abcd\n'], opened(1, 0) + ok(2) + bye],
        ['a number of ten digits', [open, '1234567890 syslog 1 a\n'], opened(1, 0) + bye],
        ['a length past every line', [open, '2 syslog 999999999 a'], opened(1, 0) + bye],
        ['a line without a number', [open, frame(0, 'syslog', line('hint'))], opened(1, 0) + bye],
        ['plain syslog', [line('no frames') + '\n'], bye],
        ['a TLS hello', [Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])], bye],
    ];
    for (const [name, frames, want] of rows) {
        const r = await client(c.ports.relp);
        await r.send(...frames);
        await until(`${name}: closed`, () => r.over);
        assert.equal(r.text, want, name);
    }
    assert.deepEqual(texts(await c.wait(1)), [line('kept')]);
    await until('they are counted', () => c.listener('relp').turned_away.protocol === rows.length);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a sender that reads no answers is not read for ever; its lines are answered when it reads again', async (t) => {
    const c = await collector(t, 'relp: "127.0.0.1:0"');
    const r = await client(c.ports.relp), total = 400000;
    r.socket.pause();
    await r.send(frame(1, 'open', offers()));
    let sent = 1;
    const more = Buffer.concat(Array.from({ length: 1000 }, (_, i) => frame(2 + i, 'syslog', '<13>x')));
    const pump = (async () => { while (sent < total) { await r.send(more); sent += 1000; } })();
    // Until neither what was sent nor what was read moves.
    let last = '', still = 0;
    await until('nothing moves any more', () => { const now = `${sent} ${c.listener('relp').events}`; still = now === last ? still + 1 : 0; last = now; return still > 30; }, 240);
    assert.ok(c.listener('relp').read < total, 'it is not read without end');
    r.socket.resume();
    await pump;
    await until('every line is answered', () => (r.text.match(/ rsp 6 200 OK\n/g) ?? []).length === total, 240);
    r.socket.destroy();
    await until('all is stored', () => c.listener('relp').events === total);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('every line that was answered is in the journal when the collector is killed in the middle', async (t) => {
    const port = await freePort(), c = await collector(t, `relp: "127.0.0.1:${port}"`), total = 200000;
    for (let kill = 0; kill < 3; kill++) {
        const pid = c.state.pid, r = await client(port);
        await r.send(frame(1, 'open', offers()));
        void (async () => { for (let i = 0; i < total && !r.over; i += 500) await r.send(...Array.from({ length: 500 }, (_, k) => frame(2 + i + k, 'syslog', line(`kill ${kill} line ${2 + i + k}`)))); })();
        await until('answers come', () => r.text.length > 20000 * (kill + 1));
        kill9(pid);
        await until('it is closed', () => r.over);
        const answered = [...r.text.matchAll(/^(\d+) rsp 6 200 OK$/gm)].map((m) => Number(m[1]));
        assert.deepEqual(answered, answered.map((_, i) => i + 2), 'in the order they were sent');
        await until('it runs again', () => { try { return c.state.pid !== pid; } catch { return false; } });
        const stored = new Set(texts(await c.events()));
        for (const n of answered) assert.ok(stored.has(line(`kill ${kill} line ${n}`)), `line ${n} of ${answered.length} was answered`);
        t.diagnostic(`${answered.length} answered, all of them stored`);
    }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a collector that is stopped in order answers what it took, and says goodbye', async (t) => {
    const port = await freePort(), c = await collector(t, `relp: "127.0.0.1:${port}"`);
    for (let round = 0; round < 3; round++) {
        const r = await client(port), many = Array.from({ length: 3000 }, (_, i) => frame(2 + i, 'syslog', line(`round ${round} line ${2 + i}`)));
        await r.send(frame(1, 'open', offers()), ...many);
        await until('answers come', () => r.text.includes('\n2 rsp'));
        assert.deepEqual(await c.stop(), { code: 0, signal: null });
        await until('it is closed', () => r.over);
        const answered = [...r.text.matchAll(/^(\d+) rsp 6 200 OK$/gm)].length, stored = texts(await c.events()).filter((x) => x.includes(`round ${round} `)).length;
        assert.equal(answered, stored);
        assert.ok(r.text.endsWith('\n0 serverclose 0\n'), `${answered} answered, ${r.text.slice(-60)}`);
        await c.start();
    }
});

test('a listener of RELP that is taken out of the configuration answers what it took first', async (t) => {
    const port = await freePort(), c = await collector(t, `relp: "127.0.0.1:${port}"`);
    for (let round = 0; round < 3; round++) {
        const r = await client(port), many = Array.from({ length: 3000 }, (_, i) => frame(2 + i, 'syslog', line(`round ${round} line ${2 + i}`)));
        await r.send(frame(1, 'open', offers()), ...many);
        await until('answers come', () => r.text.includes('\n2 rsp'));
        c.config('relp: ""');
        assert.equal((await c.reload()).code, 0);
        await until('it is closed', () => r.over);
        const answered = [...r.text.matchAll(/^(\d+) rsp 6 200 OK$/gm)].length, stored = texts(await c.events()).filter((x) => x.includes(`round ${round} `)).length;
        assert.equal(answered, stored);
        assert.ok(r.text.endsWith('\n0 serverclose 0\n'), `${answered} answered, ${r.text.slice(-60)}`);
        c.config(`relp: "127.0.0.1:${port}"`);
        assert.equal((await c.reload()).code, 0);
    }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a collector that is killed in the middle loses nothing that rsyslog sends by RELP, and only what RELP repeats stands twice', async (t) => {
    if (!haveRsyslog('omrelp')) { t.skip('rsyslog with omrelp (package rsyslog-relp) is not there'); return; }
    const port = await freePort(), c = await collector(t, `relp: "127.0.0.1:${port}"`);
    const window = 500, total = 60000, commit = join(c.data, 'journal/commit');
    const committed = () => (existsSync(commit) && statSync(commit).size >= 40 ? Number(readFileSync(commit).readBigUInt64LE(32)) : 0);
    // In memory, by one worker that stays: rsyslog's disk queues and workers that end forget lines of their own (docs/inputs/relp.md).
    const r = await rsyslog(t, join(c.data, 'rsyslog'), action(c, port, 0).replace(/windowSize="\d+"/, `windowSize="${window}"`)
        .replace(/queue\.filename[^]*?action\.resume/, 'queue.size="200000" action.resumeInterval="1" action.resume'));
    const lines = Array.from({ length: total }, (_, i) => line(`story line ${i}`));
    const sending = (async () => { for (let i = 0; i < total; i += 1000) { await r.send(lines.slice(i, i + 1000)); await sleep(20); } })();
    let kills = 0;
    for (; kills < 3; kills++) {
        const before = committed(), pid = c.state.pid;
        await until('more lines come', () => committed() > before + 1000);
        kill9(pid);
        await until('it runs again', () => { try { return c.state.pid !== pid; } catch { return false; } });
    }
    await sending;
    const ours = new Set(lines);
    let counts;
    await until('every line came', async () => {
        counts = new Map();
        for (const text of texts(await c.events())) if (ours.has(text)) counts.set(text, (counts.get(text) ?? 0) + 1);
        return counts.size === total;
    }, 60).catch((e) => { throw new Error(`${counts.size} of ${total}, missing ${lines.flatMap((l, i) => (counts.has(l) ? [] : [i])).slice(0, 30)}: ${e.message}\n${c.story()}\nrsyslog: ${r.said}`); });
    const twice = [...counts.values()].reduce((sum, n) => sum + n - 1, 0);
    t.diagnostic(`${kills} kills, ${twice} lines stand twice, at most the window of ${window} each time`);
    assert.ok(twice <= kills * window, `${twice} lines came again, more than the window of ${kills} connections`);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 the example of RELP over TLS holds: rsyslog with a certificate is let in under its name, anonymous and strange ones are not', async (t) => {
    if (!haveRsyslog('omrelp')) { t.skip('rsyslog with omrelp (package rsyslog-relp) is not there'); return; }
    const c = await collector(t, section('relp.md', 1), { agents: ['srv-1'] });
    const files = { 'ca.pem': join(c.pki, 'ca.pem'), 'srv-1.pem': join(c.pki, 'agents/srv-1.pem'), 'srv-1.key': join(c.pki, 'agents/srv-1.key') };
    const other = join(c.data, 'other');
    assert.equal((await run(bin('src/pki/pki-make'), [other, 'srv-1'])).code, 0);
    const lines = Array.from({ length: 1000 }, (_, i) => line(`story line ${i} over TLS`));
    for (const lib of ['openssl', 'gnutls']) {
        const a = action(c, c.ports.relp_tls, 1, files).replace('tls.tlslib="openssl"', `tls.tlslib="${lib}"`);
        const r = await rsyslog(t, join(c.data, `rsyslog-${lib}`), a);
        const mine = lines.map((l) => `${l}, ${lib}`);
        await r.send(mine);
        const seen = await c.wait(mine.length, (e) => e.message.endsWith(lib)).catch((e) => { throw new Error(`${e.message}\nrsyslog: ${r.said}`); });
        assert.deepEqual(texts(seen), mine, lib);
        assert.ok(seen.every((e) => e['tls.client.x509.subject.common_name'] === 'srv-1' && e['saqshy.source'] === 'srv-1'));
        await r.stop();
    }
    const away = () => { const a = c.listener('relp_tls').turned_away; return (a.certificate ?? 0) + (a.handshake ?? 0); };
    const strange = Object.fromEntries(Object.entries(files).map(([name]) => [name, name === 'ca.pem' ? files[name] : join(other, 'agents', name)]));
    for (const [name, a] of [['anonymous', action(c, c.ports.relp_tls, 1).replace(/ +tls\.caCert[^]*?tls\.permittedPeer=\[[^\]]*\]\n/, '').replace('"openssl"', '"gnutls"')], ['strange', action(c, c.ports.relp_tls, 1, strange)]]) {
        const before = away(), r = await rsyslog(t, join(c.data, name), a);
        await r.send([line(`never: ${name}`)]);
        await until(`${name} is turned away, rsyslog: ${r.said}`, () => away() > before);
        await r.stop();
    }
    assert.equal((await c.events()).filter((e) => /never/.test(e.message)).length, 0);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
