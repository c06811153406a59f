// kafka.test.mjs - the input kind kafka against a mock cluster: every message once, whatever it holds and however often the collector dies.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, run, sleep, until, kill9 } from './lib/centre.mjs';
import { collector, example } from './lib/collector.mjs';
import { kafka } from './lib/kafka.mjs';

const section = (n, k, change = (x) => x) => change(example('kafka.md', 'yaml', n).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '').replace(/brokers: "[^"]*"/, `brokers: "${k.brokers}"`));
const texts = (events) => events.map((e) => e['event.original']);
const line = (what) => `<38>1 2026-11-27T10:00:00Z srv-1 sshd 7 - - ${what}`;
const expected = (what, count) => Array.from({ length: count }, (_, i) => `${line(what)} ${i}`);
const committed = (c) => { const f = join(c.data, 'journal/commit'); return existsSync(f) && statSync(f).size >= 40 ? Number(readFileSync(f).readBigUInt64LE(32)) : 0; };

test('R-12-05 the example of Kafka holds: messages of several topics and partitions are stored once, exactly as sent, with their place', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 3);
    await k.topic('audit', 1);
    await k.many('logs', 3000, line('story line'));
    const c = await collector(t, section(0, k));
    await k.many('audit', 500, line('audit line'));
    const seen = await c.wait(3500);
    assert.deepEqual(texts(seen).sort(), [...expected('story line', 3000), ...expected('audit line', 500)].sort());
    for (const e of seen) {
        assert.equal(e['saqshy.source'], 'srv-1');
        assert.match(String(e['kafka.offset']), /^\d+$/);
        assert.equal(e['kafka.key'], 'host-a');
    }
    for (const p of ['0', '1', '2']) {
        const mine = seen.filter((e) => e['kafka.topic'] === 'logs' && String(e['kafka.partition']) === p).map((e) => Number(e['kafka.offset']));
        assert.deepEqual(mine, Array.from({ length: 1000 }, (_, i) => i), `partition ${p} in order`);
    }
    const l = await until('the card tells', () => { const x = c.listener('kafka'); return x.state === 'up' && x.partitions === 4 && x.lag === 0 && x.events === 3500 && x; });
    assert.equal(l.error, '');
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    // What was stored is told to the broker: a collector that starts again reads nothing twice.
    await c.start();
    await k.many('audit', 10, line('after'));
    await c.wait(3510);
    assert.equal((await c.events()).length, 3510);
    assert.equal(c.listener('kafka').refused.repeated, undefined);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('whatever a message holds becomes an event or is counted: bytes, line ends, documents, empty and far too long ones', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 1);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)), long = 'x'.repeat(2500), huge = `huge ${'y'.repeat(2 * 1024 * 1024)}`;
    const document = JSON.stringify({ '@timestamp': '2026-11-27T09:00:00.000Z', message: line('inside a document').replace('srv-1', '-'), host: { name: 'beat-1' } });
    const mean = '{"a":'.repeat(2000);
    for (const b of [bytes, null, '', 'no time at all\r\n', '\n\n', document, '{"broken":', mean, '[1,2]', long]) await k.put('logs', 0, b);
    const c = await collector(t, section(0, k, (s) => s.replace('kind: kafka', 'kind: kafka\n    limits: { record_bytes: 1024 }').replace('logs, audit', 'logs')));
    const seen = await c.wait(12);
    const by = (offset) => seen.filter((e) => Number(e['kafka.offset']) === offset);
    assert.ok([by(0)[0]['saqshy.parse']].flat().includes('failed'), 'bytes are kept, unparsed');
    assert.equal(by(3)[0]['event.original'], 'no time at all');
    assert.equal(by(3)[0]['saqshy.source'], 'kafka/logs');
    assert.equal(by(5)[0]['event.original'], document);
    assert.equal(by(5)[0]['host.name'], 'beat-1');
    assert.equal(by(6)[0]['event.original'], '{"broken":');
    assert.equal(by(7).map((e) => e['event.original']).join(''), mean);
    assert.equal(by(9).map((e) => e['event.original']).join(''), long);
    assert.ok(by(9).every((e) => [e['saqshy.marks']].flat().includes('truncated')));
    await until('empty ones are counted', () => c.listener('kafka').refused.empty === 2);
    // More than a fetch of the consumer holds.
    await k.put('logs', 0, huge);
    await k.put('logs', 0, 'behind it');
    const all = await c.wait(1, (e) => e['event.original'] === 'behind it');
    assert.equal(all.length, 1);
    assert.equal((await c.events()).filter((e) => Number(e['kafka.offset']) === 10).map((e) => e['event.original']).join(''), huge);
    await until('read and stored', () => c.listener('kafka').lag === 0);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 a collector that is killed at random while messages come stores each of them once', async (t) => {
    const k = await kafka(t), kills = 4, each = 12000, total = (kills + 1) * each;
    await k.topic('logs', 4);
    const c = await collector(t, section(0, k, (s) => s.replace('logs, audit', 'logs')));
    for (let i = 0; i < kills; i++) {
        const before = committed(c), pid = c.state.pid;
        await k.many('logs', each, line(`round ${i} line`));
        await until('more is stored', () => committed(c) > before, 120);
        await sleep(Math.random() * 1500);
        kill9(pid);
        await until('it runs again', () => { try { return c.state.pid !== pid; } catch { return false; } });
    }
    await k.many('logs', each, line('last round line'));
    const seen = await c.wait(total, () => true, 180), once = new Set(texts(seen));
    assert.equal(once.size, total, 'nothing is lost');
    await until('nothing more comes', () => c.listener('kafka').lag === 0 && c.listener('kafka').partitions === 4);
    assert.equal((await c.events()).length, total, 'nothing stands twice');
    t.diagnostic(`${kills} kills, ${c.listener('kafka').refused.repeated ?? 0} messages came again to the last collector and were recognised`);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('brokers that are gone are told on the card and in the log once, and found again', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 2);
    await k.many('logs', 100, line('before'));
    const c = await collector(t, section(0, k, (s) => s.replace('logs, audit', 'logs')));
    await c.wait(100);
    await k.down();
    await until('the card tells', () => c.listener('kafka').state === 'down' && c.listener('kafka').error, 90);
    assert.match(c.log(), /could not reach any broker, trying again/);
    await k.up();
    await k.many('logs', 100, line('after'));
    await c.wait(200, () => true, 120);
    await until('the card tells', () => c.listener('kafka').state === 'up');
    assert.match(c.log(), /a broker is reached again/);
    assert.equal(new Set(texts(await c.events())).size, 200);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a listener of Kafka is changed, taken out and put in again while messages come, and each is stored once', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 2);
    await k.topic('more', 2);
    const with_ = (topics) => section(0, k, (s) => s.replace('logs, audit', topics));
    const c = await collector(t, with_('logs'));
    await k.many('logs', 3000, line('first'));
    await c.wait(1);
    await k.many('more', 500, line('second'));
    c.config(with_('logs, more'));
    assert.equal((await c.reload()).code, 0);
    await c.wait(3500, () => true, 90);
    c.config('');
    assert.equal((await c.reload()).code, 0);
    await until('it is gone', () => !c.listener('kafka'));
    await k.many('more', 500, line('third'));
    c.config(with_('logs, more'));
    assert.equal((await c.reload()).code, 0);
    await c.wait(4000, () => true, 90);
    await until('all is taken', () => c.listener('kafka').lag === 0 && c.listener('kafka').partitions === 4);
    assert.equal((await c.events()).length, 4000);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('settings of a listener of Kafka that cannot work are refused with their place', async (t) => {
    const c = await collector(t, '');
    const rows = [
        ['{ topics: logs }', /"brokers" is needed/], ['{ brokers: "a:1" }', /"topics" is needed/], ['{ brokers: "a:1", topics: x, from: middle }', /earliest or latest/],
        ['{ brokers: "a:1", topics: x, sasl: GSSAPI, user: a, password_file: /b }', /"sasl" must be/], ['{ brokers: "a:1", topics: x, user: a }', /come together/],
        ['{ brokers: "a:1", topics: x, groups: y }', /unknown option "groups"/], ['{ brokers: "a:1", topics: x, sasl: PLAIN, user: a, password_file: b }', /whole path/],
    ];
    for (const [options, want] of rows) {
        c.config(`listeners:\n  - { id: k, kind: kafka, options: ${options} }`);
        const r = await run(bin('saqshyd'), ['--check', '--config', c.file]);
        assert.equal(r.code, 2, options);
        assert.match(r.err, want);
        assert.match(r.err, /saqshyd\.yaml:\d+:\d+: listener "k"/);
    }
    c.config('kafka: "127.0.0.1:9092"');
    const r = await run(bin('saqshyd'), ['--check', '--config', c.file]);
    assert.equal(r.code, 2);
    assert.match(r.err, /has no address/);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a full disk pauses partitions; the broker keeps what comes, and when there is room each message is stored once', async (t) => {
    const script = new URL('lib/kafka-full-disk.mjs', import.meta.url).pathname, place = mkdtempSync(join(tmpdir(), 'saqshy-full-'));
    t.after(() => rmSync(place, { recursive: true, force: true }));
    const may = await run('unshare', ['--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', place]);
    if (may.code !== 0) return t.skip(`a file system of its own is not permitted here: ${may.err.trim()}`);
    const all = await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs -o size=80m none "$1" && TMPDIR=$1 exec node "$2"', 'sh', place, script]);
    assert.equal(all.code, 0, all.out + all.err);
    t.diagnostic(all.out.trim());
});
