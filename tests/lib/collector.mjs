// collector.mjs - a saqshyd that only collects, for tests of inputs: data directory, certificates, the real role ingest under its supervisor.
//
// const c = await collector(t, 'syslog_udp: "127.0.0.1:0"', { agents: ['srv-1'] }); c.ports.syslog_udp; await c.wait(3); c.listener('syslog_udp')
// The text is the section ingest: of the configuration, without indentation; what it does not name is off.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, root, run, saqshy, until } from './centre.mjs';

const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' };
const shorts = ['syslog_udp', 'syslog_tcp', 'otlp'];

/** The first block of a page with this language, or the n-th. */
export function example(page, language, n = 0) {
    const blocks = [...readFileSync(join(root, 'docs/inputs', page), 'utf8').matchAll(/^```(\S+)\n([^]*?)^```$/gm)].filter((m) => m[1] === language);
    assert.ok(blocks[n], `${page} has a block of ${language}`);
    return blocks[n][2];
}

export class Collector {
    constructor() { this.data = mkdtempSync(join(tmpdir(), 'saqshy-inputs-')); this.pki = join(this.data, 'pki'); }
    get file() { return join(this.data, 'saqshyd.yaml'); }
    /** Write the configuration: ingest is the text of its section, more is whole other sections. */
    config(ingest, more = '') {
        const off = shorts.filter((s) => !new RegExp(`^${s}:`, 'm').test(ingest)).map((s) => `  ${s}: ""\n`).join('');
        writeFileSync(this.file, `node: collector\ndata: ${this.data}\nroles: [${this.roles ?? 'ingest'}]\ningest:\n${off}${ingest.trimEnd().replace(/^/gm, '  ')}\n${more}`);
    }
    async start() {
        const out = openSync(join(this.data, 'story.txt'), 'a');
        rmSync(join(this.data, 'run/ingest.json'), { force: true });
        this.child = spawn(bin('saqshyd'), ['--config', this.file], { stdio: ['ignore', out, out], env });
        this.child.ended = new Promise((done) => this.child.on('exit', (code, signal) => done({ code, signal })));
        closeSync(out);
        await until('ingest listens', () => existsSync(join(this.data, 'run/ingest.json')) || this.child.exitCode !== null);
        if (this.child.exitCode !== null) throw new Error(this.story());
    }
    get state() { return JSON.parse(readFileSync(join(this.data, 'run/ingest.json'), 'utf8')); }
    get ports() { return this.state; }
    listener(id) { return this.state.listeners.find((l) => l.id === id); }
    port(id) { return this.listener(id).port; }
    sources() { try { return JSON.parse(readFileSync(join(this.data, 'run/sources.json'), 'utf8')); } catch { return []; } }
    reload() { return saqshy(['reload', '--data', this.data]); }
    async events() {
        const r = await run(bin('src/ingest/journal-dump'), [join(this.data, 'journal')]);
        return r.out.split('\n').filter(Boolean).map((line) => JSON.parse(line).event).filter((e) => e['saqshy.source'] !== 'saqshyd');
    }
    /** Wait until the journal has so many events that pass, and give those. */
    async wait(count, pass = () => true, seconds = 60) {
        let seen = [];
        try {
            await until('', async () => (seen = (await this.events()).filter(pass)).length >= count, seconds);
        } catch { throw new Error(`only ${seen.length} of ${count} events came\n${this.story()}`); }
        return seen;
    }
    log() { try { return readFileSync(join(this.data, 'log/saqshyd.jsonl'), 'utf8'); } catch { return ''; } }
    story() { return (existsSync(join(this.data, 'story.txt')) ? readFileSync(join(this.data, 'story.txt'), 'utf8').slice(-3000) : '') + this.log().slice(-3000); }
    metrics() {
        const sums = {};
        for (const line of readFileSync(join(this.data, 'run/metrics-ingest.prom'), 'utf8').split('\n')) {
            const m = /^(\w+)(?:\{\w+="([^"]+)"\})? (\d+)$/.exec(line);
            if (m) { sums[m[1]] = (sums[m[1]] ?? 0) + Number(m[3]); if (m[2]) sums[`${m[1]} ${m[2]}`] = Number(m[3]); }
        }
        return sums;
    }
    /** What was read is stored or refused: the sums of the metrics, once nothing is in motion. */
    async balance() {
        const m = await until('the sums balance', () => {
            const s = this.metrics();
            return s.saqshy_ingest_read_total === s.saqshy_ingest_events_total + (s.saqshy_ingest_refused_total ?? 0) && s;
        });
        return m;
    }
    async stop() {
        if (!this.child) return undefined;
        this.child.kill('SIGTERM');
        const r = await this.child.ended;
        this.child = null;
        return r;
    }
    async close() {
        if (this.child) { this.child.kill('SIGKILL'); await this.child.ended; }
        // Its roles end a moment after it, and still write.
        await until('the folder is gone', () => { rmSync(this.data, { recursive: true, force: true }); return true; });
    }
}

export async function collector(t, ingest, { agents = [], more = '', roles = 'ingest' } = {}) {
    const c = new Collector();
    c.roles = roles;
    t.after(() => c.close());
    for (const f of ['run', 'log', 'journal']) mkdirSync(join(c.data, f));
    const made = await run(bin('src/pki/pki-make'), [c.pki, ...agents]);
    assert.equal(made.code, 0, made.err);
    c.config(ingest, more);
    await c.start();
    return c;
}
