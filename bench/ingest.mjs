// ingest.mjs - TCP syslog into the journal, beside rsyslog into a file, in one run on the same lines.
//
// usage: node bench/ingest.mjs [LINES]      (rsyslogd from Debian's package rsyslog; without it only our half runs)
// Prints lines a second, CPU-seconds per million lines of the receiving process, and the ratios. Ours parses each line into fields, frames, compresses,
// hashes and fsyncs before it counts; rsyslog writes the lines to a file, once without and once with sync of each batch.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync, existsSync, statSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
process.env.SAQSHY_BUILD ??= 'build/release';
const { bin, freePort, sleep, run } = await import('../tests/lib/centre.mjs');

const total = Number(process.argv[2] ?? 500000);
const folder = mkdtempSync(join(tmpdir(), 'saqshy-bench-'));
const lines = [];
for (let i = 0; i < total; i++) {
    const host = `srv-${i % 40}`, p = 1024 + (i * 7919) % 60000;
    lines.push(i % 3 === 2 ? `<13>Nov 24 10:00:${String(i % 60).padStart(2, '0')} ${host} app[${i % 3000}]: request id=${(i * 2654435761) % 4294967296} took ${i % 900} ms status=200`
        : `<38>Nov 24 10:00:${String(i % 60).padStart(2, '0')} ${host} sshd[${i % 30000}]: Failed password for invalid user u${i % 500} from 203.0.${i % 256}.${(i >> 8) % 256} port ${p} ssh2`);
}
const payload = Buffer.from(lines.join('\n') + '\n');
const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(f[11]) + Number(f[12])) / 100; };
const rss = (pid) => Number((/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [])[1] ?? 0) / 1024;

async function connect(port) {
    for (let i = 0; ; i++) {
        try { return await new Promise((done, fail) => { const s = net.connect(port, '127.0.0.1', () => done(s)); s.on('error', fail); }); }
        catch (e) { if (i > 100) throw e; await sleep(100); }
    }
}
async function feed(port) {
    const s = await connect(port);
    await new Promise((done, fail) => { s.on('error', fail); s.write(payload, () => { s.end(); done(); }); });
}

async function measure(name, child, port, counted) {
    await (await connect(port)).destroy();
    await sleep(300);
    const before = cpu(child.pid), start = performance.now();
    await feed(port);
    while (counted() < total) { await sleep(20); if (performance.now() - start > 300000) throw new Error(`${name}: ${counted()} of ${total}`); }
    const seconds = (performance.now() - start) / 1000, used = cpu(child.pid) - before;
    const row = { name, 'lines/s': Math.round(total / seconds), 'CPU-s/M': +(used * 1e6 / total).toFixed(2), 'RSS MB': Math.round(rss(child.pid)) };
    child.kill('SIGTERM');
    await new Promise((r) => child.on('exit', r));
    return row;
}

let runs = 0;
async function ours() {
    const data = join(folder, `saqshy-${runs++}`);
    const [portal, otlp, port] = [await freePort(), await freePort(), await freePort()];
    const made = await run(bin('saqshyd'), ['--init', data, '--no-demo', '--port', portal, '--otlp-port', otlp, '--syslog-port', port].map(String));
    if (made.code) throw new Error(made.err);
    const child = spawn(bin('saqshyd'), ['--config', join(data, 'saqshyd.yaml'), '--role', 'ingest'], { stdio: 'ignore' });
    const commit = join(data, 'journal/commit');
    const counted = () => (existsSync(commit) && statSync(commit).size >= 40 ? Number(readFileSync(commit).readBigUInt64LE(32)) - 1 : 0);
    return measure('saqshy: parsed, compressed, chained, fsynced', child, port, counted);
}

async function rsyslog(sync) {
    const port = await freePort(), out = join(folder, `rsyslog-${sync}.log`), conf = join(folder, `rsyslog-${sync}.conf`);
    writeFileSync(conf, `global(workDirectory="${folder}")\nmodule(load="imtcp")\ninput(type="imtcp" port="${port}" address="127.0.0.1")\n*.* action(type="omfile" file="${out}" sync="${sync ? 'on' : 'off'}")\n`);
    const child = spawn('rsyslogd', ['-n', '-f', conf, '-i', join(folder, `rsyslog-${sync}.pid`)], { stdio: 'ignore' });
    let last = 0, lines = 0;
    const counted = () => {
        if (!existsSync(out)) return 0;
        const size = statSync(out).size;
        if (size !== last) { last = size; let n = 0; for (const b of readFileSync(out)) if (b === 10) n++; lines = n; }
        return lines;
    };
    return measure(sync ? 'rsyslog: to a file, synced' : 'rsyslog: to a file, not synced', child, port, counted);
}

const rows = [await ours()];
if (existsSync('/usr/sbin/rsyslogd')) { rows.push(await rsyslog(false)); rows.push(await rsyslog(true)); rows.push(await ours()); }
console.log(`${total} lines, ${(payload.length / total).toFixed(0)} bytes each`);
console.table(rows);
for (const r of rows.slice(1)) console.log(`${r.name}: ${(rows[0]['lines/s'] / r['lines/s']).toFixed(2)} times its lines/s, ${(rows[0]['CPU-s/M'] / r['CPU-s/M']).toFixed(2)} times its CPU`);
rmSync(folder, { recursive: true, force: true });
