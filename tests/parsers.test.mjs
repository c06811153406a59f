// parsers.test.mjs - parsers as data, with the real programs: listed, tried, drafted, and changed under a running ingest role without
// a line lost.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, freePort, run, sleep, until } from './lib/centre.mjs';

const toaster = (action) => `id: toaster
title: Toaster
class: app
match:
  programs: [toasterd]
patterns:
  - name: made
    text: 'user {user.name:word} made {toaster.slices:number} slices'
    set: {event.category: process, event.type: info, event.action: ${action}}
samples:
  - line: '<30>Mar 19 08:05:09 kitchen toasterd[7]: user ann made 2 slices'
    want: {user.name: ann, toaster.slices: 2, event.action: ${action}}
  - line: '<30>Mar 19 08:05:10 kitchen toasterd[7]: user bob made 12 slices'
    want: {user.name: bob}
  - line: '<30>Mar 19 08:05:11 kitchen kettle[8]: user ann made 2 slices'
    not: true
`;

const folder = () => mkdtempSync(join(tmpdir(), 'saqshy-parsers-'));

test('every parser that we ship loads, and all their samples hold together', async () => {
    const list = await run(bin('saqshy'), ['parsers', '--json']);
    assert.equal(list.code, 0, list.out + list.err);
    const parsers = list.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    const files = readdirSync(new URL('../content/parsers', import.meta.url)).filter((f) => f.endsWith('.yaml'));
    assert.equal(parsers.length, files.length);
    for (const p of parsers) assert.ok(p.loaded && p.reason === null && p.samples >= 3, JSON.stringify(p));
    const samples = await run(bin('saqshy'), ['parsers', 'test', '--json']);
    assert.equal(samples.code, 0, samples.out);
    assert.ok(JSON.parse(samples.out).samples >= 3 * parsers.length);
});

test('a parser whose samples fail is refused as a whole, with file, line and what differed; the others load', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'a.yaml'), toaster('toasted'));
    writeFileSync(join(dir, 'b.yaml'), toaster('toasted').replace('id: toaster', 'id: other').replace('user.name: bob', 'user.name: carl').replaceAll('toaster.', 'other.'));
    writeFileSync(join(dir, 'c.yaml'), 'id: third\ntitle: Third\nmatch: {programs: [x]}\nfrobnicate: true\n');
    const r = await run(bin('saqshy'), ['parsers', 'test', dir, '--json']);
    assert.equal(r.code, 1);
    const { failed } = JSON.parse(r.out);
    assert.equal(failed.length, 2);
    assert.match(failed[0], /b\.yaml:13:\d+: sample: another value than wanted for "user\.name", got bob|b\.yaml:13: sample: .*user\.name.*bob/);
    assert.match(failed[1], /c\.yaml:4:\d+: .*frobnicate/);
    rmSync(dir, { recursive: true });
});

test('the samples of parsers are run with those of rules', async () => {
    const good = await run(bin('saqshy'), ['rules', 'test', new URL('../content/rules/unix', import.meta.url).pathname, '--json']);
    assert.equal(good.code, 0, good.out + good.err);
    assert.ok(JSON.parse(good.out).parser_samples > 30);
    const dir = folder();
    mkdirSync(join(dir, 'parsers'));
    writeFileSync(join(dir, 'rule.yml'), readFileSync(new URL('../content/rules/unix/' + readdirSync(new URL('../content/rules/unix', import.meta.url)).find((f) => f.endsWith('.yml')), import.meta.url)));
    writeFileSync(join(dir, 'parsers/b.yaml'), toaster('toasted').replace('user.name: bob', 'user.name: carl'));
    const bad = await run(bin('saqshy'), ['rules', 'test', dir]);
    assert.equal(bad.code, 1, bad.out + bad.err);
    assert.match(bad.out, /b\.yaml:13.*user\.name.*bob/);
    rmSync(dir, { recursive: true });
});

test('a draft made from lines of one shape loads and takes those lines', async () => {
    const dir = folder(), lines = ['car 4711 passed lane 3 plate "AB 123" from 192.0.2.7', 'car 4712 passed lane 4 plate "CD 9" from 192.0.2.8']
        .map((t, i) => `Mar 19 08:05:0${i} gate toll[7]: ${t}`).join('\n');
    writeFileSync(join(dir, 'lines'), lines + '\n');
    const draft = await run(bin('saqshy'), ['parsers', 'draft', join(dir, 'lines'), '--id', 'toll']);
    assert.equal(draft.code, 0, draft.err);
    assert.match(draft.out, /from \{source\.ip:ip\}/);
    mkdirSync(join(dir, 'parsers'));
    writeFileSync(join(dir, 'parsers/toll.yaml'), draft.out);
    const shown = await run(bin('saqshy'), ['parse', '--json', '--parsers', join(dir, 'parsers'), join(dir, 'lines')]);
    const events = shown.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    assert.deepEqual(events.map((e) => [e['saqshy.parser'], e['saqshy.parse'], e['source.ip']]), [['toll', 'ok', '192.0.2.7'], ['toll', 'ok', '192.0.2.8']]);
    const nothing = await run(bin('saqshy'), ['parsers', 'draft', '/dev/null']);
    assert.equal(nothing.code, 2);
    rmSync(dir, { recursive: true });
});

test('rules for web servers and databases see what products as data read', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'web.yml'), `title: Tool of an attacker
id: 4f0c6b0e-1c58-4d8d-9a1d-6f3f7d1e7a01
status: test
logsource: {category: webserver}
detection: {a: {cs-method: GET, c-uri|contains: 'UNION%20SELECT', cs-user-agent|startswith: sqlmap}, condition: a}
level: high
`);
    const log = join(dir, 'lines');
    writeFileSync(log, '203.0.113.9 - - [19/Mar/2026:08:05:11 +0500] "GET /a.php?id=1%20UNION%20SELECT%201 HTTP/1.1" 200 157 "-" "sqlmap/1.7"\n' +
        'Mar 19 08:05:12 web1 haproxy[7]: 203.0.113.9:1 [19/Mar/2026:08:05:12.1] f b/s 0/0/1/0/2 200 1 - - ---- 6/6/0/0/0 0/0 "GET /?q=1 HTTP/1.1"\n');
    const r = await run(bin('saqshy'), ['hunt', '--rules', dir, '--json', log]);
    const matches = r.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    assert.deepEqual(matches.map((m) => [m.rule.title, m.event['saqshy.parser'], m.event['source.ip']]), [['Tool of an attacker', 'nginx', '203.0.113.9']], r.out + r.err);
    rmSync(dir, { recursive: true });
});

test('explain tells which parser took a line and why others did not', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'a.yaml'), toaster('toasted'));
    writeFileSync(join(dir, 'lines'), 'Mar 19 08:05:09 kitchen toasterd[7]: on fire\nMar 19 08:05:09 kitchen toasterd[7]: user ann made 2 slices\n');
    const r = await run(bin('saqshy'), ['parse', '--explain', '--parsers', dir, join(dir, 'lines')]);
    assert.match(r.out, /# toaster: pattern "made" \(line 7\): the text does not begin with "user ", or " slices" is not there\n(# .*\n)*# toaster: named, and partial/);
    assert.match(r.out, /# toaster: pattern "made" \(line 7\) matches/);
    rmSync(dir, { recursive: true });
});

test('a changed parser is in force within two seconds under load without losing a line, a broken one is refused and the old goes on', async () => {
    const data = folder();
    for (const f of ['run', 'log', 'journal', 'parsers']) mkdirSync(join(data, f));
    assert.equal((await run(bin('src/pki/pki-make'), [join(data, 'pki'), 'a1'])).code, 0);
    writeFileSync(join(data, 'saqshyd.yaml'), `node: centre\ndata: ${data}\ningest:\n  syslog_udp: ""\n  syslog_tcp: "127.0.0.1:0"\n  otlp: "127.0.0.1:${await freePort()}"\n`);
    const story = openSync(join(data, 'story.txt'), 'a');
    const child = spawn(bin('saqshyd'), ['--config', join(data, 'saqshyd.yaml'), '--role', 'ingest'], { stdio: ['ignore', story, story] });
    const ended = new Promise((done) => child.on('exit', done));
    closeSync(story);
    await until('ingest listens', () => existsSync(join(data, 'run/ingest.json')));
    const { syslog_tcp: port } = JSON.parse(readFileSync(join(data, 'run/ingest.json'), 'utf8'));
    const metric = (name) => Number((new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\d+)`, 'm').exec(existsSync(join(data, 'run/metrics-ingest.prom')) ? readFileSync(join(data, 'run/metrics-ingest.prom'), 'utf8') : '') ?? [])[1]);
    const put = (text) => { writeFileSync(join(data, 'parsers/.new'), text); renameSync(join(data, 'parsers/.new'), join(data, 'parsers/toaster.yaml')); };
    const socket = net.connect(port, '127.0.0.1');
    await new Promise((done) => socket.once('connect', done));
    let sent = 0, stop = false;
    const sender = (async () => {
        while (!stop) {
            let text = '';
            for (let i = 0; i < 20; i++) text += `<30>Mar 19 08:05:09 kitchen toasterd[7]: user u${sent++} made 2 slices\n`;
            if (!socket.write(text)) await new Promise((done) => socket.once('drain', done));
            await sleep(10);
        }
    })();
    for (const action of ['first', 'second', 'third']) {
        const before = metric('saqshy_ingest_parser_reloads_total') || 0;
        put(toaster(action));
        await until(`"${action}" is in force`, () => metric('saqshy_ingest_parser_reloads_total') > before);
        await sleep(200);
    }
    put(toaster('fourth').replace('{user.name:word}', '{user.name:sword}'));
    await until('the broken version is told', () => metric('saqshy_ingest_parsers{state="refused"}') === 1);
    const atBroken = sent;
    await sleep(500);
    stop = true;
    await sender;
    socket.end();
    await until('all are stored', () => metric('saqshy_ingest_events_total{listener="syslog_tcp"}') === sent);
    const picture = JSON.parse(readFileSync(join(data, 'run/parsers.json'), 'utf8')).parsers.find((p) => p.id === 'toaster');
    assert.ok(picture.loaded && /toaster\.yaml:\d+:\d+: .*sword|no such type/.test(picture.reason), JSON.stringify(picture));
    child.kill('SIGTERM');
    await ended;
    const dump = await run(bin('src/ingest/journal-dump'), [join(data, 'journal')]);
    const events = dump.out.split('\n').filter(Boolean).map((l) => JSON.parse(l).event).filter((e) => e['process.name'] === 'toasterd');
    assert.equal(events.length, sent);
    const seen = events.map((e) => e['event.action'] ?? 'none');
    assert.deepEqual([...new Set(seen)], ['none', 'first', 'second', 'third'].filter((a) => seen.includes(a)));
    assert.ok(seen.includes('third') && seen.slice(atBroken).every((a) => a === 'third'), 'the version before the broken one goes on');
    assert.match(readFileSync(join(data, 'story.txt'), 'utf8'), /a parser's file is refused, the version loaded before goes on.*toaster\.yaml:7|toaster\.yaml:8/);
    rmSync(data, { recursive: true });
});

test('wrong words on the command line are told, with exit code 2', async () => {
    const none = join(tmpdir(), 'saqshy-not-there');
    const asked = [
        ['saqshy', ['parsers', '--data', none], /could not open ".*saqshy-not-there"/], ['saqshy', ['parsers', 'test', none], /could not open ".*saqshy-not-there"/],
        ['saqshy', ['parse', '--parsers', none, '-'], /could not open the folder of parsers/], ['saqshy', ['parse', '--zone', '5', '-'], /a zone is written as \+05:00/],
        ['saqshy', ['parse', '--nonsense', '-'], /there is no such option/], ['saqshy', ['parsers', 'draft', '--id', 'No Id', '-'], /is no id/],
        ['saqshy', ['scan', tmpdir()], /is a folder, not a report/], ['saqshyd', ['--object', '5', '--config', join(none, 'saqshyd.yaml')], /usage|--token/],
    ];
    for (const [program, words, why] of asked) {
        const r = await run(bin(program), words, { input: '' });
        assert.equal(r.code, 2, `${program} ${words.join(' ')}: ${r.out}${r.err}`);
        assert.match(r.err, why, words.join(' '));
    }
});

test('a report that comes by a pipe is read like a file', async () => {
    const report = new URL('../src/scan/testdata/', import.meta.url).pathname, name = readdirSync(report).find((f) => f.endsWith('.xml'));
    const file = await run(bin('saqshy'), ['scan', '--json', join(report, name)]);
    const pipe = await run('bash', ['-c', '"$0" scan --json <(cat "$1")', bin('saqshy'), join(report, name)]);
    const bare = (r) => r.out.split('\n').filter(Boolean).map((l) => ({ ...JSON.parse(l), file: '' }));
    assert.equal(pipe.code, file.code, pipe.err);
    assert.deepEqual(bare(pipe), bare(file));
    assert.ok(bare(file).length > 0, name);
});
