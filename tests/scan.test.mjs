// scan.test.mjs - every report of ../shared/data/scans through `saqshy scan`: how many things it finds, which of them the source of the reports makes
// one, what is known of them, and that a broken report is refused and not half believed.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, saqshy } from './lib/centre.mjs';
import { dirOf, exceptions, factFields, items, mergeOf, refused, readText, structureWrong } from './lib/scans.mjs';

const scans = join(root, '../shared/data/scans');
const skip = existsSync(scans) ? false : '../shared/data/scans is not here';
const expectations = skip ? [] : readFileSync(join(scans, 'expectations.tsv'), 'utf8').trimEnd().split('\n').slice(1).map((l) => {
    const [file, , findings, , , structure] = l.split('\t');
    return { file, findings: findings === '' ? [] : findings.split('|').map(Number), structure };
});
// The reports of the OpenSCAP project have a table of their own, and the tutorials of SARIF have none: they are counted all the same.
const counted = skip ? [] : [...expectations, ...readFileSync(join(scans, 'openscap-project/structure.tsv'), 'utf8').trimEnd().split('\n').slice(1).map((l) => {
    const [file, , structure] = l.split('\t');
    return { file: `openscap-project/${file}`, structure };
}), ...[...filesBelow(join(scans, 'sarif-tutorials'))].map((f) => ({ file: `sarif-tutorials/${f}`, structure: '' }))];
const facts = skip ? [] : readFileSync(join(scans, 'facts.jsonl'), 'utf8').trimEnd().split('\n').map((l) => JSON.parse(l));

function* filesBelow(folder, at = '') {
    for (const name of readdirSync(join(folder, at)).sort()) {
        const path = at ? `${at}/${name}` : name;
        if (statSync(join(folder, path)).isDirectory()) yield* filesBelow(folder, path);
        else yield path;
    }
}

/* saqshy scan over many files in one process: what it says of each. */
async function read(files, ...options) {
    const found = new Map(files.map((f) => [f, { findings: [], covers: [], report: null, refused: null }]));
    const a = await saqshy(['scan', '--json', '--covers', ...options, ...files]);
    for (const line of a.out.split('\n').filter(Boolean)) {
        const x = JSON.parse(line), at = found.get(x.file);
        assert.ok(at, `a line of a file that was not asked for: ${line.slice(0, 200)}`);
        if (x.format) at.report = x;
        else if (x.ran) at.covers.push(x);
        else at.findings.push({ cwe: [], cve: [], references: [], tags: [], occurrences: 1, status: 'open', ...x });
    }
    for (const line of a.err.split('\n').filter(Boolean)) {
        const file = files.find((f) => line.startsWith(`saqshy scan: ${f}:`));
        assert.ok(file, `said of no file: ${line.slice(0, 300)}`);
        found.get(file).refused = line.slice('saqshy scan: '.length + file.length);
    }
    assert.equal(a.code, [...found.values()].some((x) => x.refused) ? 1 : 0, a.err.slice(0, 1000));
    return found;
}

const files = skip ? [] : [...filesBelow(scans)].filter((f) => !f.endsWith('.tsv') && f !== 'facts.jsonl' && !/\.(md|txt\.zst)$/.test(f));
const whole = new Map();     // file -> what was read of it
let folder;

before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'saqshy-scan-'));
    if (skip) return;
    const paths = files.map((f) => join(scans, f));
    const found = await read(paths), summaries = await read(paths, '--summary');
    files.forEach((f, i) => whole.set(f, { ...found.get(paths[i]), report: summaries.get(paths[i]).report }));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/* Every wrong row of a table is told, not only the first. */
function all(wrong) { assert.equal(wrong.length, 0, `${wrong.length} wrong:\n${wrong.join('\n')}`); }

test('every file of the collection is read, or refused for a reason that stands in the table', { skip }, () => {
    const wrong = [];
    for (const f of files) {
        const r = whole.get(f), empty = statSync(join(scans, f)).size === 0;
        const why = empty ? 'holds not one byte' : refused[f];
        if (why && !r.refused) wrong.push(`${f}: is read, but it ${why}`);
        if (!why && r.refused) wrong.push(`${f}: is refused${r.refused}`);
        if (why && r.findings.length + r.covers.length > 0) wrong.push(`${f}: is refused, and gives findings`);
        if (empty && r.refused && !/:1:1: the report is empty/.test(r.refused)) wrong.push(`${f}: is empty, and told otherwise: ${r.refused}`);
    }
    all(wrong);
});

test('as many things are found as a count by other means gives, and the counts of structure are those that were read', { skip }, () => {
    const wrong = [];
    for (const { file, structure } of counted) {
        const r = whole.get(file);
        if (r.refused) continue;
        const text = readText(join(scans, file)), count = items[dirOf(file)];
        if (!count) wrong.push(`${file}: nobody counts this format`);
        else if (count(text, file) !== r.findings.length) wrong.push(`${file}: ${r.findings.length} findings, counted otherwise ${count(text, file)}`);
        if (r.report.findings !== r.findings.length) wrong.push(`${file}: the summary says ${r.report.findings} findings, there are ${r.findings.length}`);
        if (r.report.covers !== r.covers.length) wrong.push(`${file}: the summary says ${r.report.covers} covers, there are ${r.covers.length}`);
        for (const w of structureWrong(file, structure, text, r)) wrong.push(`${file}: ${w}`);
    }
    all(wrong);
});

test('each difference from the number of findings that the source states follows from a rule with a name', { skip }, () => {
    const wrong = [];
    for (const { file, findings } of expectations) {
        const r = whole.get(file);
        if (findings.length === 0) continue;
        if (r.refused) { if (findings.some((n) => n > 0)) wrong.push(`${file}: refused, the source has ${findings}`); continue; }
        const m = mergeOf(file), n = m.count(r.findings, r.covers, readText(join(scans, file)));
        if (!findings.includes(n)) wrong.push(`${file}: ${r.findings.length} findings, by the rule "${m.rule}" ${n}, the source has ${findings.join(' or ')}`);
    }
    all(wrong);
});

test('every fact that the source states of a finding holds for one of ours, all facts of a finding at once', { skip }, () => {
    const wrong = [], groups = new Map(), used = new Set();
    for (const x of facts) {
        const key = JSON.stringify([x.file, x.finding, x.test]);
        groups.set(key, [...(groups.get(key) ?? []), x]);
    }
    for (const list of groups.values()) {
        const { file, finding, test: by } = list[0], { findings } = whole.get(file), m = mergeOf(file);
        const piles = new Map();
        for (const f of findings) piles.set(m.key(f), [...(piles.get(m.key(f)) ?? []), f]);
        const failing = (f) => list.filter((x) => !(factFields[x.field] ?? (() => false))(f, x.value, { file, pile: piles.get(m.key(f)) }));
        const best = findings.map((f) => ({ f, left: failing(f) })).sort((a, b) => a.left.length - b.left.length)[0];
        if (!best) wrong.push(`${file} [${finding}]: no findings at all`);
        else for (const x of best.left) {
            const e = exceptions.find((y) => y.file === file && y.field === x.field);
            if (e) used.add(e);
            else wrong.push(`${file} [${finding}] ${by}: ${x.field} ${JSON.stringify(x.value).slice(0, 200)}; the nearest has ${JSON.stringify(best.f).slice(0, 700)}`);
        }
    }
    for (const e of exceptions) if (!used.has(e)) wrong.push(`the exception of ${e.file} ${e.field} excepts nothing`);
    all(wrong);
});

/* A document is one piece of XML or JSON: without its end it is nothing. Lines and tables are whole up to where they were cut. */
const isDocument = (text) => { if (/^\uFEFF?\s*</.test(text)) return true; try { JSON.parse(text); return true; } catch { return false; } };
const bare = (f) => JSON.stringify({ ...f, file: null, record_line: null });

test('a file that is cut is refused with its place, or read up to the cut, and never half believed', { skip }, async () => {
    const cuts = [], wrong = [];
    for (const f of files) {
        const bytes = readFileSync(join(scans, f));
        if (bytes.length < 40 || refused[f]) continue;
        for (const part of [0.3, 0.61, 0.95]) {
            const path = join(folder, `cut${cuts.length}`);
            writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * part)));
            cuts.push({ path, f, part, document: isDocument(bytes.toString('utf8')) });
        }
    }
    const found = await read(cuts.map((c) => c.path));
    for (const { path, f, part, document } of cuts) {
        const r = found.get(path), what = `${f} cut at ${part}`, full = whole.get(f).findings;
        if (r.refused && r.findings.length + r.covers.length) wrong.push(`${what}: is refused, and gives findings`);
        if (document && !r.refused) wrong.push(`${what}: is read as if it were whole`);
        if (document && r.refused && !/^:\d+:\d+: /.test(r.refused)) wrong.push(`${what}: is refused without a place: ${r.refused}`);
        if (!document && r.refused && !/^:\d+:\d+: |no description knows this report/.test(r.refused)) wrong.push(`${what}: ${r.refused}`);
        if (!r.refused) r.findings.slice(0, -1).forEach((x, i) => { if (bare(x) !== bare(full[i] ?? {})) wrong.push(`${what}: finding ${i} is another than in the whole file`); });
        if (!r.refused && r.findings.length > full.length) wrong.push(`${what}: has more findings than the whole file`);
    }
    assert.ok(cuts.length > 500, `${cuts.length} cuts`);
    all(wrong);
});

test('a byte that is no UTF-8 in the middle of a document is refused with its place', { skip }, async () => {
    const spoilt = [], wrong = [];
    for (const f of files) {
        const bytes = readFileSync(join(scans, f)), at = Math.floor(bytes.length / 2);
        if (bytes.length < 40 || refused[f] || !isDocument(bytes.toString('utf8'))) continue;
        bytes[at] = 0xff;
        spoilt.push({ f, path: join(folder, `spoilt${spoilt.length}`) });
        writeFileSync(spoilt.at(-1).path, bytes);
    }
    const found = await read(spoilt.map((s) => s.path));
    for (const { f, path } of spoilt) {
        const r = found.get(path);
        if (!r.refused) wrong.push(`${f}: is read`);
        else if (!/^:\d+:\d+: /.test(r.refused)) wrong.push(`${f}: is refused without a place: ${r.refused}`);
    }
    all(wrong);
});
