// forms.test.mjs - what a source says of its later lines, in which encoding it speaks and how its clock goes: kept over a restart, and told in sources.json.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import dgram from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, freePort, run, sleep, until } from './lib/centre.mjs';

async function place() {
    const data = mkdtempSync(join(tmpdir(), 'saqshy-forms-'));
    for (const f of ['run', 'log', 'journal', 'logs']) mkdirSync(join(data, f));
    const otlp = await freePort(), children = [];
    writeFileSync(join(data, 'saqshyd.yaml'), `node: centre\ndata: ${data}\nzone: Asia/Almaty\ningest:\n  syslog_udp: "127.0.0.1:0"\n  syslog_tcp: ""\n  otlp: "127.0.0.1:${otlp}"\n`);
    writeFileSync(join(data, 'agent.yaml'), `id: a1\nstate: ${data}/agent\nserver:\n  url: "https://127.0.0.1:${otlp}"\n  ca: ${data}/pki/ca.pem\n` +
        `  cert: ${data}/pki/agents/a1.pem\n  key: ${data}/pki/agents/a1.key\ninputs: none\nlistening_ports: false\nfiles:\n  - path: ${data}/logs/*.log\n`);
    const made = await run(bin('src/pki/pki-make'), [join(data, 'pki'), 'a1']);
    assert.equal(made.code, 0, made.err);
    const start = (program, args) => {
        const out = openSync(join(data, 'story.txt'), 'a');
        const child = spawn(bin(program), args, { stdio: ['ignore', out, out] });
        child.ended = new Promise((done) => child.on('exit', done));
        closeSync(out);
        children.push(child);
        return child;
    };
    return {
        data,
        async ingest() {
            rmSync(join(data, 'run/ingest.json'), { force: true });
            const child = start('saqshyd', ['--config', join(data, 'saqshyd.yaml'), '--role', 'ingest']);
            await until('ingest listens', () => existsSync(join(data, 'run/ingest.json')));
            this.ports = JSON.parse(readFileSync(join(data, 'run/ingest.json'), 'utf8'));
            return child;
        },
        agent: () => start('saqshy-agent', ['--config', join(data, 'agent.yaml')]),
        async send(...lines) {
            const socket = dgram.createSocket('udp4');
            for (const line of lines) await new Promise((done) => socket.send(line, this.ports.syslog_udp, '127.0.0.1', done));
            socket.close();
        },
        async wait(count, pass) {
            let seen = [];
            try {
                await until('', async () => (seen = (await run(bin('src/ingest/journal-dump'), [join(data, 'journal')])).out.split('\n').filter(Boolean)
                    .map((line) => JSON.parse(line).event).filter(pass)).length >= count, 60);
            } catch { throw new Error(`only ${seen.length} of ${count} events came\n${readFileSync(join(data, 'story.txt'), 'utf8').slice(-3000)}`); }
            return seen;
        },
        async source(id, pass) {
            let found;
            await until(`sources.json tells of ${id}`, () => {
                found = JSON.parse(readFileSync(join(data, 'run/sources.json'), 'utf8')).find((s) => s.id === id);
                return found && pass(found);
            }, 60);
            return found;
        },
        async close() {
            for (const c of children) { c.kill('SIGTERM'); await c.ended; }
            rmSync(data, { recursive: true, force: true });
        },
    };
}

test('the columns of a W3C log are known to lines that come after a restart of the collector', async () => {
    const p = await place();
    try {
        const log = join(p.data, 'logs/u_ex.log'), line = (n) => `2026-11-20 08:05:0${n} 192.0.2.${n} GET /f${n} 200\n`;
        writeFileSync(log, `#Software: Microsoft Internet Information Services 10.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n${line(1)}`);
        const ingest = await p.ingest();
        p.agent();
        await p.wait(1, (e) => e['source.ip'] === '192.0.2.1');
        ingest.kill('SIGTERM');
        await ingest.ended;
        appendFileSync(log, line(2) + line(3));
        await p.ingest();
        const events = await p.wait(3, (e) => e['saqshy.parser'] === 'w3c' && e['source.ip']);
        for (const e of events) {
            assert.equal(e['saqshy.parse'], 'ok');
            assert.equal(e['url.path'], `/f${e['source.ip'].slice(-1)}`);
            assert.equal(e['http.response.status_code'], '200');
        }
        assert.equal(events.length, 3);
    } finally { await p.close(); }
});

test('lines in other encodings are read, and sources.json tells of which', async () => {
    const p = await place();
    try {
        await p.ingest();
        const cp1251 = Buffer.concat([Buffer.from('<13>Mar 19 08:05:09 win1 app[7]: '), Buffer.from([0xCE, 0xF2, 0xEA, 0xE0, 0xE7, 0xE0, 0xED, 0xEE])]);
        const utf16 = Buffer.from('<13>Mar 19 08:05:09 win2 app[7]: Қолданушы кірді', 'utf16le');
        await p.send(cp1251, utf16);
        const [one] = await p.wait(1, (e) => e['host.name'] === 'win1'), [two] = await p.wait(1, (e) => e['host.name'] === 'win2');
        assert.equal(one.message, 'Отказано');
        assert.equal(one['saqshy.encoding'], 'windows-1251');
        assert.equal(two.message, 'Қолданушы кірді');
        assert.equal(two['saqshy.encoding'], 'utf-16le');
        const source = await p.source('win1', (s) => s.not_utf8 === 1);
        assert.equal(source.encoding, 'windows-1251');
    } finally { await p.close(); }
});

test('a source that is steadily an hour ahead of UTC+5 has zone data from before March 2024: sources.json says so, and its events are as they came', async () => {
    const p = await place();
    try {
        await p.ingest();
        const stamp = (ms) => new Date(ms).toISOString().slice(0, 19);
        for (let i = 0; i < 12; i++) {
            // Local time of UTC+6, without a zone, where the node reads UTC+5.
            await p.send(`<13>${stamp(Date.now() + 6 * 3600_000)} old1 app[7]: line ${i}`, `<13>${stamp(Date.now() + 5 * 3600_000)} new1 app[7]: line ${i}`);
            await sleep(50);
        }
        const old = await p.source('old1', (s) => s.skew?.samples >= 12), right = await p.source('new1', (s) => s.skew?.samples >= 12);
        assert.equal(old.skew.kind, 'old_zone');
        assert.equal(old.skew.zone_min, 60);
        assert.equal(right.skew.kind, 'ok');
        const shown = (await run(bin('saqshy'), ['sources', '--sources', '--data', p.data])).out.split('\n');
        assert.match(shown.find((l) => l.startsWith('old1')), /\[zone data from before 2024-03-01: \+3[56]\d\d s\]$/);
        assert.doesNotMatch(shown.find((l) => l.startsWith('new1')), /\[/);
        const events = await p.wait(12, (e) => e['host.name'] === 'old1');
        assert.ok(events.every((e) => (e['saqshy.marks'] ?? []).includes('future')), 'each is marked, none is dropped or changed');
    } finally { await p.close(); }
});

test('a parser as data reads a CSV file by the line of names at its head', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'saqshy-forms-'));
    try {
        mkdirSync(join(folder, 'parsers'));
        writeFileSync(join(folder, 'parsers/acc.yaml'), `id: acc
title: Accounting
class: app
match:
  paths: ["*acc*.csv"]
form: csv
fields:
  who: user.name
  what done: event.action
samples:
  - line: 'n,who,what done'
    path: /x/acc1.csv
    want: {acc.csv.header: 'n,who,what done'}
  - line: '1,ann,"a, b"'
    path: /x/acc1.csv
    want: {user.name: ann, event.action: "a, b"}
  - line: 'nothing here'
    path: /x/other.log
    not: true
`);
        writeFileSync(join(folder, 'acc-2026.csv'), 'n,who,what done\n1,ann,"a, b"\n2,bob,"say ""hi"""\n');
        const r = await run(bin('saqshy'), ['parse', '--json', '--parsers', join(folder, 'parsers'), join(folder, 'acc-2026.csv')]);
        assert.equal(r.code, 0, r.err);
        const [head, one, two] = r.out.trim().split('\n').map((l) => JSON.parse(l));
        assert.equal(head['acc.csv.header'], 'n,who,what done');
        assert.deepEqual([one['user.name'], one['event.action'], one['acc.n']], ['ann', 'a, b', '1']);
        assert.deepEqual([two['user.name'], two['event.action'], two['saqshy.parse']], ['bob', 'say "hi"', 'ok']);
    } finally { rmSync(folder, { recursive: true, force: true }); }
});

test('a stack trace that the agent is told to keep together is one event, over a restart of the agent, and every line of it is there', async () => {
    const p = await place();
    try {
        const file = join(p.data, 'agent.yaml'), log = join(p.data, 'logs/shop.log');
        writeFileSync(file, `${readFileSync(file, 'utf8')}    records: ["####-##-## ##:##:##"]\n`);
        writeFileSync(log, '2026-11-20 08:05:01,123 [http-1] ERROR kz.egov.shop.Pay - order 7 refused\nkz.egov.shop.PayException: no money\n');
        await p.ingest();
        const agent = p.agent();
        agent.kill('SIGKILL');
        await agent.ended;
        appendFileSync(log, '\tat kz.egov.shop.A.b(A.java:7)\n2026-11-20 08:05:02,123 [http-1] INFO  kz.egov.shop.Pay - order 8 paid\n');
        p.agent();
        const [one, two, ...more] = await p.wait(2, (e) => e['saqshy.parser'] === 'java');
        assert.equal(more.length, 0);
        assert.equal(one['event.original'], '2026-11-20 08:05:01,123 [http-1] ERROR kz.egov.shop.Pay - order 7 refused\nkz.egov.shop.PayException: no money\n\tat kz.egov.shop.A.b(A.java:7)');
        assert.equal(one['error.type'], 'kz.egov.shop.PayException');
        assert.equal(one['error.message'], 'no money');
        assert.equal(one['error.stack_trace'], '\tat kz.egov.shop.A.b(A.java:7)');
        assert.equal(two.message, 'order 8 paid');
    } finally { await p.close(); }
});
