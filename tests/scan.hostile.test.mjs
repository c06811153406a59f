// scan.hostile.test.mjs - reports that mean harm: too deep, too long, too many, broken, reaching outside.
//
// Each is made here, given to `saqshy scan`, and must be read or refused in words, in bounded memory. Never a crash, a hang or a
// finding that the file does not have. SAQSHY_SCAN_HUGE=1 makes the large ones a gigabyte instead of 64 MiB.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, root } from './lib/centre.mjs';

const MIB = 2 ** 20;
const HUGE = (process.env.SAQSHY_SCAN_HUGE ? 1024 : 64) * MIB;
// With the sanitizers a process holds several times what it asks for; freed memory is given back at once so that the peak means something.
const ASAN = 'quarantine_size_mb=1:malloc_context_size=2:detect_leaks=1';
const PEAK = 512;
let dir;
before(() => { dir = mkdtempSync(join(tmpdir(), 'saqshy-scan-hostile-')); });
after(() => { rmSync(dir, { recursive: true, force: true }); });

/** Writes a file of parts; a part is a text, bytes, or [text, times] for what repeats. */
function file(name, ...parts) {
    const path = join(dir, name);
    const fd = openSync(path, 'w');
    for (const p of parts) {
        if (!Array.isArray(p)) { writeSync(fd, Buffer.isBuffer(p) ? p : Buffer.from(p)); continue; }
        const one = Buffer.from(p[0]);
        const times = Math.max(1, Math.min(p[1], Math.floor(MIB / one.length)));
        const piece = Buffer.concat(Array(times).fill(one));
        let left = p[1];
        for (; left >= times; left -= times) writeSync(fd, piece);
        if (left > 0) writeSync(fd, piece.subarray(0, left * one.length));
    }
    closeSync(fd);
    return path;
}

/** Reads it: the code, what was printed (its beginning), how many lines that were, and the peak of memory in MiB. */
async function scan(path, ...options) {
    const child = spawn(bin('saqshy'), ['scan', '--json', ...options, path], { stdio: ['ignore', 'pipe', 'pipe'], cwd: root, env: { ...process.env, ASAN_OPTIONS: ASAN } });
    let [out, err, lines, peak] = ['', '', 0, 0];
    const look = setInterval(() => {
        try { peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? peak * 1024) / 1024; } catch { /* it has ended */ }
    }, 10);
    child.stdout.on('data', (d) => { for (const b of d) if (b === 10) lines++; if (out.length < 4 * MIB) out += d; });
    child.stderr.on('data', (d) => { if (err.length < MIB) err += d; });
    const [code, signal] = await once(child, 'close');
    clearInterval(look);
    rmSync(path);
    assert.equal(signal, null, `ended by ${signal}: ${err}`);
    assert.doesNotMatch(err, /Sanitizer|runtime error|Assertion/);
    assert.ok(peak < PEAK, `held ${peak} MiB`);
    return { code, out, err, lines, peak };
}
/** Must be refused, in words that fit. */
async function refused(path, words, ...options) {
    const r = await scan(path, ...options);
    assert.notEqual(r.code, 0, `was read: ${r.out.slice(0, 300)}`);
    assert.match(r.err, words);
    return r;
}
/** Must be read. */
async function read(path, ...options) {
    const r = await scan(path, ...options);
    assert.equal(r.code, 0, r.err.slice(0, 2000));
    return r;
}

const NESSUS = '<?xml version="1.0" ?>\n<NessusClientData_v2><Report name="x"><ReportHost name="192.0.2.1">';
const ITEM = (inside, attributes = '') => `<ReportItem port="80" svc_name="www" protocol="tcp" severity="2" pluginID="1" pluginName="n" pluginFamily="f"${attributes}>${inside}</ReportItem>`;
const NESSUS_END = '</ReportHost></Report></NessusClientData_v2>';
const SEMGREP = '{"version":"1","errors":[],"results":[';
const RESULT = (message) => `{"check_id":"a.b","path":"a.py","start":{"line":1},"end":{"line":1},"extra":{"message":"${message}","metadata":{},"severity":"ERROR","lines":"x"}}`;

test('XML: elements without end one in the other', async () => {
    await refused(file('deep.nessus', NESSUS, ['<a>', 1000000]), /levels|depth|deep/);
});
test('XML: a text that is larger than a record', async () => {
    await refused(file('text.nessus', NESSUS, '<ReportItem pluginID="1" severity="2" port="1"><description>', ['word ', HUGE / 5], '</description></ReportItem>', NESSUS_END), /larger|limit|MiB/);
});
test('XML: a large text that nobody asks for is passed over', async () => {
    const r = await read(file('unknown.nessus', NESSUS, '<unknown>', ['word ', HUGE / 5], '</unknown>', ITEM('<description>d</description>'), NESSUS_END));
    assert.match(r.out, /"n"/);
});
test('XML: an attribute without end, a million attributes, a comment and a processing instruction without end', async () => {
    await refused(file('attribute.nessus', NESSUS, '<ReportItem pluginName="', ['x', HUGE], '">', NESSUS_END), /:\d+:\d+: |larger|limit/);
    await refused(file('attributes.nessus', NESSUS, '<ReportItem ', Array.from({ length: 1000000 }, (_, i) => `a${i}="1" `).join(''), '/>', NESSUS_END), /:\d+:\d+: |larger|limit|more than/);
    await refused(file('name.nessus', NESSUS, '<', ['x', HUGE], '/>', NESSUS_END), /:\d+:\d+: |larger|limit/);
    const comment = await scan(file('comment.nessus', NESSUS, '<!--', ['x', HUGE], '-->', NESSUS_END));
    assert.ok(comment.code === 0 || /:\d+:\d+: |larger|limit/.test(comment.err), comment.err);
});
test('XML: entities that multiply, entities from outside, a document type from outside', async () => {
    const laughs = `<!DOCTYPE lolz [<!ENTITY a "ha">${Array.from({ length: 30 }, (_, i) => `<!ENTITY ${'a'.repeat(i + 2)} "&${'a'.repeat(i + 1)};&${'a'.repeat(i + 1)};">`).join('')}]>`;
    await refused(file('laughs.nessus', '<?xml version="1.0"?>', laughs, `<NessusClientData_v2><Report name="&${'a'.repeat(31)};"/></NessusClientData_v2>`), /entit|document type|DOCTYPE/i);
    const secret = file('secret.txt', 'TOP-SECRET-CONTENT');
    const outside = await scan(file('outside.nessus', `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY s SYSTEM "file://${secret}">]>`, NESSUS.slice(NESSUS.indexOf('<Ness')), ITEM('<description>&s;</description>'), NESSUS_END));
    assert.doesNotMatch(outside.out + outside.err, /TOP-SECRET-CONTENT/);
    assert.notEqual(outside.code, 0);
    const parameter = await scan(file('parameter.nessus', `<?xml version="1.0"?><!DOCTYPE x SYSTEM "file://${secret}" [<!ENTITY % p SYSTEM "file://${secret}"> %p;]>`, NESSUS.slice(NESSUS.indexOf('<Ness')), NESSUS_END));
    assert.doesNotMatch(parameter.out + parameter.err, /TOP-SECRET-CONTENT/);
    const named = await scan(file('named.nessus', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY s "inside">]>', NESSUS.slice(NESSUS.indexOf('<Ness')), ITEM('<description>&s;</description>'), NESSUS_END));
    assert.doesNotMatch(named.out, /"inside"/);
});
test('XML: attributes that only a document type says are not taken over, and are few', async () => {
    const rest = NESSUS.slice(NESSUS.indexOf('<Ness'));
    const r = await read(file('default.nessus', '<?xml version="1.0"?><!DOCTYPE x [<!ATTLIST ReportItem pluginName CDATA "from the type">]>', rest, '<ReportItem pluginID="7" severity="2" port="1"/>', NESSUS_END));
    assert.doesNotMatch(r.out, /from the type/);
    await refused(file('attlist.nessus', '<?xml version="1.0"?><!DOCTYPE x [<!ATTLIST a', Array.from({ length: 5000 }, (_, i) => ` a${i} CDATA "x"`).join(''), '>]>', rest, ['<a/>', 100000], NESSUS_END), /1,000 attributes/);
});
test('XML: bytes that are no UTF-8, a zero byte, an unknown encoding, a wrong end tag, two roots, nothing but a beginning', async () => {
    await refused(file('utf8.nessus', NESSUS, ITEM('<description>').slice(0, -13), Buffer.from([0xc3, 0x28, 0xff, 0xfe]), '</description></ReportItem>', NESSUS_END), /:2:\d+: /);
    await refused(file('zero.nessus', NESSUS, ITEM('<description>a\0b</description>'), NESSUS_END), /:2:\d+: /);
    await refused(file('encoding.nessus', '<?xml version="1.0" encoding="x-none"?>', NESSUS.slice(NESSUS.indexOf('<Ness')), NESSUS_END), /:\d+:\d+: |encoding/);
    await refused(file('tag.nessus', NESSUS, '\n\n<ReportItem></ReportHost>', NESSUS_END), /:4:\d+: /);
    await refused(file('roots.nessus', NESSUS, NESSUS_END, '\n<x/>'), /:3:\d+: /);
    await refused(file('begin.nessus', NESSUS, ITEM('')), /:\d+:\d+: /);
    await refused(file('utf16.nessus', Buffer.from([0xff, 0xfe, 0x3c, 0x00, 0x00])), /./);
});
test('XML: many names of elements and attributes, with prefixes too, also where nobody looks', async () => {
    const many = (make) => Array.from({ length: 400000 }, (_, i) => make(i)).join('');
    await refused(file('prefixes.nessus', NESSUS, many((i) => `<p${i}:ReportItem/>`), NESSUS_END), /names/);
    await refused(file('skipped.nessus', NESSUS, '<unknown>', many((i) => `<x a${i}="1"/>`), '</unknown>', NESSUS_END), /names/);
    await refused(file('long.nessus', NESSUS, '<', ['x', 2000], '/>', NESSUS_END), /longer than 1 KiB/);
    await refused(file('names.nessus', NESSUS, Array.from({ length: 400000 }, (_, i) => `<n${i}/>`).join(''), NESSUS_END), /names/);
});

test('JSON: brackets without end', async () => {
    await refused(file('deep.json', SEMGREP, ['[', 1000000]), /levels|depth|deep/);
    await refused(file('deep2.json', SEMGREP, ['{"a":', 1000000]), /levels|depth|deep/);
});
test('JSON: a text, a key and a number without end', async () => {
    await refused(file('string.json', SEMGREP, '{"check_id":"', ['x', HUGE], '"}]}'), /larger|limit|MiB/);
    await refused(file('key.json', SEMGREP, '{"', ['x', HUGE], '":1}]}'), /:\d+:\d+: |larger|limit/);
    await refused(file('number.json', SEMGREP, '{"check_id":', ['1', HUGE], '}]}'), /:\d+:\d+: |larger|limit/);
    const skipped = await scan(file('skipped.json', SEMGREP, '{"nobody":"', ['x', HUGE], '","check_id":"a.b","path":"p"}]}'));
    assert.ok(skipped.code === 0 || /larger|limit/.test(skipped.err), skipped.err);
});
test('JSON: large texts at many depths are not held all at once', async () => {
    const one = (depth) => [`${'{"a":'.repeat(depth)}{"results":{"failed_checks":{"check_id":"`, ['x', 12 * MIB], `"}}}${'}'.repeat(depth)}`];
    const parts = Array.from({ length: 60 }, (_, i) => [...(i ? [','] : []), `"k${i}":`, ...one(i + 1)]).flat();
    await read(file('depths.json', '{"check_type":"x","results":{},"summary":{},', ...parts.flatMap((p) => [p]), '}'));
});
test('JSON: numbers beyond reason stay text or are left out', async () => {
    const r = await read(file('numbers.json', '{"matches":[{"vulnerability":{"id":"CVE-2099-1","severity":"High","cvss":[],"epss":[{"epss":1e999,"percentile":-5}],"fix":{"versions":[]}},"artifact":{"name":"a","version":1e-999}},',
        '{"vulnerability":{"id":"CVE-2099-2","severity":9999999999999999999999999999,"cvss":[{"version":"3.1","vector":"CVSS:3.1/AV:X"}]},"artifact":{"name":"b","version":"1"}}],"source":{},"descriptor":{"version":"1"}}'));
    for (const f of r.out.trim().split('\n').map((l) => JSON.parse(l))) assert.ok(!('epss' in f) || f.epss === null || (f.epss >= 0 && f.epss <= 1), JSON.stringify(f));
});
test('JSON: a record whose paths could be walked for ever is refused', async () => {
    const ports = `"ports":[${Array.from({ length: 20000 }, (_, i) => `{"port":${i},"proto":"tcp","status":"open"}`).join(',')}]`;
    await refused(file('square.json', `[{${ports},"ip":"192.0.2.1","timestamp":"1772359200"}]`), /too many steps/);
    assert.equal((await read(file('straight.json', `[{"ip":"192.0.2.1","timestamp":"1772359200",${ports}}]`))).lines, 20000);
});
test('JSON: a table whose entries all have one key', async () => {
    const one = JSON.stringify({ slug: 'same', location: 'x', vulnerabilities: [] });
    await refused(file('chain.json', '{"banner":{},"target_url":"https://a.example/","plugins":{', Array.from({ length: 3000 }, (_, i) => `"p${i}":${one}`).join(','), '}}'), /same key/);
});
test('what a report calls itself drives no terminal and is cut between letters', async () => {
    const report = (name) => JSON.stringify({ generated_at: '2026-03-01T10:00:00Z', scanner: { name, version: name }, vulnerabilities: [{ id: 'CVE-2099-1', package: 'a', version: '1', severity: 'High' }] });
    const r = await read(file('name.json', report(`${'x'.repeat(126)}\u049b\u049b`)));
    assert.equal(JSON.parse(r.out).tool, 'x'.repeat(126));
    for (const name of ['esc.json', 'esc2.json']) {
        const path = file(name, name === 'esc.json' ? report('\u001b]0;owned\u0007') : '{"\\u001b]0;owned\\u0007":1}');
        const child = spawn(bin('saqshy'), ['scan', '--summary', path], { stdio: ['ignore', 'pipe', 'pipe'], cwd: root });
        let all = '';
        child.stdout.on('data', (d) => { all += d; });
        child.stderr.on('data', (d) => { all += d; });
        await once(child, 'close');
        assert.ok(!all.includes('\u001b') && !all.includes('\u0007'), JSON.stringify(all));
        assert.match(all, /owned/);
    }
});
test('a place that the report does not name is no cover of every place', async () => {
    const r = await read(file('nowhere.json', JSON.stringify({ vulnerabilities: [], ok: true, dependencyCount: 1 })), '--covers');
    assert.equal(r.out, '');
    const there = await read(file('there.json', JSON.stringify({ vulnerabilities: [], ok: true, dependencyCount: 1, path: '/src' })), '--covers');
    assert.equal(JSON.parse(there.out).path, '/src');
});
test('JSON: equal keys, keys with zero bytes, half letters', async () => {
    const r = await scan(file('keys.json', SEMGREP, '{"check_id":"first","check_id":"second","path":"\\u0000\\ud800x","start":{"line":-1},"extra":{"severity":"ERROR","message":"\\udfff\\u0000"}}', ']}'));
    if (r.code === 0) for (const line of r.out.trim().split('\n')) JSON.parse(line);
    else assert.match(r.err, /:1:\d+: /);
});
test('JSON: broken in many ways, each with its place', async () => {
    for (const [broken, words] of [[`${SEMGREP}\n${RESULT('a')}`, /:\d+:\d+: /], [`${SEMGREP}\n${RESULT('a')},]}`, /:2:\d+: /], [`${SEMGREP}\n${RESULT('a')}]} x`, /:2:\d+: /], [`${SEMGREP}\n{"check_id" "x"}]}`, /:2:\d+: /],
        [`${SEMGREP}\n{"check_id":tru}]}`, /:2:\d+: /], [`${SEMGREP}\n{"check_id":"\\x"}]}`, /:2:\d+: /], [`${SEMGREP}\n}`, /:2:\d+: /],
        [`${SEMGREP}\n{'check_id':1}]}`, /:2:\d+: /], [`${SEMGREP}\n{"check_id":"a\0b"}]}`, /:2:\d+: /]])
        await refused(file('broken.json', broken), words);
    await refused(file('utf8.json', SEMGREP, '\n{"check_id":"', Buffer.from([0xc3, 0x28]), '"}]}'), /:2:\d+: /);
    await refused(file('overlong.json', SEMGREP, '\n{"check_id":"', Buffer.from([0xc0, 0xaf]), '"}]}'), /:2:\d+: /);
});
test('JSON: a million documents in one file', async () => {
    const r = await read(file('many.json', ['{"ip":"192.0.2.1","timestamp":"2026-03-01T10:00:00Z","port":80,"protocol":"tcp"}\n', 1000000]));
    assert.ok(r.lines >= 1000000, `${r.lines} lines`);
    await refused(file('many-broken.json', ['{"ip":"192.0.2.1","timestamp":"2026-03-01T10:00:00Z","port":80,"protocol":"tcp"}\n', 1000], '{"ip":'), /:1001:\d+: /);
});
test('JSON: a million members in a record, and a million values of one list', async () => {
    await scan(file('members.json', SEMGREP, '{"check_id":"a","extra":{"metadata":{', Array.from({ length: 1000000 }, (_, i) => `"m${i}":1`).join(','), '}}}]}'));
    const r = await scan(file('values.json', SEMGREP, '{"check_id":"a","path":"p","extra":{"severity":"ERROR","metadata":{"references":[', ['"https://example.com/",', 999999], '"x"]}}}]}'));
    assert.ok(r.code === 0 || /more than|larger|limit/.test(r.err), r.err);
});

const HEAD = 'Plugin ID,CVE,CVSS v2.0 Base Score,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n';
test('CSV: one line without end, a quote without end, a million cells, a zero byte', async () => {
    await refused(file('line.csv', HEAD, '1,', ['x', HUGE]), /:2:\d+: |larger|limit/);
    await refused(file('quote.csv', HEAD, '1,"', ['x\n', HUGE / 2]), /:2:\d+: |larger|limit/);
    await refused(file('cells.csv', HEAD, [',', 1000000], '\n'), /:2:\d+: |columns|limit/);
    const zero = await scan(file('zero.csv', HEAD, '1,CVE-2099-1,5,High,192.0.2.1,tcp,80,a\0b,s,d,f,r,o\n'));
    assert.ok(zero.code === 0 || /:2:\d+: /.test(zero.err), zero.err);
    await refused(file('heading.csv', ['x', HUGE]), /./);
});
test('text: one line without end, lines that make patterns run for ever', async () => {
    const rk = '[10:00:00] Running Rootkit Hunter version 1.4.6 on host-1\n';
    await scan(file('line.log', rk, ['x', HUGE], '\n'));
    await scan(file('slow.log', rk, '[10:00:00]   ', ['a [ B ', 20000], '\n'));
    await read(file('slow5.log', rk, [`[10:00:00]   ${'a [ B '.repeat(90)}\n`, 5000]));
    await scan(file('slow2.txt', '/a: X FOUND\n', ['/: ', 20000], '\n'));
    await scan(file('slow3.txt', 'AIDE found differences between database and filesystem!!\n', 'f = ', ['. ', 30000], '\n', ['f = ........ : : : x\n', 1000]));
    await scan(file('slow4.txt', 'Rule [description="', ['\\\\"', 20000], '\n'));
    await scan(file('zero.log', rk, '[10:00:00]   a\0b                                [ Warning ]\n'));
});
test('nothing, only spaces, only a mark of byte order, a device, a folder, a file that is not there', async () => {
    await refused(file('empty.json', ''), /empty|nothing|no description/i);
    await refused(file('spaces.json', ' \n\t\n'), /./);
    await refused(file('bom.json', Buffer.from([0xef, 0xbb, 0xbf])), /./);
    const bom = await read(file('bom2.json', Buffer.from([0xef, 0xbb, 0xbf]), SEMGREP, RESULT('a'), ']}'));
    assert.match(bom.out, /a\.b/);
    for (const path of ['/dev/zero', '/dev/null', '/proc/self/mem', dir, join(dir, 'none')]) {
        const child = spawn(bin('saqshy'), ['scan', '--json', path], { stdio: ['ignore', 'ignore', 'pipe'], cwd: root });
        let err = '';
        child.stderr.on('data', (d) => { err += d; });
        const [code, signal] = await once(child, 'close');
        assert.equal(signal, null);
        assert.notEqual(code, 0, path);
        assert.notEqual(err, '', path);
    }
});
