// replay.test.mjs - a range of time again: printed in order, through the rules and through the parsers of today; nothing is written by it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saqshy, until } from './lib/centre.mjs';

async function imported(t, lines) {
    const data = mkdtempSync(join(tmpdir(), 'saqshy-replay-')), file = join(data, 'in.log');
    t.after(() => rmSync(data, { recursive: true, force: true }));
    writeFileSync(file, lines.map((l) => l + '\n').join(''));
    const done = await saqshy(['import', '--data', data, file]);
    assert.equal(done.code, 0, done.err);
    return data;
}
const stamp = (s) => new Date(Date.UTC(2026, 10, 24, 10, 0, 0) + s * 1000).toISOString().replace('.000', '');
const json = (r) => r.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const range = ['--from', '2026-11-24T10:00:00Z', '--to', '2026-11-24T10:01:00Z'];

test('each event of the range once, oldest first, from included and to not; a query narrows it', async (t) => {
    const data = await imported(t, [59, 3, 60, 0, 30].map((s) => `<13>1 ${stamp(s)} srv app - - - line ${s}`).concat(`<13>1 ${stamp(3)} srv app - - - other 3`));
    const all = await saqshy(['replay', '--data', data, ...range]);
    assert.equal(all.code, 0, all.err);
    assert.deepEqual(json(all).map((e) => /(line|other) (\d+)/.exec(e['event.original'])[0]), ['line 0', 'line 3', 'other 3', 'line 30', 'line 59']);
    assert.match(all.err, /5 events/);
    const some = await saqshy(['replay', '--data', data, ...range, 'other']);
    assert.deepEqual(json(some).map((e) => e['event.original'].slice(-7)), ['other 3']);
    const none = await saqshy(['replay', '--data', data, '--from', '2020-01-01', '--to', '2020-01-02']);
    assert.equal(none.code, 1);
    const verdict = await saqshy(['verify', '--data', data]);
    assert.equal(verdict.code, 0, verdict.out);
});

test('--detect runs the rules of today over events of then, correlations too, and opens nothing', async (t) => {
    const data = await imported(t, Array.from({ length: 20 }, (_, i) => `<38>1 ${stamp(i)} srv-db-1 sshd 900 - - Failed password for root from 203.0.113.77 port ${40000 + i} ssh2`));
    const found = await saqshy(['replay', '--data', data, ...range, '--detect', '--json']);
    assert.equal(found.code, 0, found.err + found.out);
    assert.ok(json(found).some((m) => m.rule), found.out);
    const rules = join(data, 'own');
    mkdirSync(rules);
    writeFileSync(join(rules, 'r.yml'), 'title: Nothing like it\nid: 7d1c6a3e-1111-4222-8333-444455556666\nlogsource: {product: linux}\ndetection:\n  words: [nowhere to be found]\n  condition: words\nlevel: low\n');
    const none = await saqshy(['replay', '--data', data, ...range, '--detect', '--rules', rules]);
    assert.equal(none.code, 1, none.err + none.out);
});

test('--reparse tells what the parsers of today make of the originals: nothing differs at first, a new parser shows with counts and examples', async (t) => {
    const data = await imported(t, Array.from({ length: 7 }, (_, i) => `<13>1 ${stamp(i)} srv widgetd 1 - - widget ${i} turned by alice`));
    const same = await saqshy(['replay', '--data', data, ...range, '--reparse']);
    assert.equal(same.code, 0, same.out + same.err);
    assert.match(same.out, /^7 events, 0 differ/);
    mkdirSync(join(data, 'parsers'));
    const lines = join(data, 'lines');
    writeFileSync(lines, Array.from({ length: 7 }, (_, i) => `<13>1 ${stamp(i)} srv widgetd 1 - - widget ${i} turned by alice\n`).join(''));
    const draft = await saqshy(['parsers', 'draft', '--id', 'widgetd', lines]);
    assert.equal(draft.code, 0, draft.err);
    writeFileSync(join(data, 'parsers/widgetd.yaml'), draft.out);
    const now = await saqshy(['replay', '--data', data, ...range, '--reparse', '--json']);
    assert.equal(now.code, 1, now.out + now.err);
    const [told] = json(now), pair = told.parsers.find((p) => p.differ > 0);
    assert.equal(told.events, 7);
    assert.equal(told.differ, 7);
    assert.equal(pair.events, 7);
    assert.equal(pair.examples.length, 3);
    assert.ok(pair.examples[0].original.includes('turned by alice'));
    assert.ok(pair.examples[0].fields.length > 0);
    assert.match((await saqshy(['replay', '--data', data, ...range, '--reparse'])).out, /7 of 7 /);
});

test('--reparse shows examples of lines in any language and encoding, however long', async (t) => {
    const line = (i) => `<13>1 ${stamp(i)} srv widgetd 1 - - widget a${'ұ'.repeat(300)}${i} turned by алия`;
    const data = await imported(t, [line(1), line(2)]);
    mkdirSync(join(data, 'parsers'));
    const lines = join(data, 'lines');
    writeFileSync(lines, `${line(1)}\n${line(2)}\n`);
    const draft = await saqshy(['parsers', 'draft', '--id', 'widgetd', lines]);
    assert.equal(draft.code, 0, draft.err);
    writeFileSync(join(data, 'parsers/widgetd.yaml'), draft.out);
    const [told] = json(await saqshy(['replay', '--data', data, ...range, '--reparse', '--json']));
    assert.equal(told.differ, 2);
    const examples = told.parsers.flatMap((p) => p.examples);
    assert.equal(examples.length, 2, JSON.stringify(told));
    assert.match(examples[0].original, /widget aұұұ/);
    assert.ok(examples[0].fields.length > 0);
    assert.ok(examples[0].fields.every((f) => f.field), JSON.stringify(examples[0].fields));
});

test('--upstream sends once more to an upstream of the configuration: all that pass its filter, in order; a server that is away is told', async (t) => {
    const data = await imported(t, Array.from({ length: 3000 }, (_, i) => `<13>1 ${stamp(i / 100)} srv app - - - ${i % 3 ? 'wanted' : 'other'} ${i}.`));
    let text = '';
    const server = net.createServer((s) => { s.on('data', (d) => { text += d; }); s.on('error', () => {}); });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.after(() => server.close());
    const config = join(data, 'saqshyd.yaml');
    const write = (port) => writeFileSync(config, `data: .\nroles: [forward]\nforward:\n  upstreams:\n    - name: old-siem\n      kind: syslog_tcp\n      address: 127.0.0.1:${port}\n      filter: wanted\n`);
    write(server.address().port);
    for (let round = 1; round <= 2; round++) {
        const r = await saqshy(['replay', '--data', data, ...range, '--upstream', 'old-siem']);
        assert.equal(r.code, 0, r.err);
        assert.match(r.err, /2000 events were acknowledged, 0 refused/);
        await until('all came', () => (text.match(/wanted \d+\./g) ?? []).length === 2000 * round);
    }
    const want = Array.from({ length: 3000 }, (_, i) => i).filter((i) => i % 3);
    assert.deepEqual(text.match(/wanted \d+\./g).map((w) => Number(w.slice(7, -1))), [...want, ...want]);
    assert.equal(text.includes('other'), false);
    const strange = await saqshy(['replay', '--data', data, ...range, '--upstream', 'nobody']);
    assert.equal(strange.code, 2);
    assert.match(strange.err, /there is no upstream "nobody"/);
    write(1);
    const away = await saqshy(['replay', '--data', data, ...range, '--upstream', 'old-siem']);
    assert.equal(away.code, 2, away.err);
});

test('what is wrong on the command line is told', async (t) => {
    const data = await imported(t, ['x']);
    for (const [args, story] of [[[], /--from is missing/], [['--from', 'yesterdayish'], /yesterdayish/], [['--from', '2026-11-24', '--to', '2026-11-23'], /--to must be later/],
        [['--from', '2026-11-24', '--detect', '--reparse'], /exclude each other/], [['--from', '2026-11-24', '--upstream', 'x'], /saqshyd.yaml/], [['--from', '2026-11-24', '--config', 'x'], /--config goes with/], [['--from', '2026-11-24', '--rules', '/x'], /--rules goes with --detect/], [['--from', '2026-11-24', 'a', 'b'], /one QUERY/],
        [['--from', '2026-11-24', '(a'], /./], [['--from', '2026-11-24', '--data', '/nowhere'], /could not read/]]) {
        const r = await saqshy(['replay', '--data', data, ...args]);
        assert.equal(r.code, 2, args.join(' '));
        assert.match(r.err, story, args.join(' '));
    }
});
