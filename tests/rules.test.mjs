// rules.test.mjs - rules as people write them: a folder with rules, a pipeline and a filter, checked and run over files.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saqshy } from './lib/centre.mjs';

const rule = `title: A shell of an administrator
id: 11111111-0000-4000-8000-000000000001
modified: 2026-03-01
logsource: { product: windows, category: process_creation }
detection:
  selection: { Image|endswith: '\\cmd.exe', SubjectUserName|expand: '%Administrators%' }
  condition: selection
`;
const pipeline = `name: Our site
vars: { Administrators: ['adm_*', root] }
`;
const filter = `title: The backup server
id: 11111111-0000-4000-8000-000000000002
logsource: { product: windows }
filter:
  rules: any
  selection: { Computer: backup1 }
  condition: not selection
`;
const start = (user, computer) => JSON.stringify({ EventID: 4688, Channel: 'Security', NewProcessName: 'C:\\Windows\\cmd.exe', SubjectUserName: user, Computer: computer });

function folder(t, files) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-rules-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    return dir;
}

test('a placeholder has the values of the site, 4688 is a process_creation, and a filter leaves one computer out', async (t) => {
    const dir = folder(t, { 'rule.yml': rule, 'site.yml': pipeline, 'filter.yml': filter, 'events.json': [start('adm_ann', 'pc1'), start('adm_ann', 'backup1'), start('guest', 'pc1')].join('\n') });
    const check = await saqshy(['rules', 'check', dir, '--json']);
    assert.equal(check.code, 0, check.out + check.err);
    assert.deepEqual(JSON.parse(check.out), { loaded: 1, unsupported: [], broken: [], remarks: [] });
    const hunt = await saqshy(['hunt', '--rules', dir, '--json', join(dir, 'events.json')]);
    assert.equal(hunt.code, 0, hunt.err);
    assert.deepEqual(hunt.out.split('\n').filter(Boolean).map((l) => JSON.parse(l).record), [1]);
});

test('without the values the rule is not supported, with file, line and reason; what is odd is a remark; neither is an error', async (t) => {
    const newer = rule.replace('2026-03-01', '2026-04-01').replace("SubjectUserName|expand: '%Administrators%'", 'SubjectUserName: root');
    const dir = folder(t, { 'a.yml': rule, 'b.yml': newer, 'c.yml': filter.replace('not selection', 'selection') });
    const check = await saqshy(['rules', 'check', dir, '--json']);
    assert.equal(check.code, 0, check.out + check.err);
    const told = JSON.parse(check.out);
    assert.equal(told.loaded, 1);
    assert.deepEqual(told.unsupported.map((r) => [r.file, r.line, /%Administrators%/.test(r.reason)]), [[join(dir, 'a.yml'), 6, true]]);
    assert.deepEqual(told.remarks.map((r) => [r.file, r.line, /keeps what it selects/.test(r.text)]), [[join(dir, 'c.yml'), 7, true]]);
});

test('of two rules with one id the newer runs, and the other is told', async (t) => {
    const dir = folder(t, { 'a.yml': rule.replace('2026-03-01', '2026-05-01'), 'b.yml': rule.replace('cmd.exe', 'other.exe'), 'site.yml': pipeline, 'events.json': start('root', 'pc1') });
    const check = await saqshy(['rules', 'check', dir]);
    assert.equal(check.code, 0, check.out);
    assert.match(check.out, /b\.yml:1:1: remark: replaced by .*a\.yml:1/);
    const hunt = await saqshy(['hunt', '--rules', dir, join(dir, 'events.json')]);
    assert.equal(hunt.code, 0, hunt.err);
});

test('a list of conditions is one match, which says which of them held', async (t) => {
    const dir = folder(t, { 'a.yml': "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  u: {b: x}\n  condition: [s and not u, u, s]\n", 'events.json': '{"a":"x","b":"x"}' });
    const hunt = await saqshy(['hunt', '--rules', dir, '--json', join(dir, 'events.json')]);
    assert.equal(hunt.code, 0, hunt.err);
    assert.deepEqual(JSON.parse(hunt.out).conditions, [1, 2]);
});
