// audit.test.mjs - records of one audit event become one event: from a file by the real agent, and from syslog, interleaved; every line counted once.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import dgram from 'node:dgram';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, freePort, run, sleep, until } from './lib/centre.mjs';

async function place() {
    const data = mkdtempSync(join(tmpdir(), 'saqshy-audit-'));
    for (const f of ['run', 'log', 'journal', 'logs']) mkdirSync(join(data, f));
    const otlp = await freePort();
    writeFileSync(join(data, 'saqshyd.yaml'), `node: centre\ndata: ${data}\ningest:\n  syslog_udp: "127.0.0.1:0"\n  syslog_tcp: "127.0.0.1:0"\n  otlp: "127.0.0.1:${otlp}"\n`);
    writeFileSync(join(data, 'agent.yaml'), `id: a1\nstate: ${data}/agent\nserver:\n  url: "https://127.0.0.1:${otlp}"\n  ca: ${data}/pki/ca.pem\n` +
        `  cert: ${data}/pki/agents/a1.pem\n  key: ${data}/pki/agents/a1.key\ninputs: none\nlistening_ports: false\nfiles:\n  - path: ${data}/logs/*.log\n`);
    const made = await run(bin('src/pki/pki-make'), [join(data, 'pki'), 'a1']);
    assert.equal(made.code, 0, made.err);
    const children = [];
    const start = (program, args) => {
        const out = openSync(join(data, 'story.txt'), 'a');
        const child = spawn(bin(program), args, { stdio: ['ignore', out, out] });
        child.ended = new Promise((done) => child.on('exit', done));
        closeSync(out);
        children.push(child);
        return child;
    };
    start('saqshyd', ['--config', join(data, 'saqshyd.yaml'), '--role', 'ingest']);
    await until('ingest listens', () => existsSync(join(data, 'run/ingest.json')));
    const events = async () => (await run(bin('src/ingest/journal-dump'), [join(data, 'journal')])).out.split('\n').filter(Boolean)
        .map((line) => JSON.parse(line).event).filter((e) => e['saqshy.parser'] === 'auditd');
    return {
        data, start, events,
        ports: JSON.parse(readFileSync(join(data, 'run/ingest.json'), 'utf8')),
        story: () => readFileSync(join(data, 'story.txt'), 'utf8').slice(-3000),
        async wait(count) {
            let seen = [];
            try {
                await until('', async () => (seen = await events()).length >= count, 60);
            } catch { throw new Error(`only ${seen.length} of ${count} events came\n${readFileSync(join(data, 'story.txt'), 'utf8').slice(-3000)}`); }
            return seen;
        },
        async close() {
            for (const c of children) { c.kill('SIGTERM'); await c.ended; }
            rmSync(data, { recursive: true, force: true });
        },
    };
}

/** The records of event n, in the order of the kernel. */
const records = (n, end = []) => {
    const id = `msg=audit(1774000000.415:${n}):`;
    return [`type=SYSCALL ${id} arch=c000003e syscall=59 success=yes exit=0 ppid=10 pid=${n} auid=1000 uid=0 comm="cat" exe="/usr/bin/cat"`,
        `type=EXECVE ${id} argc=2 a0="cat" a1="/etc/f${n}"`, `type=PATH ${id} item=0 name="/usr/bin/cat" inode=5 nametype=NORMAL`,
        `type=PROCTITLE ${id} proctitle="cat"`, ...end.map((t) => `type=${t} ${id} `)];
};
const check = (events, count) => {
    assert.equal(events.length, count);
    for (const e of events) {
        const n = Number(e['auditd.log.sequence']);
        assert.equal(e['process.command_line'], `cat /etc/f${n}`);
        assert.equal(e['event.action'], 'executed');
        assert.deepEqual(e['event.original'].split('\n').sort(), records(n, e['event.original'].includes('EOE') ? ['EOE'] : []).sort());
    }
    assert.equal(new Set(events.map((e) => e['auditd.log.sequence'])).size, count);
};

test('an agent sends the records of an audit event in one batch, and they become one event, also when it was written in two steps', async () => {
    const p = await place();
    try {
        const log = join(p.data, 'logs/audit.log');
        appendFileSync(log, Array.from({ length: 3000 }, (_, i) => records(i + 1).join('\n') + '\n').join(''));
        p.start('saqshy-agent', ['--config', join(p.data, 'agent.yaml')]);
        await p.wait(3000);
        const two = records(3001).map((l) => l + '\n');
        appendFileSync(log, two.slice(0, 2).join(''));
        await sleep(300);
        appendFileSync(log, two.slice(2).join(''));
        check(await p.wait(3001), 3001);
    } finally { await p.close(); }
});

test('interleaved records of syslog become one event each, and every line is counted as read and stored', async () => {
    const p = await place();
    try {
        const lines = [];
        for (let n = 1; n <= 200; n += 2) {
            const a = records(n, ['EOE']), b = records(n + 1, ['EOE']);
            for (let i = 0; i < a.length; i++) lines.push(a[i], b[i]);
        }
        const socket = net.connect(p.ports.syslog_tcp, '127.0.0.1');
        await new Promise((done, fail) => socket.once('connect', done).once('error', fail));
        socket.end(lines.join('\n') + '\n');
        let sums = {};
        await until('every line is stored', async () => {
            sums = {};
            for (const line of readFileSync(join(p.data, 'run/metrics-ingest.prom'), 'utf8').split('\n')) {
                const m = /^(saqshy_ingest_(?:read|events)_total)(?:\{[^}]*\})? (\d+)$/.exec(line);
                if (m) sums[m[1]] = (sums[m[1]] ?? 0) + Number(m[2]);
            }
            return (sums.saqshy_ingest_events_total ?? 0) >= lines.length;
        }, 60);
        assert.equal(sums.saqshy_ingest_read_total, sums.saqshy_ingest_events_total);
        const events = await p.events();
        // What is gathered may be full within an event: such events come in two, all others whole.
        const whole = events.filter((e) => e['event.original'].split('\n').length === 5);
        assert.ok(whole.length >= 190, `${whole.length} whole events of 200`);
        check(whole, whole.length);
        assert.equal(events.reduce((n, e) => n + e['event.original'].split('\n').length, 0), lines.length);
    } finally { await p.close(); }
});

test('records of one event that come as datagrams of their own are one event', async () => {
    const p = await place();
    try {
        const socket = dgram.createSocket('udp4');
        for (const line of records(1, ['EOE'])) {
            await new Promise((done) => socket.send(line, p.ports.syslog_udp, '127.0.0.1', done));
            await sleep(10);
        }
        socket.close();
        check(await p.wait(1), 1);
    } finally { await p.close(); }
});

test('saqshy parse, import and hunt see one event where the file has its records', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'saqshy-audit-'));
    try {
        const log = join(folder, 'audit.log'), rules = join(folder, 'rules');
        mkdirSync(rules);
        writeFileSync(log, [...records(1), 'Mar 19 08:05:09 srv1 app[7]: between', ...records(2)].join('\n') + '\n');
        writeFileSync(join(rules, 'r.yml'), 'title: cat of f2\nid: 4e3b8f0e-0f3e-4c52-9b43-6f2e34d0a001\nlevel: high\nlogsource:\n  product: linux\n  service: auditd\n' +
            'detection:\n  s:\n    type: EXECVE\n    exe: /usr/bin/cat\n    a1: /etc/f2\n  condition: s\n');
        const parsed = await run(bin('saqshy'), ['parse', '--json', log]);
        assert.equal(parsed.code, 0, parsed.err);
        const events = parsed.out.trim().split('\n').map((l) => JSON.parse(l));
        assert.equal(events.length, 3);
        check(events.filter((e) => e['saqshy.parser'] === 'auditd'), 2);
        const imported = await run(bin('saqshy'), ['import', '--json', '--data', join(folder, 'data'), log]);
        assert.equal(imported.code, 0, imported.err);
        assert.deepEqual(JSON.parse(imported.out), { lines: 9, unparsed: 0 });
        // The type, the program and the argument stand in three records: only the joined event has them all.
        const hunted = await run(bin('saqshy'), ['hunt', '--json', '--rules', rules, log]);
        assert.equal(hunted.code, 0, hunted.err + hunted.out);
        const found = hunted.out.trim().split('\n').map((l) => JSON.parse(l));
        assert.equal(found.length, 1);
        assert.equal(found[0].record, 6);
    } finally { rmSync(folder, { recursive: true, force: true }); }
});
