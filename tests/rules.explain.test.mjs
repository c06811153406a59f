// rules.explain.test.mjs - "saqshy rules explain": why a rule matches a record, or why not, over the kinds of files that hunt reads.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saqshy } from './lib/centre.mjs';

const rule = `title: A shell of an administrator
id: 11111111-0000-4000-8000-000000000001
name: shell
logsource: { product: windows, category: process_creation }
detection:
  selection: { Image|endswith: ['\\cmd.exe', '\\PowerShell.exe'] }
  arguments: { CommandLine|contains|all: [' /c ', whoami] }
  known: { Computer: backup1 }
  condition: selection and arguments and not known
level: high
---
title: Again and again
id: 11111111-0000-4000-8000-000000000002
correlation: { type: event_count, rules: shell, group-by: [Computer], timespan: 5m, condition: { gte: 3 }, generate: true }
`;
const sudo = `title: Sudo refused
id: 22222222-0000-4000-8000-000000000001
logsource: { product: linux, service: sudo }
detection: { s: { event.action: sudo, event.outcome: failure }, condition: s }
`;
const start = (image, line, computer) => JSON.stringify({ EventID: 4688, Channel: 'Security', NewProcessName: image, CommandLine: line, Computer: computer });
const events = [
    start('C:\\Windows\\cmd.exe', 'cmd /c whoami /all', 'pc1'),
    start('C:\\Windows\\cmd.exe', 'cmd /c whoami', 'backup1'),
    start('C:\\Windows\\notepad.exe', 'notepad', 'pc1'),
    JSON.stringify({ EventID: 4624, Channel: 'Security', Computer: 'pc1' }),
];

function folder(t, files) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-explain-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    return dir;
}
const objects = (text) => text.split('\n').filter(Boolean).map((l) => JSON.parse(l));
const leaf = (x, field) => x.condition.find((p) => p.kind === 'leaf' && p.field === field);

test('each record is told with the reason, and the answer is that of hunt', async (t) => {
    const dir = folder(t, { 'rule.yml': rule, 'events.json': events.join('\n') });
    const told = await saqshy(['rules', 'explain', 'shell', join(dir, 'events.json'), '--rules', dir, '--json']);
    assert.equal(told.code, 0, told.err);
    const rows = objects(told.out);
    assert.deepEqual(rows.map((r) => [r.record, r.explain.matches, r.explain.why]), [[1, true, 'matches'], [2, false, 'condition'], [3, false, 'condition'], [4, false, 'logsource']]);
    const hunt = await saqshy(['hunt', '--rules', dir, '--json', join(dir, 'events.json')]);
    assert.deepEqual(objects(hunt.out).map((r) => r.record), rows.filter((r) => r.explain.matches).map((r) => r.record));
    const image = leaf(rows[0].explain, 'Image');
    assert.deepEqual([image.holds, image.event_field, image.value, image.text, image.at, image.length], [true, 'NewProcessName', 'C:\\Windows\\cmd.exe', '\\cmd.exe', 10, 8]);
    const line = rows[0].event['event.original'], whoami = rows[0].explain.condition.find((p) => p.kind === 'leaf' && p.text === 'whoami');
    assert.equal(line.slice(whoami.in_line, whoami.in_line + whoami.length), 'whoami');
    assert.deepEqual([leaf(rows[2].explain, 'Image').holds, leaf(rows[2].explain, 'Image').value], [false, 'C:\\Windows\\notepad.exe']);
    assert.equal(leaf(rows[1].explain, 'Computer').holds, true, 'what is excepted is said');
});

test('as text, one record; a log line too, with the place in the line', async (t) => {
    const dir = folder(t, { 'rule.yml': rule, 'sudo.yml': sudo, 'events.json': events.join('\n'),
        'auth.log': 'Mar 19 03:00:00 srv1 sudo: aidana : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id\nMar 19 03:00:01 srv1 sudo: guest : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh\n' });
    const two = await saqshy(['rules', 'explain', '11111111-0000-4000-8000-000000000001', join(dir, 'events.json'), '--rules', dir, '--line', '3']);
    assert.equal(two.code, 1, two.err);
    assert.match(two.out, /events\.json:3 {2}"A shell of an administrator" does not match: its condition is not true/);
    assert.match(two.out, /- selection: Image ends with "\\cmd\.exe" \| "\\powershell\.exe" {3}but NewProcessName = "C:\\Windows\\notepad\.exe"/);
    const line = await saqshy(['rules', 'explain', join(dir, 'sudo.yml'), join(dir, 'auth.log')]);
    assert.equal(line.code, 0, line.err);
    assert.match(line.out, /auth\.log:2 {2}"Sudo refused" matches/);
    assert.match(line.out, /auth\.log:1 {2}"Sudo refused" does not match/);
});

test('of a correlation: its rules, and whether the event has what it groups by', async (t) => {
    const dir = folder(t, { 'rule.yml': rule, 'events.json': events[0] + '\n' + events[0].replace(',"Computer":"pc1"', '') + '\n' + events[2] });
    const told = await saqshy(['rules', 'explain', '11111111-0000-4000-8000-000000000002', join(dir, 'events.json'), '--rules', dir, '--json']);
    assert.deepEqual(objects(told.out).map((r) => r.explain.why), ['correlation', 'no_group', 'not_read'], told.err);
    assert.equal(objects(told.out)[1].explain.refs[0].missing, 'Computer');
});

test('a rule that is not there, one that is broken, a record that is not there: said, exit 2', async (t) => {
    const dir = folder(t, { 'rule.yml': rule, 'bad.yml': rule.replace(/11111111/g, '33333333').replace('name: shell', 'name: other').replace('endswith', 'endwith'), 'events.json': events[0] });
    const nobody = await saqshy(['rules', 'explain', 'nobody', join(dir, 'events.json'), '--rules', dir]);
    assert.equal(nobody.code, 2);
    assert.match(nobody.err, /no rule has the id, the name or the title "nobody"/);
    const broken = await saqshy(['rules', 'explain', '33333333-0000-4000-8000-000000000001', join(dir, 'events.json'), '--rules', dir]);
    assert.equal(broken.code, 2);
    assert.match(broken.err, /bad\.yml:6:\d+: .*endwith/);
    const late = await saqshy(['rules', 'explain', 'shell', join(dir, 'events.json'), '--rules', dir, '--line', '9']);
    assert.equal(late.code, 2);
    assert.match(late.err, /has no record 9/);
    for (const line of ['0', '-1', 'x']) assert.equal((await saqshy(['rules', 'explain', 'shell', 'x', '--line', line])).code, 2);
});
