// collect.mjs - what receiving logs costs: ours beside rsyslog and syslog-ng, on the same lines, in one run.
//
// usage: node bench/collect.mjs [LINES [REPEATS [ROW…]]]      rows: tcp octet tls udp relp (all)
// Peers that are not there are left out (packages rsyslog, rsyslog-openssl, rsyslog-relp; syslog-ng installed or in build/peers).
//
// CPU-s/M: user and system seconds of the receiving process for a million lines, from the first byte sent until what it stores stands still; work
// that the kernel books on the sender is not in it. Ours parses each line into fields, frames, compresses, chains and syncs before it counts; the
// peers' row says what they do. A repetition is a fresh process; rows are medians. The sender runs on core 0 and the receiver on core 1 where taskset is.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
import { corpus } from './corpus.mjs';
process.env.SAQSHY_BUILD ??= 'build/release';
const { bin, freePort, root, run, sleep } = await import('../tests/lib/centre.mjs');

const total = Number(process.argv[2] ?? 1000000), repeats = Number(process.argv[3] ?? 3), wanted = process.argv.slice(4);
const folder = mkdtempSync(join(tmpdir(), 'saqshy-collect-')), file = join(folder, 'corpus.log'), pki = join(folder, 'pki');
const bytes = corpus(Math.min(total, 1000000));
writeFileSync(file, bytes);
const made = await run(bin('src/pki/pki-make'), [pki, 'sender']);
if (made.code) throw new Error(made.err);
const cert = [join(pki, 'agents/sender.pem'), join(pki, 'agents/sender.key'), join(pki, 'ca.pem')];

const pinned = cpus().length > 1 && spawnSync('taskset', ['-V']).status === 0;
const on = (core, program, args) => (pinned ? ['taskset', ['-c', String(core), program, ...args]] : [program, args]);
const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(f[11]) + Number(f[12])) / 100; };
const rss = (pid) => Number((/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [])[1] ?? 0) / 1024;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
let runs = 0;

/** Lines of a growing file, each byte looked at once. */
function lineCounter(path) {
    const part = Buffer.alloc(1 << 20);
    let at = 0, lines = 0;
    return () => {
        if (!existsSync(path)) return 0;
        const fd = openSync(path, 'r');
        for (let n; (n = readSync(fd, part, 0, part.length, at)) > 0; at += n) for (let i = part.indexOf(10); i >= 0 && i < n; i = part.indexOf(10, i + 1)) lines++;
        closeSync(fd);
        return lines;
    };
}

/* --- receivers: each starts a process for a kind of input and tells its port and how many lines it has --- */

const ours = { name: 'saqshy: parsed, compressed, chained, synced', rows: ['tcp', 'octet', 'tls', 'udp', 'relp'], start(kind, port, dir) {
    for (const f of ['run', 'log', 'journal']) mkdirSync(join(dir, f), { recursive: true });
    const word = { tcp: 'syslog_tcp', octet: 'syslog_tcp', tls: 'syslog_tls', udp: 'syslog_udp', relp: 'relp' }[kind];
    const off = ['syslog_udp', 'syslog_tcp', 'otlp'].filter((w) => w !== word).map((w) => `  ${w}: ""\n`).join('');
    const list = kind === 'tls' ? `  listeners:\n    - { id: bench, kind: syslog_tls, address: "127.0.0.1:${port}", tls: { certificate: ${pki}/server.pem, key: ${pki}/server.key, authority: ${pki}/ca.pem } }\n` : `  ${word}: "127.0.0.1:${port}"\n`;
    writeFileSync(join(dir, 'saqshyd.yaml'), `node: collector\ndata: ${dir}\nroles: [ingest]\ningest:\n${off}${list}`);
    const commit = join(dir, 'journal/commit');
    return { program: bin('saqshyd'), args: ['--config', join(dir, 'saqshyd.yaml'), '--role', 'ingest'],
        count: () => (existsSync(commit) && statSync(commit).size >= 40 ? Number(readFileSync(commit).readBigUInt64LE(32)) - 1 : 0) };
} };

const rsyslogd = (name, rows, { head = '', action = '', input = '', slow = false }) => ({ name, rows, slow, there: existsSync('/usr/sbin/rsyslogd'), start(kind, port, dir) {
    mkdirSync(dir, { recursive: true });
    const out = join(dir, 'out.log');
    const tls = `global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="${pki}/ca.pem" DefaultNetstreamDriverCertFile="${pki}/server.pem" DefaultNetstreamDriverKeyFile="${pki}/server.key")\n`;
    const load = { tcp: `module(load="imtcp")\ninput(type="imtcp" port="${port}" address="127.0.0.1"${input})`, udp: `module(load="imudp")\ninput(type="imudp" port="${port}" address="127.0.0.1" rcvbufSize="4m")`,
        tls: `${tls}module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")\ninput(type="imtcp" port="${port}" address="127.0.0.1")`,
        relp: `module(load="imrelp")\ninput(type="imrelp" port="${port}" address="127.0.0.1")` };
    load.octet = load.tcp;
    writeFileSync(join(dir, 'rsyslog.conf'), `global(workDirectory="${dir}")\n${head.replaceAll('DIR', dir)}${load[kind]}\n*.* action(type="omfile" file="${out}"${action})\n`);
    return { program: '/usr/sbin/rsyslogd', args: ['-n', '-f', join(dir, 'rsyslog.conf'), '-i', join(dir, 'pid')], count: lineCounter(out) };
} });

const peers = join(root, 'build/peers/usr'), unpacked = existsSync(join(peers, 'sbin/syslog-ng'));
const syslogNg = (name, rows, fetch) => ({ name, rows, there: unpacked || existsSync('/usr/sbin/syslog-ng'), start(kind, port, dir) {
    mkdirSync(dir, { recursive: true });
    const out = join(dir, 'out.log'), lib = join(peers, 'lib/syslog-ng');
    const more = fetch ? ' log-fetch-limit(1000) log-iw-size(100000)' : '';
    const source = { tcp: `network(ip(127.0.0.1) port(${port}) transport("tcp")${more})`, octet: `syslog(ip(127.0.0.1) port(${port}) transport("tcp")${more})`,
        tls: `syslog(ip(127.0.0.1) port(${port}) transport("tls")${more} tls(key-file("${pki}/server.key") cert-file("${pki}/server.pem") ca-file("${pki}/ca.pem") peer-verify(required-trusted)))`,
        udp: `network(ip(127.0.0.1) port(${port}) transport("udp") so-rcvbuf(4194304)${more})` }[kind];
    writeFileSync(join(dir, 'syslog-ng.conf'), `@version: 3.38\noptions { keep-hostname(yes); use-dns(no);${fetch ? ' log-fifo-size(200000); flush-lines(1000);' : ''} };\nsource s { ${source}; };\ndestination d { file("${out}"); };\nlog { source(s); destination(d); };\n`);
    return { program: unpacked ? join(peers, 'sbin/syslog-ng') : '/usr/sbin/syslog-ng', args: ['-F', '--no-caps', '-f', join(dir, 'syslog-ng.conf'), '-R', join(dir, 'persist'), '-p', join(dir, 'pid'), '-c', join(dir, 'ctl'),
        ...(unpacked ? [`--module-path=${join(lib, '3.38')}`] : [])], env: unpacked ? { ...process.env, LD_LIBRARY_PATH: `${lib}:${peers}/lib/x86_64-linux-gnu` } : process.env, count: lineCounter(out) };
} });

const tuned = { head: 'main_queue(queue.type="FixedArray" queue.size="50000" queue.dequeueBatchSize="4096" queue.workerThreads="1")\n', action: ' ioBufferSize="64k" asyncWriting="off" flushOnTXEnd="on"' };
const receivers = [ours, rsyslogd('rsyslog, defaults: to a file, not synced', ['tcp', 'octet', 'tls', 'udp', 'relp'], {}), rsyslogd('rsyslog, tuned: to a file, not synced', ['tcp', 'udp'], tuned),
    rsyslogd('rsyslog, each batch synced', ['tcp', 'relp'], { action: ' sync="on"', slow: true }),
    syslogNg('syslog-ng, defaults: to a file, not synced', ['tcp', 'octet', 'tls', 'udp'], false), syslogNg('syslog-ng, tuned: to a file, not synced', ['tcp', 'udp'], true)];

/* --- one measurement --- */

const listens = (port) => new Promise((done) => { const s = net.connect(port, '127.0.0.1', () => { s.destroy(); done(true); }); s.on('error', () => done(false)); });
const bound = (port) => readFileSync('/proc/net/udp', 'utf8').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);

async function once(receiver, kind, lines, rate) {
    const port = await freePort(), dir = join(folder, `run-${runs++}`), r = receiver.start(kind, port, dir), [program, args] = on(1, r.program, r.args);
    const said = openSync(join(folder, 'said.txt'), 'a'), child = spawn(program, args, { stdio: ['ignore', said, said], env: r.env ?? process.env });
    closeSync(said);
    const ended = new Promise((done) => child.on('exit', done));
    try {
        for (let i = 0; !(kind === 'udp' ? bound(port) : await listens(port)); i++) {
            if (i > 200 || child.exitCode !== null) throw new Error(`${receiver.name} does not listen`);
            await sleep(50);
        }
        await sleep(800);
        const base = r.count(), before = cpu(child.pid), start = performance.now();
        const [p, a] = on(0, bin('bench/loadgen'), [kind, '127.0.0.1', port, lines, file, ...(kind === 'udp' ? [rate] : kind === 'tls' ? cert : [])].map(String));
        const load = spawn(p, a, { stdio: ['ignore', 'pipe', 'inherit'] });
        let told = '', over = false, last = 0, moved = performance.now();
        load.stdout.on('data', (d) => (told += d));
        load.on('exit', (code) => (over = code === 0 ? 'well' : 'badly'));
        for (;;) {
            const now = r.count() - base;
            if (now !== last) { last = now; moved = performance.now(); }
            if (over && (last >= lines || performance.now() - moved > 2500)) break;
            await sleep(10);
        }
        if (over !== 'well') throw new Error(`${receiver.name}: the load ended badly`);
        await sleep(200);
        return { lines: last, rate: last * 1000 / (moved - start), cpu: (cpu(child.pid) - before) * 1e6 / Math.max(1, last), rss: rss(child.pid), lost: lines - last, sent: lines / Number(/seconds (\S+)/.exec(told)[1]) };
    } finally {
        child.kill('SIGTERM');
        const hard = setTimeout(() => child.kill('SIGKILL'), 10000);
        await ended;
        clearTimeout(hard);
        rmSync(dir, { recursive: true, force: true });
    }
}

async function row(title, kind, { lines = total, rate = 0 } = {}) {
    const table = [];
    for (const r of receivers.filter((x) => x.rows.includes(kind) && x.there !== false)) {
        const n = r.slow ? Math.min(lines, Math.max(20000, Math.floor(lines / 10))) : lines, all = [];
        try { for (let i = 0; i < repeats; i++) all.push(await once(r, kind, n, rate)); } catch (e) { console.log(`  ${e.message}: left out`); continue; }
        table.push({ receiver: r.name, lines: n, 'CPU-s/M': +median(all.map((x) => x.cpu)).toFixed(2), ...(rate ? { 'sent/s': Math.round(median(all.map((x) => x.sent))) } : {}), 'lines/s': Math.round(median(all.map((x) => x.rate))), 'MB most': Math.round(median(all.map((x) => x.rss))),
            'lost at worst': Math.max(...all.map((x) => x.lost)) });
    }
    const own = table[0], others = table.slice(1), synced = others.find((x) => /each batch synced/.test(x.receiver));
    console.log(`\n${title}`);
    console.table(table);
    if (others.length && own?.receiver === ours.name) {
        const best = Math.min(...others.map((x) => x['CPU-s/M'])), fast = Math.max(...others.map((x) => x['lines/s']));
        console.log(`  CPU ${(own['CPU-s/M'] / best).toFixed(2)} of the best peer's${kind === 'udp' ? '' : `, lines/s ${(own['lines/s'] / fast).toFixed(2)} of the fastest peer's`}`);
        if (synced) console.log(`  beside the one that syncs: CPU ${(own['CPU-s/M'] / synced['CPU-s/M']).toFixed(2)}, lines/s ${(own['lines/s'] / synced['lines/s']).toFixed(1)} times`);
    }
    return own;
}

const does = (kind) => !wanted.length || wanted.includes(kind);
console.log(`${bytes.length} bytes of ${(bytes.length / Math.min(total, 1000000)).toFixed(0)} a line, ${repeats} repetitions, ${pinned ? 'sender and receiver pinned' : 'not pinned'}`);
try {
    if (does('tcp')) await row('TCP, lines (target: at most 1.1 CPU-s/M, a quarter of the best durable peer)', 'tcp');
    const plain = does('octet') || does('tls') ? await row('TCP, octet-counted', 'octet') : null;
    const secret = does('tls') ? await row('TLS with a client certificate (target: 0.2 added)', 'tls') : null;
    if (plain && secret) console.log(`  TLS adds ${(secret['CPU-s/M'] - plain['CPU-s/M']).toFixed(2)} CPU-s/M to ours`);
    if (does('udp')) for (const rate of [20000, 80000, 160000, 240000])
        await row(`UDP at an even ${rate / 1000} k/s (target: at most ${{ 20000: 5, 80000: 4, 160000: 3.5 }[rate] ?? '-'} CPU-s/M, no loss)`, 'udp', { rate, lines: Math.min(total, rate * 2) });
    if (does('relp')) await row('RELP, each line answered (target of a relay with both ends: at most 2.5 CPU-s/M, 400 k lines/s)', 'relp');
} finally {
    rmSync(folder, { recursive: true, force: true });
}
