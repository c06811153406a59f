// forward.chain.test.mjs - agent → collector → centre, each in a network of its own, while processes of all three are killed at random and the cables
// between them are pulled: every line that was written is in the centre's journal exactly once.
//
// Nine kills; SAQSHY_CHAIN_KILLS says how many, as 100. Network namespaces need root: elsewhere the test is skipped.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, run, saqshy, sleep, until, kill9 } from './lib/centre.mjs';

const KILLS = Number(process.env.SAQSHY_CHAIN_KILLS ?? 9);
const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' };
// A fixed sequence of decisions; what it meets is not fixed.
let seed = 20261127;
const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >> 8) % n; };
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Three networks in a row: a — b — c. */
function networks() {
    const name = (x) => `saqshy-${process.pid}-${x}`, all = ['a', 'b', 'c'];
    const remove = () => { for (const x of all) try { ip('netns', 'del', name(x)); } catch { /* it was not made */ } };
    for (const x of all) { ip('netns', 'add', name(x)); ip('-n', name(x), 'link', 'set', 'lo', 'up'); }
    for (const [i, [x, y]] of [['a', 'b'], ['b', 'c']].entries()) {
        ip('-n', name(x), 'link', 'add', `to-${y}`, 'type', 'veth', 'peer', 'name', `to-${x}`, 'netns', name(y));
        for (const [n, from, to] of [[1, x, y], [2, y, x]]) {
            ip('-n', name(from), 'addr', 'add', `10.91.${i + 1}.${n}/24`, 'dev', `to-${to}`);
            ip('-n', name(from), 'link', 'set', `to-${to}`, 'up');
        }
    }
    return { name, remove, cable: (from, to, state) => ip('-n', name(from), 'link', 'set', `to-${to}`, state) };
}

class Daemon {
    constructor(net, data, program, args) { Object.assign(this, { net, data, program, args }); }
    start() {
        const out = openSync(join(this.data, 'story.txt'), 'a');
        this.child = spawn('ip', ['netns', 'exec', this.net, bin(this.program), ...this.args], { stdio: ['ignore', out, out], env });
        this.ended = new Promise((done) => this.child.on('exit', (code, signal) => done({ code, signal })));
        closeSync(out);
    }
    async roles() {
        const r = await saqshy(['status', '--data', this.data, '--json']);
        try { return JSON.parse(r.out).roles; } catch { return []; }
    }
    /** Everything of it at once, as when the power goes. */
    async kill() {
        const pids = (this.program === 'saqshyd' ? await this.roles() : []).map((r) => r.pid).filter(Boolean);
        this.child.kill('SIGKILL');
        for (const pid of pids) try { kill9(pid); } catch { /* it was gone */ }
        await this.ended;
    }
    async killRole(name) {
        const pid = (await this.roles()).find((r) => r.name === name)?.pid;
        if (pid) kill9(pid);
    }
    story() { return ['story.txt', 'log/saqshyd.jsonl'].map((f) => (existsSync(join(this.data, f)) ? readFileSync(join(this.data, f), 'utf8').slice(-2500) : '')).join('\n'); }
}

function allowed() {
    try { ip('netns', 'add', `saqshy-${process.pid}-try`); ip('netns', 'del', `saqshy-${process.pid}-try`); return true; } catch { return false; }
}

test(`R-12-05 agent → collector → centre: ${KILLS} random kill -9 of all three and cables pulled between them, and every line is in the centre once`, { timeout: 1800000 }, async (t) => {
    if (!allowed()) { t.skip('network namespaces cannot be made here'); return; }
    const all = [], net = networks(), home = mkdtempSync(join(tmpdir(), 'saqshy-chain-'));
    t.after(async () => {    // in this order
        for (const d of all) await d.kill();
        net.remove();
        await until('the folder is gone', () => { rmSync(home, { recursive: true, force: true }); return true; });
    });
    const at = (...x) => join(home, ...x), pki = at('centre/pki'), log = at('agent/load.log');
    for (const d of ['agent', 'collector', 'centre']) mkdirSync(at(d));
    const made = await run(bin('src/pki/pki-make'), [pki, '@10.91.1.2', '@10.91.2.2', 'agent-1', 'collector-1']);
    assert.equal(made.code, 0, made.err);
    cpSync(pki, at('collector/pki'), { recursive: true });
    const off = '  syslog_udp: ""\n  syslog_tcp: ""\n  otlp: ""\n';
    writeFileSync(log, '');
    writeFileSync(at('agent/agent.yaml'), `id: agent-1\nstate: ${at('agent/state')}\nserver:\n  url: "https://10.91.1.2:4318"\n  ca: ${pki}/ca.pem\n  cert: ${pki}/agents/agent-1.pem\n  key: ${pki}/agents/agent-1.key\ninputs: none\nfiles:\n  - path: ${log}\n`);
    writeFileSync(at('collector/saqshyd.yaml'), `node: collector\nroles: [ingest, forward]\njournal:\n  segment_bytes: 65536\ningest:\n${off}  listeners:\n    - { id: agents, kind: otlp, address: "10.91.1.2:4318" }
forward:\n  upstreams:\n    - name: centre\n      kind: otlp\n      address: "10.91.2.2:4318"\n      limits: { retry_max_s: 1, timeout_s: 5 }\n      tls: { authority: "${pki}/ca.pem", certificate: "${pki}/agents/collector-1.pem", key: "${pki}/agents/collector-1.key" }\n`);
    writeFileSync(at('centre/saqshyd.yaml'), `node: centre\nroles: [ingest]\ningest:\n${off}  listeners:\n    - { id: collectors, kind: otlp, address: "10.91.2.2:4318", options: { relays: "collector-1" } }\n`);
    const agent = new Daemon(net.name('a'), at('agent'), 'saqshy-agent', ['--config', at('agent/agent.yaml')]);
    const collector = new Daemon(net.name('b'), at('collector'), 'saqshyd', ['--config', at('collector/saqshyd.yaml')]);
    const centre = new Daemon(net.name('c'), at('centre'), 'saqshyd', ['--config', at('centre/saqshyd.yaml')]);
    all.push(centre, collector, agent);
    for (const d of all) d.start();

    let written = 0, rotated = 0, cuts = 0;
    const counts = {};
    const write = (count) => {
        let text = '';
        for (let i = 0; i < count; i++) text += `2026-11-27T10:00:00+05:00 loadhost worker[77]: loadline number=${++written} check=${(written * 7919) % 100003}\n`;
        appendFileSync(log, text);
    };
    const deeds = { 'agent': async () => { await agent.kill(); await sleep(random(200)); agent.start(); }, 'collector': async () => { await collector.kill(); await sleep(random(300)); collector.start(); },
        'collector ingest': () => collector.killRole('ingest'), 'collector forward': () => collector.killRole('forward'), 'centre ingest': () => centre.killRole('ingest'),
        'centre': async () => { await centre.kill(); await sleep(random(300)); centre.start(); } };
    const names = Object.keys(deeds);
    for (let round = 0; round < KILLS; round++) {
        for (let i = 0; i < 5; i++) { write(50 + random(400)); await sleep(random(80)); }
        const [from, to] = random(2) ? ['a', 'b'] : ['b', 'c'], pulled = random(3) === 0;
        if (pulled) { net.cable(from, to, 'down'); cuts++; }
        if (round % 7 === 3) { renameSync(log, `${log}.${++rotated}`); write(20); }
        // Each of them at least once, then by chance.
        const deed = round < names.length ? names[round] : names[random(names.length)];
        counts[deed] = (counts[deed] ?? 0) + 1;
        await deeds[deed]();
        write(100);
        await sleep(random(900));
        if (pulled) net.cable(from, to, 'up');
    }
    const numbers = async () => {
        const r = await run(bin('src/ingest/journal-dump'), [at('centre/journal')]);
        return [...r.out.matchAll(/"event\.original":"[^"]*loadline number=(\d+) check/g)].map((m) => Number(m[1]));
    };
    const committed = () => (existsSync(at('centre/journal/commit')) ? Number(readFileSync(at('centre/journal/commit')).readBigUInt64LE(32)) : 0);
    let seen = [];
    await until(`all ${written} lines come`, async () => committed() > written && new Set((seen = await numbers())).size >= written, 300)
        .catch((e) => { throw new Error(`${e.message}: ${new Set(seen).size} of ${written}\nagent ${agent.story()}\ncollector ${collector.story()}\ncentre ${centre.story()}`); });
    t.diagnostic(`${KILLS} kills (${JSON.stringify(counts)}), ${cuts} cables pulled, ${rotated} rotations, ${written} lines`);
    const times = new Map();
    for (const n of seen) times.set(n, (times.get(n) ?? 0) + 1);
    const wrong = [...times].filter(([, n]) => n !== 1);
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} lines stand more than once`);
    assert.equal(seen.length, written);
    // And it can be proved.
    for (const d of [collector, centre]) {
        d.child.kill('SIGTERM');
        assert.deepEqual(await d.ended, { code: 0, signal: null });
        const verdict = await saqshy(['verify', '--data', d.data]);
        assert.equal(verdict.code, 0, verdict.out + verdict.err);
        d.start();
    }
});
