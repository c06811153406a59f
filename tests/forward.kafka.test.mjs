// forward.kafka.test.mjs - events go on to a topic of Kafka: each at least once and in order, through kills and lost brokers; and from there into another Saqshy.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, run, sendSyslog, sleep, until, kill9 } from './lib/centre.mjs';
import { collector } from './lib/collector.mjs';
import { kafka } from './lib/kafka.mjs';

const lines = (n, what) => Array.from({ length: n }, (_, i) => `<38>Nov 27 10:00:00 srv-${i % 5} sshd[7]: ${what} қолданушы ${i}`);
const picture = (c) => { try { return JSON.parse(readFileSync(join(c.data, 'run/forward.json'), 'utf8')); } catch { return { upstreams: [] }; } };
const shown = (c, name) => picture(c).upstreams.find((u) => u.name === name);
const ports = (k) => [...new Set(k.brokers.split(',').map((b) => b.split(':')[1]))].join(' ');
const upstream = (k, more = '') => `forward:\n  upstreams:\n    - name: bus\n      kind: kafka\n      address: "${k.brokers}"\n      filter: "-saqshy.source:saqshyd"\n      limits: { retry_max_s: 1, timeout_s: 10 }\n      options: { topic: logs, ports: "${ports(k)}"${more} }\n`;
const sender = (t, k, more) => collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: upstream(k, more) });
const delivered = (c, n) => until('all is acknowledged', () => shown(c, 'bus')?.sent >= n && shown(c, 'bus').behind_events === 0, 90).catch((e) => { throw new Error(`${e.message} ${JSON.stringify(shown(c, 'bus'))}\n${c.log().slice(-2000)}`); });

test('R-12-05 Kafka gets every event once, with its fields, in order for each source; another Saqshy reads them there', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 3);
    const c = await sender(t, k), sent = lines(3000, 'story');
    await sendSyslog(c.ports.syslog_tcp, sent);
    await delivered(c, 3000);
    const there = (await k.read('logs')).map((m) => ({ ...m, event: JSON.parse(m.value) }));
    assert.deepEqual(there.map((m) => m.event['event.original']).sort(), [...sent].sort());
    assert.ok(there.every((m) => m.key === m.event['saqshy.source']));
    for (const host of ['srv-0', 'srv-4'])
        assert.deepEqual(there.filter((m) => m.key === host).map((m) => m.event['event.original']), sent.filter((s) => s.includes(` ${host} `)), `${host} in order`);
    const centre = await collector(t, `listeners:\n  - { id: kafka, kind: kafka, options: { brokers: "${k.brokers}", topics: logs } }`);
    const seen = await centre.wait(3000);
    assert.deepEqual(seen.map((e) => e['event.original']).sort(), [...sent].sort());
    assert.ok(seen.every((e) => /^srv-\d$/.test(e['saqshy.source'])));
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    assert.deepEqual(await centre.stop(), { code: 0, signal: null });
});

test('brokers that are gone, and a role that is killed: Kafka gets every event, and the events wait in the journal meanwhile', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 2);
    const c = await sender(t, k, ', format: original, key: none, compression: none'), all = [];
    const send = async (n, what) => { const some = lines(n, what); all.push(...some); await sendSyslog(c.ports.syslog_tcp, some); };
    await send(500, 'first');
    await delivered(c, 500);
    await k.down();
    await send(500, 'second');
    await until('it is told', () => shown(c, 'bus').state === 'waiting' && shown(c, 'bus').last_error, 90);
    await k.up();
    await until('all is acknowledged', () => shown(c, 'bus').behind_events === 0, 90);
    for (let i = 0; i < 3; i++) {
        const pid = picture(c).pid;
        await send(4000, `kill ${i}`);
        await sleep(Math.random() * 400);
        kill9(pid);
        await until('it runs again', () => picture(c).pid && picture(c).pid !== pid, 60);
    }
    await until('all is acknowledged', () => shown(c, 'bus').behind_events === 0, 90);
    const there = (await k.read('logs')).map((m) => m.value);
    assert.equal(new Set(there).size, all.length, 'nothing is lost');
    t.diagnostic(`${there.length - all.length} of ${all.length} came twice`);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a topic that is not there, an event that is too large and settings that cannot work are told, and hold up nobody', async (t) => {
    const k = await kafka(t);
    await k.topic('logs', 1);
    const c = await sender(t, k, ', max_message_bytes: "2000"');
    await sendSyslog(c.ports.syslog_tcp, ['<13>1 - h app - - - before', `<13>1 - h app - - - ${'x'.repeat(3000)}`, '<13>1 - h app - - - behind']);
    await until('the others came', async () => shown(c, 'bus').behind_events === 0 && shown(c, 'bus').refused === 1);
    assert.deepEqual((await k.read('logs')).map((m) => JSON.parse(m.value).message), ['before', 'behind']);
    for (const [options, want] of [['{ format: json }', /"topic" is needed/], ['{ topic: a, format: xml }', /json or original/], ['{ topic: a, key: host }', /source, object or none/],
        ['{ topic: a, sasl: PLAIN }', /come together/], ['{ topic: a, batch: "1" }', /unknown option/]]) {
        c.config('', `forward:\n  upstreams:\n    - { name: bus, kind: kafka, address: "127.0.0.1:9092", options: ${options} }\n`);
        const r = await run(bin('saqshyd'), ['--check', '--config', c.file]);
        assert.equal(r.code, 2, options);
        assert.match(r.err, want);
    }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
