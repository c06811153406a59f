// hunt.test.mjs - saqshy hunt over files of all kinds, as they are and compressed: one line of JSON a match, in the order of the files; and saqshy import
// of event logs of Windows. The event logs are the seeds of the reader's fuzz target, which src/parse/test_evtx.c writes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root, saqshy } from './lib/centre.mjs';
import { zstd } from './lib/zstd.mjs';

const rule = `title: Ann is here
id: 11111111-2222-3333-4444-555555555555
level: high
tags: [attack.t1078]
logsource: {}
detection:
  windows: {EventID: 7, User: ann}
  line: [needle]
  json: {k: x}
  condition: 1 of them
`;

/** An event log: a head, and each seed as a chunk of 64 KiB. */
function evtx(...seeds) {
    const head = Buffer.alloc(4096), chunks = seeds.map((s) => Buffer.concat([readFileSync(join(root, 'fuzz/seeds/parse_evtx', s)), Buffer.alloc(65536)]).subarray(0, 65536));
    head.write('ElfFile\0');
    head.writeUInt16LE(4096, 40);
    return Buffer.concat([head, ...chunks]);
}

function folder(t) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-hunt-')), at = (f) => join(dir, f);
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(at('rule.yml'), rule);
    return at;
}

test('hunt tells one line a match from event logs, JSON, syslog and audit logs, in their order, whatever they are compressed with', async (t) => {
    const at = folder(t);
    writeFileSync(at('a.evtx'), evtx('00.chunk', '02.chunk', '01.chunk'));
    writeFileSync(at('b.json'), '{"k":"y"}\n{"k":"x","time":"2026-03-19T03:00:00Z"}\n');
    writeFileSync(at('c.log'), 'Mar 19 03:00:00 srv1 app: nothing\nMar 19 03:00:01 srv1 app: a needle\n');
    writeFileSync(at('d.audit'), 'type=SYSCALL msg=audit(1774000000.415:7): syscall=59 comm="needle"\ntype=EOE msg=audit(1774000000.415:7):\n');
    writeFileSync(at('e.gz'), gzipSync(evtx('01.chunk')));
    writeFileSync(at('f'), zstd('one\ntwo needles\n'));
    const files = ['a.evtx', 'b.json', 'c.log', 'd.audit', 'e.gz', 'f'];
    const r = await saqshy(['hunt', '--rules', at('rule.yml'), '--json', ...files.map(at)]);
    assert.deepEqual([r.code, r.err], [0, '']);
    const found = r.out.trim().split('\n').map((l) => JSON.parse(l));
    assert.deepEqual(found.map((m) => [m.file, m.record]), [['a.evtx', 1], ['a.evtx', 1], ['a.evtx', 1], ['b.json', 2], ['c.log', 2], ['d.audit', 1], ['e.gz', 1], ['f', 2]]
        .map(([f, n]) => [at(f), n]));
    const [first] = found;
    assert.deepEqual(Object.keys(first), ['file', 'record', 'time', 'rule', 'match', 'event']);
    assert.equal(first.time, '2025-03-15T00:00:00Z');
    assert.deepEqual([first.rule.id, first.rule.title, first.rule.level, first.rule.tags], ['11111111-2222-3333-4444-555555555555', 'Ann is here', 'high', ['attack.t1078']]);
    assert.deepEqual(first.match, [{ field: 'EventID', value: '7', at: 0 }, { field: 'User', value: 'ann', at: 0 }]);
    assert.equal(first.event['winlog.event_data.User'], 'ann');
    assert.match(first.event['event.original'], /^<Event xmlns=.*<Data Name="User">ann<\/Data>.*<\/Event>$/);
});

test('the name of a file does not drive the terminal', async (t) => {
    const at = folder(t);
    writeFileSync(at('\x1b[2Ja\u009b.log'), 'Mar 19 03:00:01 srv1 app: a needle\n');
    const r = await saqshy(['hunt', '--rules', at('rule.yml'), at('\x1b[2Ja\u009b.log'), at('\x1b[2Jnone')]);
    assert.match(r.out, /\/\?\[2Ja\?\.log:1 /);
    assert.match(r.err, /\/\?\[2Jnone/);
    assert.doesNotMatch(r.out + r.err, /[\x1b\u009b]/);
});

test('hunt tells what of an event log it cannot read, and goes on', async (t) => {
    const at = folder(t), log = evtx('00.chunk', '00.chunk');
    log[4096 + 512 + 24 + 4 + 10 + 4] ^= 1;   // the template of the first chunk is another one now
    log.fill(0, 4096 + 65536, 4096 + 65536 + 512);   // the second has lost its head
    writeFileSync(at('log'), log.subarray(0, 4096 + 65536 + 1500));   // and the file its end
    const r = await saqshy(['hunt', '--rules', at('rule.yml'), '--json', at('log')]);
    assert.equal(r.code, 0);
    assert.match(r.err, /log, record 1, skipping: its template is not in the chunk/);
    assert.deepEqual(r.out.trim().split('\n').map((l) => JSON.parse(l).record), [1]);
});

test('import stores the records of event logs as XML, which is parsed again as it was', async (t) => {
    const at = folder(t), data = at('data');
    writeFileSync(at('log'), evtx('00.chunk', '01.chunk', '03.chunk'));
    const r = await saqshy(['import', '--data', data, '--json', at('log')]);
    assert.deepEqual([r.code, r.err, JSON.parse(r.out)], [0, '', { lines: 4, unparsed: 0 }]);
    const rows = (await saqshy(['search', 'event.code:7', '--data', data, '--json', '--limit', '0'])).out.trim().split('\n').map((l) => JSON.parse(l));
    assert.deepEqual(rows.map((e) => e['winlog.event_data.User'] ?? e['winlog.user_data.SubjectUserName']).sort(), ['ann', 'ann', 'ann', 'bob']);
    assert.ok(rows.every((e) => e['saqshy.parser'] === 'windows' && e['event.original'].startsWith('<Event ')));
});
