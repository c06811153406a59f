// forward.mjs - what a relay costs: lines by TCP into one Saqshy, passed on to another one that is ready, over RELP, RELP with TLS and OTLP.
//
// usage: node bench/forward.mjs [LINES [KIND…]]      (a release build with saqshyd, bench/loadgen, src/pki/pki-make)
// Prints CPU-seconds a million lines of each process and of both sides, and lines a second from the first line sent to the last one committed there. Every
// line is parsed, compressed, chained and synced on both sides; by OTLP the second side takes events as they are.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
process.env.SAQSHY_BUILD ??= 'build/release';
const { bin, freePort, sleep, run, saqshy } = await import('../tests/lib/centre.mjs');
const { corpus } = await import('./corpus.mjs');

const total = Number(process.argv[2] ?? 300000), wanted = process.argv.slice(3);
const home = mkdtempSync(join(tmpdir(), 'saqshy-bench-')), at = (...x) => join(home, ...x);
const file = at('lines.log');
writeFileSync(file, corpus(total));
const pki = at('pki');
await run(bin('src/pki/pki-make'), [pki, 'relay']);
const tls = `, tls: { authority: "${pki}/ca.pem", certificate: "${pki}/agents/relay.pem", key: "${pki}/agents/relay.key" }`;
const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(f[11]) + Number(f[12])) / 100; };
const rss = (pid) => Math.round(Number((/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [])[1] ?? 0) / 1024);
const committed = (data) => { const f = join(data, 'journal/commit'); return existsSync(f) && statSync(f).size >= 40 ? Number(readFileSync(f).readBigUInt64LE(32)) - 1 : 0; };

async function start(data, roles, ingest, more) {
    mkdirSync(data, { recursive: true });
    run('cp', ['-r', pki, join(data, 'pki')]);
    writeFileSync(join(data, 'saqshyd.yaml'), `node: collector\ndata: ${data}\nroles: [${roles}]\ningest:\n  syslog_udp: ""\n  otlp: ""\n${ingest}${more}`);
    const child = spawn(bin('saqshyd'), ['--config', join(data, 'saqshyd.yaml')], { stdio: 'ignore' });
    for (let i = 0; i < 200 && !existsSync(join(data, 'run/ingest.json')); i++) await sleep(50);
    await sleep(500);
    const pids = Object.fromEntries(JSON.parse((await saqshy(['status', '--data', data, '--json'])).out).roles.map((r) => [r.name, r.pid]));
    return { data, child, pids, stop: async () => { child.kill('SIGTERM'); await new Promise((done) => child.on('exit', done)); } };
}

for (const kind of ['relp', 'relp_tls', 'otlp']) {
    if (wanted.length && !wanted.includes(kind)) continue;
    const [port, lines] = [await freePort(), await freePort()];
    const two = await start(at(`${kind}-2`), 'ingest', `  syslog_tcp: ""\n  listeners:\n    - { id: in, kind: ${kind}, address: "127.0.0.1:${port}", options: { relays: "relay" } }\n`, '');
    const one = await start(at(`${kind}-1`), 'ingest, forward', `  syslog_tcp: "127.0.0.1:${lines}"\n`,
        `forward:\n  upstreams:\n    - { name: up, kind: ${kind}, address: "127.0.0.1:${port}", filter: "-saqshy.source:saqshyd"${kind === 'relp' ? '' : tls} }\n`);
    const pids = { 'one ingest': one.pids.ingest, 'one forward': one.pids.forward, 'two ingest': two.pids.ingest };
    const before = Object.fromEntries(Object.entries(pids).map(([n, p]) => [n, cpu(p)])), base = committed(two.data), began = performance.now();
    const load = run(bin('bench/loadgen'), ['tcp', '127.0.0.1', lines, total, file].map(String));
    while (committed(two.data) - base < total) { await sleep(20); if (performance.now() - began > 300000) throw new Error(`${committed(two.data) - base} of ${total}`); }
    const seconds = (performance.now() - began) / 1000;
    await load;
    const row = { kind, 'lines/s': Math.round(total / seconds) };
    let sum = 0;
    for (const [n, p] of Object.entries(pids)) { const used = (cpu(p) - before[n]) * 1e6 / total; sum += used; row[n] = +used.toFixed(2); }
    row['both sides, CPU-s/M'] = +sum.toFixed(2);
    row['forward, MB'] = rss(one.pids.forward);
    console.log(JSON.stringify(row));
    await one.stop();
    await two.stop();
}
rmSync(home, { recursive: true, force: true });
