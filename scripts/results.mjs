// results.mjs - reads what the tests said, counts it, makes docs/traceability.md, and ends with the one line that counts.
//
// Input in the folder given: unit.json (meson's log, a JSON object a line, with the output of each cmocka program), system.tap (node:test),
// steps.tsv (status, suite, name, reason). A requirement row counts only if a test that names it ran and passed.
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const mode = (process.argv.find((a) => a.startsWith('--mode=')) ?? '--mode=all').slice(7);
const results = [];
/** `why` are lines that a reader needs to understand a failure. */
const add = (status, suite, name, reason = '', why = []) => results.push({ status, suite, name, reason, why });
const read = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');

// Whoever looks may see the last hundred lines only: what failed stands there whole, but bounded.
const WHY_LINES = 30, WHY_ALL_LINES = 70, LINE = 300, PAGE_LINE = 1600;
const bounded = (lines, most) => (lines.length <= most ? lines : [...lines.slice(0, Math.ceil(most / 2)), `(${lines.length - most} lines left out)`, ...lines.slice(-Math.floor(most / 2))]);
const cut = (line) => line.slice(0, /^\s*page https?:/.test(line) ? PAGE_LINE : LINE);

/** What cmocka and the sanitizers said of one test: the lines before its mark, or the report of a crash. */
function whyUnit(text, name) {
    const lines = text.split('\n'), crash = lines.findIndex((l) => /ERROR: \w+Sanitizer|runtime error:/.test(l));
    if (crash >= 0) return lines.slice(crash, crash + 20);
    const at = lines.findIndex((l) => /^\[ +FAILED +\]/.test(l) && l.includes(name));
    if (at < 0) return lines.filter((l) => l.trim()).slice(-20);
    let from = at;
    while (from > 0 && at - from < 15 && !/^\[ +RUN/.test(lines[from - 1])) from--;
    return lines.slice(from, at);
}

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
    for (const [name, status] of seen) add(status, run.name, name, status === 'skipped' ? why : '', status === 'failed' ? whyUnit(text, name) : []);
    if (run.result === 'SKIP') add('skipped', 'unit', run.name, why);
    else if (run.result !== 'OK') {
        if (![...seen.values()].includes('failed')) add('failed', 'unit', run.name, run.result, whyUnit(text, run.name));
    } else if (seen.size === 0) add('passed', 'unit', run.name);
}

/** The message and the stack out of the block below a «not ok» of TAP; of a file that broke as a whole, also what it wrote. */
function whyTap(lines, at) {
    if (!/^\s*---$/.test(lines[at + 1] ?? '')) return [];
    const end = lines.findIndex((l, i) => i > at + 1 && /^\s*\.\.\.$/.test(l));
    const block = lines.slice(at + 2, end < 0 ? at + 60 : end), out = [];
    let kept = false;
    for (const l of block) {
        const field = /^ {2,}(\w+): /.exec(l);
        if (field && l.search(/\S/) === block[0].search(/\S/)) kept = ['location', 'error', 'stack', 'exitCode', 'signal'].includes(field[1]);
        if (kept && l.trim()) out.push(l.trimEnd());
    }
    if (!block.some((l) => /exitCode: /.test(l))) return out;
    let from = at;
    while (from > 0 && at - from < 60 && !/^\s*(ok|not ok) \d/.test(lines[from - 1])) from--;
    return [...out, ...lines.slice(from, at).filter((l) => l.startsWith('# ') && !l.startsWith('# Subtest')).slice(-15)];
}

/** Each test of an output in TAP: its status, name, reason, why. */
function* tests(tap) {
    const lines = tap.split('\n');
    let deepest = 0, childFailed = false;
    for (const [at, line] of lines.entries()) {
        const m = /^( *)(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO)(.*))?$/.exec(line);
        if (!m) continue;
        // A suite or file is told after its tests, less indented: it counts only if it failed by itself.
        const parent = m[1].length < deepest, ownFailure = m[2] === 'not ok' && !childFailed;
        deepest = m[1].length;
        childFailed = m[1].length > 0 && (childFailed || m[2] === 'not ok');
        if (parent && !ownFailure) continue;
        const status = m[4] === 'SKIP' ? 'skipped' : m[2] === 'ok' ? 'passed' : 'failed';
        yield { status, name: m[3].replace(/\\#/g, '#'), reason: (m[5] ?? '').trim(), why: status === 'failed' ? whyTap(lines, at) : [] };
    }
}

/** A step of ./check that failed: the tests in its output that failed, or the end of it. */
function whyStep(file) {
    if (!file || !existsSync(file)) return [];
    const text = readFileSync(file, 'utf8'), failed = [...tests(text)].filter((x) => x.status === 'failed');
    if (failed.length > 0) return failed.flatMap((x) => [`in it: ${x.name}`, ...bounded(x.why, Math.max(6, Math.floor(WHY_LINES / failed.length)))]);
    return text.split('\n').filter((l) => l.trim()).slice(-20);
}

function takeStep([status, suite, name, reason, file]) {
    add(status, suite, name, reason, status === 'failed' ? whyStep(file) : []);
}

for (const line of read('unit.json').split('\n')) if (line.trim()) takeUnit(JSON.parse(line));
for (const x of tests(read('system.tap'))) add(x.status, 'system', x.name, x.reason, x.why);
for (const line of read('steps.tsv').split('\n')) if (line) takeStep(line.split('\t'));
if (mode !== 'fast' && !read('system.tap').trim()) add('failed', 'system', 'the whole-system tests ran', 'no output', read('system.err').trim().split('\n').slice(-20));

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

for (const r of results) if (r.status === 'skipped') console.log(`skipped ${r.suite}: ${r.name} (${r.reason || 'said no reason'})`);
const failed = results.filter((r) => r.status === 'failed');
const each = Math.min(WHY_LINES, Math.max(3, Math.floor(WHY_ALL_LINES / Math.max(1, failed.length))));
for (const r of failed) {
    console.log(`FAILED  ${r.suite}: ${r.name}${r.reason ? ` (${r.reason})` : ''}`);
    for (const line of bounded(r.why.map(cut), each)) console.log(`        ${line}`);
}
if (failed.length) console.log(`The whole output of each test is in ${folder}.`);
writeFileSync(join(folder, 'results.tsv'), results.map((r) => [r.status, r.suite, r.name, r.reason].join('\t')).join('\n') + '\n');
const count = (s) => results.filter((r) => r.status === s).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exit(count('failed') || !count('passed') ? 1 : 0);
