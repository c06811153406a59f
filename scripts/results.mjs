// results.mjs - reads what the tests said, counts it, makes docs/traceability.md, and ends with the one line that counts.
//
// Input in the folder given: unit.json (meson's log, a JSON object a line, with the output of each cmocka program), system.tap (node:test),
// steps.tsv (status, suite, name, reason). A requirement row counts only if a test that names it ran and passed.
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const mode = (process.argv.find((a) => a.startsWith('--mode=')) ?? '--mode=all').slice(7);
const results = [];
const add = (status, suite, name, reason = '') => results.push({ status, suite, name, reason });
const read = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');

// A cmocka program tells each of its tests; one that says nothing counts as itself.
function takeUnit(run) {
    const text = `${run.stdout ?? ''}\n${run.stderr ?? ''}`;
    const why = (/^(?:skip|SKIP)[^:]*: *(.*)$/m.exec(text) ?? [])[1] ?? 'said no reason';
    const marks = { OK: 'passed', FAILED: 'failed', SKIPPED: 'skipped' };
    const seen = new Map();
    for (const m of text.matchAll(/^\[ +(OK|FAILED|SKIPPED) +\] (.+)$/gm)) {
        if (/test\(s\)/.test(m[2])) continue;
        if (!seen.has(m[2]) || m[1] === 'FAILED') seen.set(m[2].replace(/, listed below:$/, ''), marks[m[1]]);
    }
    for (const [name, status] of seen) add(status, run.name, name, status === 'skipped' ? why : '');
    if (run.result === 'SKIP') add('skipped', 'unit', run.name, why);
    else if (run.result !== 'OK') {
        if (![...seen.values()].includes('failed')) add('failed', 'unit', run.name, run.result);
        process.stderr.write(`--- ${run.name}: ${run.result}\n${text.split('\n').slice(-60).join('\n')}\n`);
    } else if (seen.size === 0) add('passed', 'unit', run.name);
}

function takeTap(tap) {
    let deepest = 0, childFailed = false;
    for (const line of tap.split('\n')) {
        const m = /^( *)(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO)(.*))?$/.exec(line);
        if (!m) continue;
        // A suite or file is told after its tests, less indented: it counts only if it failed by itself.
        const parent = m[1].length < deepest, ownFailure = m[2] === 'not ok' && !childFailed;
        deepest = m[1].length;
        childFailed = m[1].length > 0 && (childFailed || m[2] === 'not ok');
        if (parent && !ownFailure) continue;
        const status = m[4] === 'SKIP' ? 'skipped' : m[2] === 'ok' ? 'passed' : 'failed';
        add(status, 'system', m[3].replace(/\\#/g, '#'), (m[5] ?? '').trim());
    }
    if (/^not ok/m.test(tap)) process.stderr.write(tap.split('\n').filter((l) => !/^\s*(ok|#)/.test(l)).slice(0, 400).join('\n') + '\n' + read('system.err').slice(-4000));
}

for (const line of read('unit.json').split('\n')) if (line.trim()) takeUnit(JSON.parse(line));
takeTap(read('system.tap'));
for (const line of read('steps.tsv').split('\n')) if (line) add(...line.split('\t'));
if (mode !== 'fast' && !read('system.tap').trim()) add('failed', 'system', 'the whole-system tests ran', 'no output');

// --- traceability ---
const passedBy = new Map();
for (const r of results.filter((x) => x.status === 'passed'))
    for (const m of r.name.matchAll(/\b(R-[A0-9][0-9.]*(?:-[A-Z]*[0-9]+)|[DF]-\d\d)\b/g)) {
        if (!passedBy.has(m[1])) passedBy.set(m[1], []);
        passedBy.get(m[1]).push(`${r.suite}: ${r.name}`);
    }
if (mode !== 'fast' && existsSync('docs/requirements.tsv')) {
    const rows = readFileSync('docs/requirements.tsv', 'utf8').trim().split('\n').map((l) => l.split('\t'));
    const known = new Set(rows.map((r) => r[0]));
    for (const id of passedBy.keys()) if (!known.has(id)) add('failed', 'check', `a test names ${id}, which the catalogue does not have`);
    const shown = rows.filter(([id]) => passedBy.has(id)).length;
    const table = rows.map(([id, paragraph]) => `| ${id} | ${paragraph} | ${passedBy.has(id) ? [...new Set(passedBy.get(id))].join('<br>').replaceAll('|', '\\|') : 'not yet'} |`);
    const text = `# Traceability: requirement → test\n\nMade by \`./check\` from the output of the tests: a row counts only if a test that names it ran and passed.\n${shown} of ${rows.length} rows are shown by a test.\n\n| row | paragraph | shown by |\n|---|---|---|\n${table.join('\n')}\n`;
    const before = existsSync('docs/traceability.md') ? readFileSync('docs/traceability.md', 'utf8') : '';
    const claimed = [...before.matchAll(/^\| (\S+) \| [^|]*\| (?!not yet)/gm)].map((m) => m[1]);
    const lost = claimed.filter((id) => known.has(id) && !passedBy.has(id));
    if (lost.length && !results.some((r) => r.status === 'skipped')) add('failed', 'check', `docs/traceability.md claims rows that no test showed: ${lost.join(' ')}`);
    writeFileSync('docs/traceability.md', text);
}

for (const r of results) if (r.status === 'failed') console.log(`FAILED  ${r.suite}: ${r.name}${r.reason ? ` (${r.reason})` : ''}`);
for (const r of results) if (r.status === 'skipped') console.log(`skipped ${r.suite}: ${r.name} (${r.reason || 'said no reason'})`);
writeFileSync(join(folder, 'results.tsv'), results.map((r) => [r.status, r.suite, r.name, r.reason].join('\t')).join('\n') + '\n');
const count = (s) => results.filter((r) => r.status === s).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exit(count('failed') || !count('passed') ? 1 : 0);
