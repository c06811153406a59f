// kafka-full-disk.mjs - run by kafka.test.mjs inside a small file system of its own, which TMPDIR names: a consumer whose disk fills up and is emptied.
import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { collector } from './collector.mjs';
import { until } from './centre.mjs';
import { kafka } from './kafka.mjs';

const after = [], t = { after: (f) => after.push(f) }, fill = join(tmpdir(), 'fill');
try {
    const k = await kafka(t);
    await k.topic('logs', 3);
    const c = await collector(t, `listeners:\n  - { id: kafka, kind: kafka, options: { brokers: "${k.brokers}", topics: logs } }`);
    await k.many('logs', 300, 'before');
    await c.wait(300);
    writeFileSync(fill, '');
    for (const size of [1 << 20, 4096, 64])
        try { for (;;) appendFileSync(fill, Buffer.alloc(size)); } catch (e) { assert.equal(e.code, 'ENOSPC'); }
    for (let i = 0; i < 300; i++) await k.put('logs', i % 3, `full ${i} ${randomBytes(15000).toString('base64')}`);
    await new Promise((d) => setTimeout(d, 8000));    // the card cannot be written now; long enough for partitions to be paused
    rmSync(fill);
    await k.many('logs', 300, 'after');
    const seen = await c.wait(900, () => true, 120);
    assert.equal(new Set(seen.map((e) => e['event.original'])).size, 900, 'nothing is lost');
    assert.equal(seen.length, 900, 'nothing stands twice');
    await until('all is taken', () => c.listener('kafka').lag === 0 && c.listener('kafka').waits === false);
    console.log(`waited ${c.listener('kafka').slowed} times, refused ${JSON.stringify(c.listener('kafka').refused)}`);
    assert.ok(c.listener('kafka').slowed > 0, 'partitions were paused');
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
} finally {
    for (const f of after.reverse()) await f();
}
