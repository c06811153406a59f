// envelope.test.mjs - signed envelopes of events in files, and plain files: every event once, however often the role dies; and nothing is believed that was not
// signed by a node that is trusted.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createSign } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { bin, root, run, saqshy, sendSyslog, sleep, until, kill9 } from './lib/centre.mjs';
import { collector } from './lib/collector.mjs';

const line = (what, i) => `<38>Nov 27 10:00:00 srv-${i % 5} sshd[7]: ${what} қолданушы ${i}`;
const lines = (n, what) => Array.from({ length: n }, (_, i) => line(what, i));
const picture = (c) => { try { return JSON.parse(readFileSync(join(c.data, 'run/forward.json'), 'utf8')); } catch { return { upstreams: [] }; } };
const shown = (c, name) => picture(c).upstreams.find((u) => u.name === name);
const temp = (t) => { const d = mkdtempSync(join(tmpdir(), 'saqshy-carried-')); t.after(() => rmSync(d, { recursive: true, force: true })); return d; };
const files = (folder) => readdirSync(folder).filter((f) => f.endsWith('.saqshy-envelope') && !f.startsWith('.')).sort().map((f) => join(folder, f));
const upstream = (name, kind, folder, options) => `    - name: ${name}\n      kind: ${kind}\n      address: ${folder}\n      filter: "-saqshy.source:saqshyd"\n      options: ${options}\n`;

/** A collector with a node's key, that writes envelopes into c.out. */
async function sender(t, options = 'every_s: "1"') {
    const out = temp(t), home = temp(t), made = await saqshy(['link', 'init', '--data', home, '--id', 'agency-1']);
    assert.equal(made.code, 0, made.err);
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: `forward:\n  upstreams:\n${upstream('usb', 'envelope', out, `{ identity: ${join(home, 'link')}, ${options} }`)}` });
    return Object.assign(c, { out, home, cert: join(home, 'link/node.pem'),
        send: async (some) => { await sendSyslog(c.ports.syslog_tcp, some); },
        all: () => until('all is in envelopes', () => shown(c, 'usb')?.behind_events === 0, 90).catch((e) => { throw new Error(`${e.message} ${JSON.stringify(shown(c, 'usb'))}\n${c.log().slice(-2000)}`); }) });
}
const take = (data, cert, ...list) => saqshy(['envelope', 'import', '--json', '--data', data, '--trust', cert, ...list]);
const told = (r) => r.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const stored = async (data) => (await saqshy(['search', '--data', data, '--json', '--limit', '100000', '*'])).out.split('\n').filter(Boolean).map((l) => JSON.parse(l));

test('R-12-05 envelopes carry every event once and whole to another node; taken again they change nothing', async (t) => {
    const c = await sender(t), there = temp(t), sent = [];
    for (let i = 0; i < 3; i++) {
        const some = lines(700, `part ${i}`);
        sent.push(...some);
        const before = files(c.out).length;
        await c.send(some);
        await until('an envelope', () => files(c.out).length > before);
        await c.all();
    }
    const all = files(c.out), r = await take(there, c.cert, ...all);
    assert.equal(r.code, 0, r.err);
    const rows = told(r);
    assert.deepEqual(rows.map((x) => x.number), rows.map((_, i) => i + 1));
    for (let i = 1; i < rows.length; i++) assert.equal(rows[i].first, rows[i - 1].next, 'no number is left out');
    assert.equal(rows.reduce((n, x) => n + x.stored, 0), sent.length);
    assert.ok(rows.every((x) => x.repeated === 0 && x.missing === '' && x.node === 'agency-1'));
    const events = await stored(there);
    assert.deepEqual(events.map((e) => e['event.original']).sort(), [...sent].sort());
    assert.ok(events.every((e) => e['saqshy.relay'] === 'agency-1' && /^srv-\d$/.test(e['saqshy.source'])));
    const again = told(await take(there, c.cert, ...all));
    assert.ok(again.every((x) => x.stored === 0 && x.repeated === x.events));
    assert.equal((await stored(there)).length, sent.length);
    const seen = await saqshy(['envelope', 'verify', '--trust', c.cert, all[0]]);
    assert.equal(seen.code, 0, seen.err);
    assert.match(seen.out, /node "agency-1", stream usb-[0-9a-f]{16}, envelope 1, events \d+/);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('envelopes that are missing are told by number; one that comes late is taken, once', async (t) => {
    const c = await sender(t), there = temp(t);
    for (let i = 0; i < 4; i++) { const n = files(c.out).length; await c.send(lines(50, `part ${i}`)); await until('an envelope', () => files(c.out).length > n); await c.all(); }
    const all = files(c.out);
    assert.ok(all.length >= 4);
    const first = told(await take(there, c.cert, all[0], all[3]));
    assert.equal(first[0].missing, '');
    assert.equal(first[1].missing, '2-3');
    assert.equal(told(await take(there, c.cert, all[2]))[0].missing, '2');
    const late = told(await take(there, c.cert, all[1], all[1]));
    assert.deepEqual(late.map((x) => [x.missing, x.stored, x.repeated]), [['', 50, 0], ['', 0, 50]]);
    assert.equal((await stored(there)).length, 200);
    const text = await saqshy(['envelope', 'import', '--data', temp(t), '--trust', c.cert, all[2]]);
    assert.match(text.out, /envelopes of this stream that are missing: 1-2/);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('what was changed, cut, or signed by somebody else is refused with the reason, and the others are taken', async (t) => {
    const c = await sender(t), there = temp(t), other = temp(t);
    await c.send(lines(100, 'story'));
    await until('an envelope', () => files(c.out).length > 0);
    await c.all();
    const whole = files(c.out)[0], bytes = readFileSync(whole), bad = (name, b) => { const f = join(there, name); writeFileSync(f, b); return f; };
    assert.equal((await saqshy(['link', 'init', '--data', other, '--id', 'agency-1'])).code, 0);
    assert.equal((await saqshy(['link', 'init', '--data', join(other, 'b'), '--id', 'agency-2'])).code, 0);
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 10] ^= 1;
    const manifest = bytes.toString('latin1').split('\n')[0], forged = Buffer.concat([Buffer.from(manifest.replace('"events":', '"events": ')), bytes.subarray(manifest.length)]);
    const renamed = Buffer.concat([Buffer.from(manifest.replace('agency-1', 'agency-3')), bytes.subarray(manifest.length)]);
    const rows = [
        [c.cert, bad('flipped', flipped), /the events are not those that were signed: the file was changed/],
        [c.cert, bad('cut', bytes.subarray(0, bytes.length - 1)), /the file is cut/],
        [c.cert, bad('more', Buffer.concat([bytes, Buffer.from('x')])), /the events are not those that were signed/],
        [c.cert, bad('form', forged), /the first line is not the manifest/],
        [c.cert, bad('number', Buffer.concat([Buffer.from(manifest.replace('"number":1', '"number":2')), bytes.subarray(manifest.length)])), /the signature is not that of node "agency-1"/],
        [c.cert, bad('other node', renamed), /node "agency-3" is not trusted/],
        [join(other, 'link/node.pem'), whole, /node "agency-1" is trusted with another certificate/],
        [join(other, 'b/link/node.pem'), whole, /node "agency-1" is not trusted: no certificate/],
        [c.cert, bad('text', 'hello\n'), /the first line is not the manifest/],
        [c.cert, bad('empty', ''), /no envelope of events/],
    ];
    const data = temp(t);
    for (const [cert, file, want] of rows) {
        const r = await take(data, cert, file);
        assert.equal(r.code, 1, file);
        assert.match(r.err, want);
        assert.equal(r.out, '');
    }
    const mixed = await take(data, c.cert, rows[0][1], whole);
    assert.equal(mixed.code, 1);
    assert.equal(told(mixed)[0].stored, 100);
    assert.equal((await stored(data)).length, 100);
    const none = await saqshy(['envelope', 'import', '--data', temp(t), whole]);
    assert.equal(none.code, 2);
    assert.match(none.err, /could not find the certificates of nodes/);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a role that is killed at random gives each number to one envelope and puts each event into one of them', async (t) => {
    const c = await sender(t), there = temp(t), sent = [];
    for (let i = 0; i < 6; i++) {
        const some = lines(1500, `kill ${i}`), pid = await until('the role runs', () => picture(c).pid);
        sent.push(...some);
        await c.send(some);
        await sleep(Math.random() * 1500);
        kill9(pid);
        await until('it runs again', () => picture(c).pid && picture(c).pid !== pid);
        if (i === 2) for (const f of files(c.out)) { cpSync(f, join(there, f.split('/').pop())); rmSync(f); }   // carried away
    }
    await c.all();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    for (const f of files(c.out)) { assert.ok(!existsSync(join(there, f.split('/').pop())), 'no number twice'); cpSync(f, join(there, f.split('/').pop())); }
    assert.deepEqual(readdirSync(c.out).filter((f) => f.endsWith('.part')), []);
    const data = temp(t), r = await take(data, c.cert, ...files(there)), rows = told(r);
    assert.equal(r.code, 0, r.err);
    assert.equal(rows.at(-1).missing, '');
    const events = await stored(data);
    assert.equal(events.length, sent.length);
    assert.equal(new Set(events.map((e) => e['event.original'])).size, sent.length);
});

test('an import that is killed in the middle is finished by the next one, with the same balance', async (t) => {
    const c = await sender(t, 'every_s: "2"'), data = temp(t);
    await c.send(lines(30000, 'many'));
    await until('an envelope', () => files(c.out).length > 0);
    await c.all();
    const all = files(c.out);
    let kills = 0;
    for (let i = 0; i < 6; i++) {
        const p = spawn(bin('saqshy'), ['envelope', 'import', '--data', data, '--trust', c.cert, ...all], { stdio: 'ignore' });
        const ended = new Promise((done) => p.on('exit', (code, signal) => done(signal)));
        const commit = join(data, 'journal/commit'), at = () => (existsSync(commit) && statSync(commit).size >= 40 ? Number(readFileSync(commit).readBigUInt64LE(32)) : 0), before = at();
        await until('some blocks are in', () => at() > before || at() > 30000 || p.exitCode !== null);
        await sleep(Math.random() * 50);
        p.kill('SIGKILL');
        kills += (await ended) === 'SIGKILL';
    }
    const rows = told(await take(data, c.cert, ...all));
    assert.equal(rows.reduce((n, x) => n + x.stored + x.repeated, 0), 30000);
    t.diagnostic(`${kills} kills, ${rows.reduce((n, x) => n + x.repeated, 0)} of 30000 were there already`);
    const events = await stored(data);
    assert.equal(events.length, 30000);
    assert.equal(new Set(events.map((e) => e['event.original'])).size, 30000);
    assert.equal((await saqshy(['verify', '--data', data])).code, 0);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 files get every event once through kills: JSON lines and lines as they came, rotated and compressed', async (t) => {
    const json = temp(t), text = temp(t), plain = temp(t);
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: `forward:\n  upstreams:\n${upstream('json', 'files', json, '{ every_s: "2" }')}${upstream('text', 'files', text, '{ format: original, compression: gzip, max_mib: "1" }')}${upstream('plain', 'files', plain, '{ compression: none, every_s: "1" }')}` });
    const sent = [];
    for (let i = 0; i < 5; i++) {
        const some = lines(3000, `kill ${i} ${i === 4 ? 'x'.repeat(1500) : ''}`), pid = await until('the role runs', () => picture(c).pid);
        sent.push(...some);
        await sendSyslog(c.ports.syslog_tcp, some);
        await sleep(Math.random() * 800);
        kill9(pid);
        await until('it runs again', () => picture(c).pid && picture(c).pid !== pid);
    }
    await until('all is in files', () => ['json', 'text', 'plain'].every((n) => shown(c, n)?.behind_events === 0), 90);
    await until('files are rotated by time', () => readdirSync(json).every((f) => !f.endsWith('.part')) && readdirSync(plain).every((f) => !f.endsWith('.part')), 30);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    const whole = async (folder, program) => {
        let out = '';
        for (const f of readdirSync(folder).sort((a, b) => Number(a.split('-').at(-1).split('.')[0]) - Number(b.split('-').at(-1).split('.')[0])))
            out += program ? (await run('sh', ['-c', `${program} <"$1"`, 'sh', join(folder, f)])).out : readFileSync(join(folder, f), 'utf8');
        return out.split('\n').filter(Boolean);
    };
    assert.ok(readdirSync(json).length >= 2 && readdirSync(json).every((f) => f.endsWith('.jsonl.zst')), `${readdirSync(json)}`);
    assert.ok(readdirSync(text).every((f) => /\.log\.gz(\.part)?$/.test(f)));
    assert.deepEqual((await whole(json, 'zstd -dc')).map((l) => JSON.parse(l)['event.original']), sent);
    assert.deepEqual(await whole(text, 'gzip -dc'), sent);
    assert.deepEqual((await whole(plain)).map((l) => JSON.parse(l)['event.original']), sent);
});

test('files: the unfinished file of a former numbering is closed, not removed', async (t) => {
    const out = temp(t);
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: `forward:\n  upstreams:\n${upstream('arch', 'files', out, '{ compression: none }')}` });
    const sent = lines(40, 'before');
    await sendSyslog(c.ports.syslog_tcp, sent);
    await until('all is written', () => readdirSync(out).some((f) => f.endsWith('.part')) && shown(c, 'arch')?.sent >= 40 && shown(c, 'arch').behind_events === 0);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    const [part] = readdirSync(out).filter((f) => f.endsWith('.part'));
    assert.ok(part, `${readdirSync(out)}`);
    for (const f of ['forward-arch', '.forward-arch']) rmSync(join(c.data, 'journal/cursors', f));
    writeFileSync(join(out, part), readFileSync(join(out, part), 'utf8') + '{"torn');
    await c.start();
    await until('it has its name', () => readdirSync(out).includes(part.slice(0, -5)));
    assert.deepEqual(readFileSync(join(out, part.slice(0, -5)), 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l)['event.original']), sent);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 a running collector takes envelopes from a folder: once, through kills, strange ones put aside, missing ones told', async (t) => {
    const c = await sender(t), inbox = temp(t);
    for (let i = 0; i < 4; i++) { const n = files(c.out).length; await c.send(lines(500, `part ${i}`)); await until('an envelope', () => files(c.out).length > n); await c.all(); }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    const all = files(c.out), put = (f) => cpSync(f, join(inbox, f.split('/').pop()));
    const centre = await collector(t, `listeners:\n  - { id: carried, kind: envelope, options: { folder: ${inbox}, trust: ${join(c.home, 'link')} } }`);
    const card = () => centre.listener('carried'), there = (ending) => readdirSync(inbox).filter((f) => f.endsWith(ending)).length;
    writeFileSync(join(inbox, '0.saqshy-envelope'), readFileSync(all[0]).subarray(0, -10));
    put(all[0]);
    put(all[3]);
    await until('two are taken', () => there('.taken') === 2);
    assert.equal(there('.refused'), 1);
    await until('it is told', () => card().missing === '2-3' && card().refused_files === 1);
    assert.match(centre.log(), /others of its stream are missing/);
    for (const f of readdirSync(inbox)) rmSync(join(inbox, f));
    for (const f of all) put(f);
    for (let i = 0; i < 3; i++) {
        const pid = centre.state.pid;
        await sleep(Math.random() * 4000);
        kill9(pid);
        await until('it runs again', () => { try { return centre.state.pid !== pid; } catch { return false; } });
    }
    await until('all are taken', () => there('.taken') === all.length, 120);
    const events = await centre.events();
    assert.equal(events.length, 2000);
    assert.equal(new Set(events.map((e) => e['event.original'])).size, 2000);
    assert.ok(events.every((e) => e['saqshy.relay'] === 'agency-1'));
    await centre.balance();
    assert.deepEqual(await centre.stop(), { code: 0, signal: null });
    const r = await take(centre.data, c.cert, ...all);
    assert.ok(told(r).every((x) => x.stored === 0 && x.missing === ''), r.out + r.err);
});

test('an envelope that waits for one before it keeps no envelopes of others waiting', { timeout: 60_000 }, async (t) => {
    const inbox = temp(t), trust = temp(t), two = [await sender(t), await sender(t)];
    for (const [i, c] of two.entries()) {
        await c.send(lines(20 + i, 'story'));
        await until('an envelope', () => files(c.out).length > 0);
        await c.all();
        await c.stop();
        cpSync(c.cert, join(trust, `${i}.pem`));
    }
    const centre = await collector(t, `listeners:\n  - { id: carried, kind: envelope, options: { folder: ${inbox}, trust: ${trust} } }`);
    const stream = JSON.parse(readFileSync(files(two[0].out)[0], 'latin1').split('\n')[0]).stream, book = join(centre.data, 'journal/envelopes.json');
    // As after one that was begun and never finished.
    writeFileSync(book, JSON.stringify([{ node: 'agency-1', stream, number: 0, digest: '0'.repeat(64), taken: false, missing: [] }]));
    cpSync(files(two[0].out)[0], join(inbox, 'a.saqshy-envelope'));
    cpSync(files(two[1].out)[0], join(inbox, 'b.saqshy-envelope'));
    await centre.wait(1, (e) => e['saqshy.relay'] === 'agency-1');
    await until('the other one is taken', () => existsSync(join(inbox, 'b.saqshy-envelope.taken')));
    assert.ok(existsSync(join(inbox, 'a.saqshy-envelope')));
    writeFileSync(book, readFileSync(book, 'utf8').replace('"taken":false', '"taken":true'));
    await until('it is taken too', () => existsSync(join(inbox, 'a.saqshy-envelope.taken')));
    assert.deepEqual(await centre.stop(), { code: 0, signal: null });
});

/** The envelope in from with a block whose frame is broken (broken), or behind another one (previous), signed again by the node; its manifest's digest. */
function sign(home, from, to, { broken = false, previous = null }) {
    const bytes = readFileSync(from), ends = [bytes.indexOf(10)];
    ends.push(bytes.indexOf(10, ends[0] + 1));
    const body = Buffer.from(bytes.subarray(ends[1] + 1)), m = JSON.parse(bytes.subarray(0, ends[0]));
    if (broken) body[20] ^= 0xff;      // the magic number of the first block's zstd frame
    if (previous) m.previous = previous;
    m.body_sha256 = createHash('sha256').update(body).digest('hex');
    const manifest = JSON.stringify(m);
    const signature = createSign('sha256').update(`saqshy events envelope 1\0${manifest}`).sign(readFileSync(join(home, 'link/node.key')), 'base64');
    writeFileSync(to, Buffer.concat([Buffer.from(`${manifest}\n${signature}\n`), body]));
    return createHash('sha256').update(manifest).digest('hex');
}

test('a block that cannot be taken ends its envelope, which is told with its numbers, and no other: by the listener and by the command', { timeout: 120_000 }, async (t) => {
    const c = await sender(t), made = temp(t), inbox = temp(t), data = temp(t);
    for (let i = 0; i < 3; i++) { const n = files(c.out).length; await c.send(lines(30, `part ${i}`)); await until('an envelope', () => files(c.out).length > n); await c.all(); }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    const all = files(c.out), name = (f) => join(made, f.split('/').pop());
    let previous = null;
    for (const [i, f] of all.entries()) previous = i === 0 ? (cpSync(f, name(f)), null) : sign(c.home, f, name(f), { broken: i === 1, previous });
    const events = all.map((f) => JSON.parse(readFileSync(f, 'latin1').split('\n')[0]));
    const numbers = `${events[1].first} to ${events[1].next - 1}`, left = events.reduce((n, m) => n + m.events, 0) - events[1].events;

    const r = await take(data, c.cert, ...files(made));
    assert.equal(r.code, 1, r.err);
    assert.match(r.err, new RegExp(`cannot be unpacked; events of the numbers ${numbers} are not taken`));
    assert.deepEqual(told(r).map((x) => [x.number, x.stored, x.missing]), events.filter((m) => m.number !== 2).map((m) => [m.number, m.events, '']));
    assert.equal((await stored(data)).length, left);
    const again = await take(data, c.cert, ...files(made));
    assert.equal(again.code, 1);
    assert.match(again.err, /was refused before/);
    assert.equal((await stored(data)).length, left);

    const centre = await collector(t, `listeners:\n  - { id: carried, kind: envelope, options: { folder: ${inbox}, trust: ${join(c.home, 'link')} } }`);
    for (const f of files(made)) cpSync(f, join(inbox, f.split('/').pop()));
    const there = (ending) => readdirSync(inbox).filter((f) => f.endsWith(ending)).length;
    await until('all are done', () => there('.taken') === all.length - 1 && there('.refused') === 1);
    await centre.wait(left, (e) => e['saqshy.relay'] === 'agency-1');
    assert.match(centre.log(), /events of an envelope could not be taken: have these numbers sent again/);
    assert.ok(centre.log().includes(`events of the numbers ${numbers}: `));
    assert.deepEqual(JSON.parse(readFileSync(join(centre.data, 'journal/envelopes.json'), 'utf8'))[0].refused, [[2, 2]]);
    await centre.balance();
    assert.deepEqual(await centre.stop(), { code: 0, signal: null });
});

test('names of files that come from a stick are JSON in JSON, and drive no terminal', async (t) => {
    const c = await sender(t), folder = temp(t), odd = join(folder, 'a"\u001b]0;x\u0007.saqshy-envelope'), broken = join(folder, 'b\u001b[2J.saqshy-envelope');
    await c.send(lines(5, 'x'));
    await until('an envelope', () => files(c.out).length > 0);
    await c.all();
    cpSync(files(c.out)[0], odd);
    writeFileSync(broken, 'x');
    const r = await saqshy(['envelope', 'verify', '--json', '--trust', c.cert, odd, broken]);
    assert.equal(told(r)[0].file, odd);
    const plain = await saqshy(['envelope', 'verify', '--trust', c.cert, odd, broken]);
    assert.equal(plain.code, 1);
    assert.ok(!(plain.out + plain.err).includes('\u001b'), JSON.stringify(plain));
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('the examples of Kafka, files and envelopes in the manual are sound', async (t) => {
    const folder = temp(t), blocks = [...readFileSync(join(root, 'docs/forwarding.md'), 'utf8').matchAll(/^```yaml\n([^]*?)^```$/gm)].map((m) => m[1]).filter((b) => /kind: (kafka|files|envelope)/.test(b));
    assert.equal(blocks.length, 4);
    for (const b of blocks) {
        writeFileSync(join(folder, 'saqshyd.yaml'), `node: collector\ndata: ${folder}\nroles: [ingest, forward]\n${b}`);
        const r = await run(bin('saqshyd'), ['--check', '--config', join(folder, 'saqshyd.yaml')]);
        assert.equal(r.code, 0, `${b}\n${r.err}`);
    }
});
