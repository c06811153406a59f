// check.test.mjs - what the end of ./check says of a failure: enough to understand it, never more than fits.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './lib/centre.mjs';

/** The output of node's tests with this text, and how the end of ./check tells it. */
async function told(t, text, more = () => undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'saqshy-check-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'made.test.mjs');
    writeFileSync(file, text);
    const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => k !== 'NODE_TEST_CONTEXT' && k !== 'NODE_OPTIONS'));
    const tap = await run(process.execPath, ['--test', '--test-reporter=tap', file], { env });
    more(folder, tap.out);
    if (more.length === 0) writeFileSync(join(folder, 'system.tap'), tap.out);
    const a = await run(process.execPath, [join(root, 'scripts/results.mjs'), folder, '--mode=fast'], { env });
    return { code: a.code, lines: a.out.trimEnd().split('\n') };
}

test('a failed test is told with its whole message and stack, beside its name', async (t) => {
    const { code, lines } = await told(t, `import { test } from 'node:test';
        test('one', () => {});
        test('two', () => { throw new Error('first words\\nsecond words\\npage https://127.0.0.1/#/cases: Seen words'); });`);
    assert.equal(code, 1);
    assert.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped');
    const at = lines.findIndex((l) => l.startsWith('FAILED  system: two'));
    const why = lines.slice(at + 1).join('\n');
    assert.match(why, /first words[\s\S]*second words[\s\S]*page https:\/\/127\.0\.0\.1\/#\/cases: Seen words[\s\S]*made\.test\.mjs:3/);
});

test('many failures and long messages stay within a hundred lines, each with its name', async (t) => {
    const { lines } = await told(t, `import { test } from 'node:test';
        for (let i = 0; i < 12; i++) test('broken ' + i, () => { throw new Error(Array.from({ length: 400 }, (_, n) => 'line ' + n + ' ' + 'x'.repeat(5000)).join('\\n')); });`);
    assert.ok(lines.length <= 100, `${lines.length} lines`);
    assert.ok(lines.every((l) => l.length < 2000));
    for (let i = 0; i < 12; i++) assert.ok(lines.some((l) => l.includes(`broken ${i}`) && l.startsWith('FAILED')), `broken ${i}`);
});

test('a step that runs tests of its own tells which of them failed and why; a file that breaks tells what it wrote', async (t) => {
    const step = await told(t, `import { test } from 'node:test'; test('a page', () => { throw new Error('the page is 5 px too wide'); });`,
        (folder, out) => { writeFileSync(join(folder, 'step.log'), out); writeFileSync(join(folder, 'steps.tsv'), `failed\tcheck\tthe pages stand\t\t${join(folder, 'step.log')}\n`); });
    assert.match(step.lines.join('\n'), /FAILED {2}check: the pages stand[\s\S]*in it: a page[\s\S]*the page is 5 px too wide/);
    const broken = await told(t, `import 'node:nothing-of-this-name';`);
    assert.match(broken.lines.join('\n'), /FAILED {2}system[\s\S]*nothing-of-this-name/);
});
