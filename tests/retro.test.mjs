// retro.test.mjs - rules and indicators over events of then: saqshy hunt --store, saqshy rules preview, and new indicators that are searched back while the guard runs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centre, saqshy, sendSyslog, sleep, until, kill9 } from './lib/centre.mjs';

const rules = `title: Failed
id: 11111111-2222-4333-8444-000000000001
logsource: {}
detection:
  s: { event.action: ssh_login, event.outcome: failure }
  condition: s
level: low
---
title: Many
id: 11111111-2222-4333-8444-000000000002
correlation: { type: event_count, rules: [11111111-2222-4333-8444-000000000001], group-by: [source.ip], timespan: 1m, condition: { gte: 5 }, generate: true }
level: high
`;
const rare = 'title: Rare\nid: 11111111-2222-4333-8444-000000000003\nlogsource: {}\ndetection:\n  s: { user.name: zhanar }\n  condition: s\nlevel: medium\n';
const json = (r) => r.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const began = Date.now();
const stamp = (s) => new Date(began - 3600e3 + s * 1000).toISOString().replace(/\.\d+Z/, 'Z');
const line = (s, user, from) => `<38>1 ${stamp(s)} srv-db-1 sshd 900 - - Failed password for ${user} from ${from} port ${40000 + s} ssh2`;

async function imported(t, lines) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-retro-')), data = join(dir, 'data'), at = (f, text) => { writeFileSync(join(dir, f), text); return join(dir, f); };
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const file = at('in.log', lines.map((l) => l + '\n').join(''));
    const done = await saqshy(['import', '--data', data, file]);
    assert.equal(done.code, 0, done.err);
    return { data, file, at };
}

test('hunt --store tells of stored events what hunt tells of the file they came from, correlations too; times, objects and wrong words', async (t) => {
    const { data, file, at } = await imported(t, Array.from({ length: 60 }, (_, i) => line(i * 3, ['root', 'aidana', 'zhanar'][i % 3], `203.0.113.${i % 4}`)));
    for (const text of [rules, rare]) {
        const rule = at('r.yml', text);
        const of = (list) => list.map((m) => [m.record, m.time, m.rule.id, m.count, m.group, JSON.stringify(m.match)]);
        const there = await saqshy(['hunt', '--rules', rule, '--json', file]), here = await saqshy(['hunt', '--store', '--data', data, '--rules', rule, '--json']);
        assert.deepEqual([here.code, here.err], [0, '']);
        assert.ok(json(here).length >= 20 && json(here).every((m) => m.file === 'store' && m.event['event.original'].includes('Failed password')));
        assert.deepEqual(of(json(here)), of(json(there)));
    }
    const some = await saqshy(['hunt', '--store', '--data', data, '--rules', at('r.yml', rare), '--json', '--from', stamp(60), '--to', stamp(120)]);
    assert.deepEqual(json(some).map((m) => m.record), [21, 24, 27, 30, 33, 36, 39]);
    const none = await saqshy(['hunt', '--store', '--data', data, '--rules', at('r.yml', rare), '--object', 'nobody']);
    assert.deepEqual([none.code, none.out], [1, '']);
    // The rules of detection, when none are named.
    const own = await saqshy(['hunt', '--store', '--data', data, '--json']);
    assert.ok(json(own).some((m) => /guessing/.test(m.rule.title)), own.err);
    for (const [said, ...wrong] of [[/usage:/, '--store', 'file'], [/go with --store/, '--rules', 'r', '--from', 'now-1h', 'file'], [/later than/, '--store', '--from', 'now', '--to', 'now-1h'],
        [/could not read the data directory/, '--store', '--data', join(data, 'nowhere')]]) {
        const r = await saqshy(['hunt', ...wrong]);
        assert.equal(r.code, 2, r.out);
        assert.match(r.err, said);
    }
    assert.equal((await saqshy(['verify', '--data', data])).code, 0);
});

test('rules preview tells how often a rule would have found something, by day and object, with the first events; an exception counts, a refused rule is told', async (t) => {
    const { data, at } = await imported(t, Array.from({ length: 30 }, (_, i) => line(i, ['root', 'zhanar'][i % 2], '203.0.113.9')));
    const r = await saqshy(['rules', 'preview', at('r.yml', rare), '--data', data, '--days', '3', '--json']);
    assert.equal(r.code, 0, r.err);
    const told = JSON.parse(r.out), [rule] = told.rules;
    assert.deepEqual([told.complete, told.events, told.rules.length, rule.count, rule.level], [true, 30, 1, 15, 'medium']);
    assert.equal(rule.days.reduce((n, d) => n + d.count, 0), 15);
    assert.deepEqual(rule.objects, [{ id: '', count: 15 }]);
    assert.deepEqual(rule.samples.map((s) => s.seq), [2, 4, 6, 8, 10]);
    assert.match(rule.samples[0].line, /Failed password for zhanar/);
    const text = await saqshy(['rules', 'preview', at('r.yml', rare), '--data', data]);
    assert.match(text.out, /^Rare \(medium\): would have matched in the last 7 days: 15\n/);
    const broken = await saqshy(['rules', 'preview', at('b.yml', 'title: B\ndetection:\n  s: {a|nothing: 1}\n  condition: s\n'), '--data', data]);
    assert.equal(broken.code, 2);
    assert.match(broken.err, /b\.yml:\d+:\d+: (broken|not supported): /);
    assert.equal((await saqshy(['rules', 'preview', at('n.yml', rare.replace('zhanar', 'nobody')), '--data', data])).code, 1);
    assert.equal((await saqshy(['rules', 'preview', '--data', data])).code, 2);
});

test('a new indicator is found in events that were there before it, each once, though detection is killed while it searches back', async (t) => {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    await c.start();
    const lines = Array.from({ length: 400 }, (_, i) => `<38>Nov 24 10:00:00 srv-db-1 sshd[900]: Accepted password for aidana from 203.0.113.${i % 40} port ${40000 + i} ssh2`);
    await sendSyslog(c.ports.syslog, lines);
    await until('all are stored', async () => (await c.events('aidana', '--limit', '0')).length === 400);
    await c.stop();      // so that detection has looked at them, with its state saved
    const feed = join(c.data, 'feed.txt');
    writeFileSync(feed, 'type;value;confidence\nip;203.0.113.7;90\n');
    assert.equal((await saqshy(['intel', 'import', '--data', c.data, '--source', 'kz-cert', feed])).code, 0);
    await c.start();
    for (let i = 0; i < 3; i++) {
        kill9(await c.running('detect'));
        await sleep(300 + 900 * i);
    }
    const analyst = await c.signedIn('centre_analyst');
    const found = await until('a case of the indicator', async () => (await analyst.get('/cases')).json.items.find((x) => /^ioc-/.test(x.rule?.id ?? '')), 120);
    // Hits of one host, user, program and address within an hour are one episode: its first finding at once, the others counted behind it.
    const seen = async () => (await analyst.get(`/cases/${found.id}`)).json.findings;
    const back = await until('all ten are told', async () => { const f = await seen(); return f.some((x) => x['saqshy.hits_total'] === '10') && f; }, 90);
    assert.equal(back.reduce((n, f) => n + Number(f['saqshy.hits']), 0), 10);
    assert.ok(back.every((f) => f['saqshy.searched_back'] === 'true'));
    // What comes from now on is found live, and says so.
    await sendSyslog(c.ports.syslog, [lines[7]]);
    const more = await until('the eleventh', async () => { const f = await seen(); return f.length > back.length && f; }, 90);
    assert.deepEqual(more.filter((f) => !f['saqshy.searched_back']).map((f) => f['saqshy.hits']), ['1']);
    await c.stop();
});
