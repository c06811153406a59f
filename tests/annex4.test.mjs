// annex4.test.mjs - Annex 4 of the Rules with the real programs: every source held against it while it sends, events written as its text files, which lint
// accepts, and lines that nobody understood on their way to a parser.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { root, saqshy, sendSyslog, until } from './lib/centre.mjs';
import { collector } from './lib/collector.mjs';

const logs = join(process.env.SAQSHY_SHARED ?? join(root, '../shared'), 'data/logs');

function folder(t) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-annex4-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}
const files = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((d) => (d.isDirectory() ? files(join(dir, d.name)) : [join(dir, d.name)]));
const objects = (r) => r.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
async function imported(t, lines) {
    const dir = folder(t), data = join(dir, 'data');
    writeFileSync(join(dir, 'lines.log'), lines.map((l) => l + '\n').join(''));
    const r = await saqshy(['import', '--data', data, join(dir, 'lines.log')]);
    assert.equal(r.code, 0, r.err);
    return { dir, data };
}
/** Every file of an export, class by class, is accepted. */
async function accepted(out) {
    const seen = files(out);
    for (const f of seen) {
        const r = await saqshy(['lint', '--class', f.slice(out.length + 1).split('/')[0], f]);
        assert.equal(r.code, 0, `${f}\n${r.out.slice(0, 2000)}${r.err}`);
    }
    return seen;
}

test('R-12-02 R-12-03 export --annex4 of all sample logs: each file is one class of Annex 4, and lint accepts it', async (t) => {
    if (!existsSync(logs)) return t.skip(`no sample logs in ${logs}`);
    const dir = folder(t), data = join(dir, 'data'), unpacked = join(dir, 'unpacked'), out = join(dir, 'out');
    mkdirSync(unpacked);
    for (const set of ['beats', 'crowdsec', 'otrf', 'wazuh-engine']) execFileSync('tar', ['--zstd', '-xf', join(logs, `${set}.tar.zst`), '-C', unpacked]);
    const inputs = [...files(unpacked), ...['auditd', 'fail2ban', 'ossec', 'rsyslog', 'wazuh', 'sc4s.jsonl'].flatMap((f) => (f.endsWith('jsonl') ? [join(logs, f)] : files(join(logs, f))))]
        .filter((f) => statSync(f).size < 4e6);
    assert.ok(inputs.length > 100, `${inputs.length} files`);
    const into = await saqshy(['import', '--data', data, ...inputs]);
    assert.equal(into.code, 0, into.err);
    const stored = Number(/(\d+) lines stored/.exec(into.out + into.err)[1]);
    const r = await saqshy(['export', '--annex4', '--data', data, '--out', out, '--compress', 'none', '--by', 'class', '--rotate', 'none']);
    assert.equal(r.code, 0, r.err);
    const written = Number(/(\d+) events in/.exec(r.err)[1]), seen = await accepted(out);
    const classes = new Set(seen.map((f) => f.slice(out.length + 1).split('/')[0]));
    for (const c of ['os-unix', 'os-windows', 'db', 'net', 'fw', 'app', 'sec']) assert.ok(classes.has(c), `${c} of ${[...classes]}`);
    const records = seen.reduce((n, f) => n + readFileSync(f, 'utf8').split('\n').length - 2, 0);   // a header and the end
    assert.equal(records, written, 'a record for each event');
    t.diagnostic(`${inputs.length} files, ${stored} lines, ${written} records, ${classes.size} classes`);
});

test('an export of many sources whose events come in turn has one file of each', async (t) => {
    const dir = folder(t), data = join(dir, 'data'), out = join(dir, 'out'), logs = Array.from({ length: 150 }, (_, k) => join(dir, `srv${k}.log`));
    logs.forEach((f, k) => writeFileSync(f, Array.from({ length: 6 }, (_, i) => `Mar 19 08:0${i}:09 srv${k} sshd[812]: Failed password for u${i} from 203.0.113.8 port 4711 ssh2\n`).join('')));
    const into = await saqshy(['import', '--data', data, ...logs]);
    assert.equal(into.code, 0, into.err);
    const r = await saqshy(['export', '--annex4', '--data', data, '--out', out]);
    assert.equal(r.code, 0, r.err);
    const seen = files(out);
    assert.equal(seen.length, 150);
    assert.ok(seen.every((f) => f.endsWith('-0001.log.zst')), seen[0]);
    assert.equal(execFileSync('zstd', ['-dqc', ...seen], { maxBuffer: 64e6 }).toString().split('\n').filter((l) => l.includes('Failed password')).length, 900);
});

test('an export is rotated by size and day, compressed, named when it is whole, and never written over', async (t) => {
    const lines = Array.from({ length: 4000 }, (_, i) => `Mar ${19 + (i >= 2000)} 08:05:09 srv${i % 3} sshd[812]: Failed password for u${i}; "x" from 203.0.113.8 port 4711 ssh2 ${'padding '.repeat(90)}`);
    const { dir, data } = await imported(t, lines), out = join(dir, 'out'), only = ['export', '--annex4', '--data', data, '--out', out, '--rotate-mib', '1'];
    const first = await saqshy(only);
    assert.equal(first.code, 0, first.err);
    const seen = files(out);
    assert.ok(seen.every((f) => /\/os-unix\/[\w.-]+-20\d\d03(19|20)-000\d\.log\.zst$/.test(f)), seen.join('\n'));
    assert.ok(seen.some((f) => f.includes('0319-0001')) && seen.some((f) => f.includes('0319-0002')) && seen.some((f) => f.includes('0320-0001')));
    assert.equal(execFileSync('zstd', ['-dqc', ...seen], { maxBuffer: 64e6 }).toString().split('\n').filter((l) => /^\d\d:03:20\d\d/.test(l)).length, 4000);
    const again = await saqshy([...only, '--compress', 'gzip']);
    assert.equal(again.code, 0, again.err);
    const gz = files(out).filter((f) => f.endsWith('.gz'));
    await accepted(out);   // compressed, as they were written
    const cut = join(dir, 'cut.gz');
    writeFileSync(cut, readFileSync(gz[0]).subarray(0, 900));
    const damaged = await saqshy(['lint', '--class', 'os-unix', cut]);
    assert.equal(damaged.code, 2);
    assert.match(damaged.err, /damaged/);
    assert.equal(gz.reduce((n, f) => n + zlib.gunzipSync(readFileSync(f)).toString().split('\n').filter((l) => /;"Failed password for u\d+; ""x"" from/.test(l)).length, 0), 4000);
    await saqshy(only);
    assert.equal(files(out).length, 2 * seen.length + gz.length, 'a second export takes the next numbers');
    const none = await saqshy(['export', 'nothinghasthis', '--data', data, '--out', join(dir, 'none')]);
    assert.equal(none.code, 1);
    const full = await saqshy(['export', '--data', data, '--out', '/dev/full/x']);
    assert.equal(full.code, 2, full.err);
});

test('export by query, source and time, as JSON lines and as the lines that came', async (t) => {
    const { dir, data } = await imported(t, ['Mar 19 08:05:09 a sshd[1]: Accepted password for ann from 192.0.2.1 port 1 ssh2', 'Mar 19 09:05:09 a sshd[1]: Accepted password for bob from 192.0.2.1 port 1 ssh2', 'no form at all']);
    const text = async (name, ...more) => {
        const r = await saqshy(['export', '--data', data, '--out', join(dir, name), '--compress', 'none', ...more]);
        assert.equal(r.code, 0, r.err);
        return files(join(dir, name)).map((f) => readFileSync(f, 'utf8')).join('');
    };
    assert.equal(JSON.parse(await text('json', 'user.name:ann'))['user.name'], 'ann');
    assert.equal(await text('original', '--original', 'no form'), 'no form at all\n');
    const year = (await text('when', '--original', 'bob')) && JSON.parse((await text('y', 'bob')).split('\n')[0])['@timestamp'].slice(0, 4);
    assert.match(await text('range', '--original', '--from', `${year}-03-19T08:30:00Z`, '--to', `${year}-03-19T10:00:00Z`), /^[^\n]*bob[^\n]*\n$/);
    assert.equal((await saqshy(['export', '--data', data, '--out', join(dir, 'x'), '--source', 'nobody'])).code, 1);
    const skipped = await saqshy(['export', '--annex4', '--data', data, '--out', join(dir, 'skip'), '--unclassified', 'skip']);
    assert.match(skipped.err, /1 events without a class were left out/);
    for (const wrong of [['--out'], ['--out', 'x', '--compress', 'lzma'], ['--out', 'x', '--zone', 'five'], ['--out', 'x', '--unclassified', 'toaster'], []]) assert.equal((await saqshy(['export', '--data', data, ...wrong])).code, 2, wrong.join(' '));
});

test('R-12-02 R-12-03 what each source sends is held against Annex 4 all the time: score, rows, line, column and sample', async (t) => {
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"\nsources:\n  - name: written\n    host: good\n    class: os-unix\n');
    const state = () => { try { return JSON.parse(readFileSync(join(c.data, 'run/annex4.json'), 'utf8')).items.filter((s) => s.source !== 'saqshyd'); } catch { return []; } };
    await sendSyslog(c.ports.syslog_tcp, Array.from({ length: 150 }, (_, i) => `<38>Mar 19 08:05:09 web1 sshd[812]: Failed password for root from 203.0.113.8 port ${i + 1} ssh2`));
    const one = await until('web1 is judged', () => state().find((s) => s.source === 'web1' && s.seen === 150));
    assert.deepEqual([one.class, one.chapter, one.format, one.field_score, one.judged], ['os-unix', 1, 'rfc3164', 100, 100]);
    assert.ok(one.score < 100 && one.form_score < one.score, JSON.stringify(one));
    const date = one.findings.find((f) => f.row === 'R-A4-DT1');
    assert.deepEqual([date.code, date.failed, date.line, date.column], ['date_format', 100, 1, 5]);
    assert.match(date.sample, /^<38>Mar 19 08:05:09 web1 sshd/);
    await sendSyslog(c.ports.syslog_tcp, ['{"message":"x"}', '\u0001 nothing']);
    await until('what has no class is said to have none', () => state().find((s) => s.class === '' && s.score === null));
    const shown = await saqshy(['conformance', '--data', c.data, '--source', 'web1', '--lang', 'ru']);
    assert.equal(shown.code, 1, shown.err);
    assert.match(shown.out, /R-A4-DT1 +100\/100 +1:5 +Дата записана не в формате/);
    const json = await saqshy(['conformance', '--data', c.data, '--json', '--below', '100']);
    assert.ok(objects(json).some((s) => s.source === 'web1' && s.findings.length));
    assert.equal((await saqshy(['conformance', '--data', c.data, '--source', 'nobody'])).code, 1);
    assert.equal((await saqshy(['conformance', '--data', join(c.data, 'none')])).code, 1);
    assert.equal((await c.stop()).code, 0);
});

test('R-12-07 a source that changes its format is seen to do so, with the score before and after', async (t) => {
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"\n');
    const state = () => { try { return JSON.parse(readFileSync(join(c.data, 'run/annex4.json'), 'utf8')).items; } catch { return []; } };
    await sendSyslog(c.ports.syslog_tcp, Array.from({ length: 40 }, (_, i) => `<38>Mar 19 08:05:09 web1 sshd[812]: Failed password for root from 203.0.113.8 port ${i + 1} ssh2`));
    await until('the first format is known', () => state().find((s) => s.source === 'web1' && s.format === 'rfc3164'));
    await sendSyslog(c.ports.syslog_tcp, Array.from({ length: 30 }, (_, i) => `<38>1 2026-03-19T08:05:09Z web1 sshd 812 - - Failed password for root from 203.0.113.8 port ${i + 1} ssh2`));
    const now = await until('the change is known', () => state().find((s) => s.source === 'web1' && s.change));
    assert.deepEqual([now.change.before, now.change.after, now.format], ['rfc3164', 'rfc5424', 'rfc5424']);
    assert.ok(now.change.score_before > 0 && now.change.score_after > 0);
    const shown = await saqshy(['conformance', '--data', c.data]);
    assert.match(shown.out, /web1 +\[rfc3164 -> rfc5424, /);
});

test('lines that nobody understood are grouped by shape, and a draft made from a group reads them', async (t) => {
    const toasts = Array.from({ length: 12 }, (_, i) => `<30>Mar 19 08:05:${10 + i} kitchen toasterd[7]: user ${['ann', 'bob', 'eve'][i % 3]} made ${i + 1} slices`);
    const { dir, data } = await imported(t, [...toasts, 'door "main gate" open 7', 'door "x" open 8', '<38>Mar 19 08:05:09 srv sshd[812]: Failed password for root from 203.0.113.8 port 4711 ssh2']);
    const shapes = objects(await saqshy(['unparsed', '--data', data, '--json']));
    assert.deepEqual(shapes.map((s) => [s.shape, s.kind, s.program, s.count]), [['user * made * slices', 'header', 'toasterd', 12], ['door * open *', 'failed', null, 2]]);
    assert.deepEqual(shapes[1].examples.sort(), ['door "main gate" open 7', 'door "x" open 8']);
    assert.match((await saqshy(['unparsed', '--data', data])).out, /1 +12 +header +toasterd +1 +user \* made \* slices/);
    assert.equal(objects(await saqshy(['unparsed', '--data', data, '--json', '--kind', 'failed'])).length, 1);
    assert.equal(objects(await saqshy(['unparsed', '--data', data, '--json', '--query', 'gate'])).length, 1);
    assert.equal((await saqshy(['unparsed', '--data', data, '--source', 'nobody'])).code, 1);
    assert.equal((await saqshy(['unparsed', '--data', data, '--kind', 'odd'])).code, 2);
    const draft = await saqshy(['unparsed', '--data', data, '--draft', '1', '--id', 'toaster']);
    assert.match(draft.err, /reads 6 of 6 examples; the group has 12 lines/);
    const second = join(dir, 'second');
    mkdirSync(join(second, 'parsers'), { recursive: true });
    writeFileSync(join(second, 'parsers/toaster.yaml'), draft.out);
    assert.equal((await saqshy(['import', '--data', second, join(dir, 'lines.log')])).code, 0);
    assert.deepEqual(objects(await saqshy(['unparsed', '--data', second, '--json'])).map((s) => s.shape), ['door * open *']);
});

test('lint accepts "-" for what an event does not have, and tells it with --strict', async (t) => {
    const file = join(folder(t), 'net.log');
    writeFileSync(file, '23:04:2025 09:05:00;sw1;-;10.0.0.1;-;10.0.0.3;link up\n');
    assert.equal((await saqshy(['lint', '--class', 'net', file])).code, 0);
    for (const [said, ...words] of [[/--class takes .* has to be given/, file], [/--class takes/, '--class', 'printer', file], [/a file is missing/, '--class', 'net']]) {
        const wrong = await saqshy(['lint', ...words]);
        assert.equal(wrong.code, 2);
        assert.match(wrong.err, said);
    }
    const strict = await saqshy(['lint', '--class', 'net', '--strict', '--json', file]);
    assert.equal(strict.code, 1);
    assert.deepEqual(objects(strict).map((r) => [r.code, r.row, r.column]), [['missing_field', 'R-A4.17-03', 25], ['missing_field', 'R-A4.17-05', 36]]);
});
