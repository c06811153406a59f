// kafka.test.mjs - the input kind kafka against a mock cluster: every message once, whatever it holds and however often the collector dies.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './lib/centre.mjs';
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
