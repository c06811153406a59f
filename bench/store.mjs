// store.mjs - our store beside others on the same events in the same run: load, bytes, memory, the ten queries of ../shared/engine/store.md, and the gates of its targets.
//
// usage: node bench/store.mjs [EVENTS [FOLDER]]      default 1,000,000 events; FOLDER (made, kept) instead of a temporary one
//
// Events come from the generator of store.md, compiled where it lies. Ours reads raw lines: parse and store in one process (bench_lines), and the product as it runs, by
// TCP through the roles ingest and index. The others get the columns that our parsers found (bench_lines --tsv): they do not parse, and keep no header of a line.
// Figures are CPU time, the median of seven, of one thread: they hold on a busy machine to some ten or twenty of a hundred; times by the clock (cold) do not.
// A peer whose package cannot be had is named and left out. Exit 1: tools do not find the same.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
import { bytesBelow, measured, peersFolder, REGEX, ripgrep } from './store_peers.mjs';
process.env.SAQSHY_BUILD ??= 'build/release';
const { bin, freePort, root, sleep } = await import('../tests/lib/centre.mjs');

const events = Number(process.argv[2] ?? 1000000), WARM = 7;
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'saqshy-store-')), raw = join(folder, 'raw.log'), tsv = join(folder, 'events.tsv');
const shared = process.env.SAQSHY_SHARED ?? join(root, '../shared'), names = Array.from({ length: 10 }, (_, i) => `Q${i + 1}`);
const say = (text) => console.error(`${new Date().toTimeString().slice(0, 8)} ${text}`);

/** Our texts. Q9 says that the first word stands in the line itself: a word is looked for in all fields too, and the others have no such fields. */
const regex = REGEX.replaceAll('/', '\\/'), count = '| stats count()';
const ours = {
    Q1: ['sess-7f3a9c21d4e8b605'], Q2: ['"7zqmal"'], Q3: [`user.name:jsmith42 ${count}`], Q4: ['source.ip:203.0.113.77', 50], Q5: [`source.ip:185.220.0.0/16 ${count}`],
    Q6: ['process.name:sshd "Failed password" | top 10 source.ip'], Q7: ['* | stats count() by bucket(1m)'], Q8: ['host.name:db284.corp.example', 100],
    Q9: [`session root event.original:/\\bsession\\b/ ${count}`], Q10: [`event.original:/${regex}/ ${count}`],
};
/** What must agree: rows, or the count that is the answer, or both. */
const answer = (q, a) => (['Q3', 'Q5', 'Q9', 'Q10'].includes(q) ? `${a.sum}` : ['Q6', 'Q7'].includes(q) ? `${a.rows} rows of ${a.sum}` : `${a.rows}`);
const lines = (text) => text.trim().split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));

/** Pages of our own files leave the cache; those of others stay. */
function evict(path) {
    if (statSync(path).isDirectory()) for (const f of readdirSync(path)) evict(join(path, f));
    else spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
}

/* --- ours --- */

const driver = (args) => measured(bin('bench/bench_lines'), ['--json', ...args]).then((r) => lines(r.out));
const asked = ([text, last]) => (last ? ['--last', String(last), text] : [text]);

/** Counts alone, by the store's histogram: what the portal draws. The others of the ten need events or values. */
const counted = { Q3: ['1', 'user.name:jsmith42'], Q5: ['1', 'source.ip:185.220.0.0/16'], Q7: ['2880', ''], Q9: ['1', 'session root event.original:/\\bsession\\b/'], Q10: ['1', `event.original:/${regex}/`] };

async function oursAlone() {
    const store = join(folder, 'store');
    say('ours: raw lines, parsed and stored by one process');
    const [l] = await driver(['--parsers', join(root, 'content/parsers'), '--tsv', tsv, store, raw]);
    const row = { name: 'saqshy', parse: l.parse, store: l.store, load: l.parse + l.store, bytes: l.bytes, rss: l.rss, warm: {}, cold: {}, counted: {} };
    say('ours: warm');
    (await driver(['--repeat', String(WARM), store, '-', ...names.flatMap((q) => asked(ours[q]))])).forEach((a, i) => (row.warm[names[i]] = a));
    (await driver(['--repeat', String(WARM), store, '-', ...Object.values(counted).flatMap((c) => ['--count', ...c])])).forEach((a, i) => (row.counted[Object.keys(counted)[i]] = a));
    say('ours: cold');
    for (const q of names) { evict(store); [row.cold[q]] = await driver([store, '-', ...asked(ours[q])]); }
    return row;
}

const listens = (port) => new Promise((done) => { const s = net.connect(port, '127.0.0.1', () => { s.destroy(); done(true); }); s.on('error', () => done(false)); });
const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(f[11]) + Number(f[12])) / 100; };
const most = (pid) => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
const u64 = (path, at) => (existsSync(path) && statSync(path).size >= at + 8 ? Number(readFileSync(path).readBigUInt64LE(at)) : 0);

/** The product: the events by TCP into the role ingest, from its journal into the store by the role index, until the manifest names the last. Then searches, each a process. */
async function product() {
    const data = join(folder, 'data'), port = await freePort(), config = join(data, 'saqshyd.yaml');
    for (const f of ['run', 'log', 'journal', 'store', 'holds']) mkdirSync(join(data, f), { recursive: true });
    writeFileSync(config, `node: centre\ndata: ${data}\nroles: [ingest, index]\ningest:\n  syslog_udp: ""\n  otlp: ""\n  syslog_tcp: "127.0.0.1:${port}"\n`);
    say('the product: by TCP through ingest and index');
    const roles = ['ingest', 'index'].map((role) => { const child = spawn(bin('saqshyd'), ['--config', config, '--role', role], { stdio: ['ignore', 'ignore', 'inherit'] }); return { role, child, pid: child.pid, ended: new Promise((r) => child.on('exit', r)) }; });
    try {
        for (let i = 0; !(await listens(port)); i++) { if (i > 200 || roles.some((r) => r.child.exitCode !== null)) throw new Error('a role ended, or ingest does not listen'); await sleep(100); }
        await sleep(2000);
        for (const r of roles) r.before = cpu(r.pid);
        await measured(bin('bench/loadgen'), ['tcp', '127.0.0.1', String(port), String(events), raw]);
        for (const end = Date.now() + 600000; u64(join(data, 'store/MANIFEST'), 16) <= events; await sleep(200)) if (Date.now() > end) throw new Error('not all events came into the store');
        for (const r of roles) { r.cpu = (cpu(r.pid) - r.before) * 1e6 / events; r.rss = most(r.pid); }
    } finally {
        for (const r of roles) { r.child.kill('SIGTERM'); await r.ended; }
    }
    const row = { name: 'the product', ingest: roles[0].cpu, index: roles[1].cpu, load: roles[0].cpu + roles[1].cpu, rss: Math.max(...roles.map((r) => r.rss)), bytes: bytesBelow(join(data, 'store')) / events, warm: {}, cold: {} };
    say('the product: saqshy search, cold');
    for (const q of names) {
        const [text, last] = ours[q];
        evict(join(data, 'store'));
        const r = await measured(bin('saqshy'), ['search', text, '--limit', String(last ?? 0), '--json', '--data', data], { codeMost: 1 }), found = lines(r.out);
        const numbers = found.map((f) => Number(f.count ?? 0));
        row.cold[q] = { rows: found.length, sum: numbers.reduce((a, b) => a + b, 0), ms: 1000 * r.cpu, wall: r.wall };
    }
    return row;
}

/* --- the others --- */

/** Packages of npm and ripgrep of Debian below build/peers: fetched once, never committed. */
function packagesOf(wanted) {
    mkdirSync(peersFolder, { recursive: true });
    if (!existsSync(join(peersFolder, 'package.json'))) writeFileSync(join(peersFolder, 'package.json'), '{ "private": true }\n');
    for (const name of wanted.filter((n) => !existsSync(join(peersFolder, 'node_modules', n)))) {
        say(`fetching ${name}`);
        spawnSync('npm', ['install', '--no-audit', '--no-fund', '--silent', name], { cwd: peersFolder, stdio: 'inherit' });
    }
    if (!ripgrep() && spawnSync('apt-get', ['download', 'ripgrep'], { cwd: peersFolder, stdio: 'ignore' }).status === 0)
        for (const f of readdirSync(peersFolder).filter((n) => /^ripgrep.*\.deb$/.test(n))) spawnSync('dpkg-deb', ['-x', join(peersFolder, f), peersFolder]);
}

const needs = {
    'clickhouse-text': ['npm chdb', () => existsSync(join(peersFolder, 'node_modules/chdb'))], 'clickhouse-zstd': ['npm chdb', () => existsSync(join(peersFolder, 'node_modules/chdb'))],
    duckdb: ['npm @duckdb/node-api', () => existsSync(join(peersFolder, 'node_modules/@duckdb/node-api'))],
    sqlite: ['the program sqlite3', () => spawnSync('sqlite3', ['--version']).status === 0],
    'zstd-rg': ['Debian packages ripgrep and zstd', () => ripgrep() && spawnSync('zstd', ['--version']).status === 0],
};

async function peer(name) {
    const at = join(folder, name), program = (args) => execFileSync(process.execPath, [join(root, 'bench/store_peers.mjs'), name, ...args], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
    say(`${name}: load`);
    const [l] = lines(program(['load', at, tsv])), row = { name, load: l.cpu * 1e6 / events, bytes: l.bytes / events, rss: Math.round(l.rss), warm: {}, cold: {} };
    say(`${name}: warm`);
    for (const a of lines(program(['ask', at, String(WARM)]))) row.warm[a.q] = a;
    say(`${name}: cold`);
    for (const q of Object.keys(row.warm)) { evict(at); [row.cold[q]] = lines(program(['ask', at, '1', q])); }
    return row;
}

/* --- what it comes to --- */

function disagreements(rows) {
    const bad = [];
    for (const q of names) {
        const seen = rows.flatMap((r) => [r.warm[q], r.cold[q]].filter(Boolean).map((a) => [r.name, answer(q, a)]));
        if (new Set(seen.map(([, a]) => a)).size > 1) bad.push(`${q}: ${[...new Set(seen.map(([n, a]) => `${n} ${a}`))].join(', ')}`);
    }
    return bad;
}

const ms = (x) => (x === undefined ? '-' : x < 10 ? x.toFixed(2) : x < 100 ? x.toFixed(1) : x.toFixed(0));
const against = (x, own) => (x === undefined ? '-' : `${ms(x)} (${(x / own).toPrecision(2)}x)`);

function print(rows) {
    const [own] = rows;
    console.log(`\n| ${events} events | load, CPU-s/M | bytes an event | MiB at most |\n|---|---|---|---|`);
    for (const r of rows) {
        const parts = r.parse !== undefined ? ` (parse ${r.parse.toFixed(2)}, store ${r.store.toFixed(2)})` : r.ingest !== undefined ? ` (ingest ${r.ingest.toFixed(2)}, index ${r.index.toFixed(2)})` : '';
        console.log(`| ${r.name} | ${r.load.toFixed(2)}${parts} | ${r.bytes.toFixed(1)} | ${r.rss} |`);
    }
    const warm = rows.filter((r) => Object.keys(r.warm).length), head = (list) => `| ${list.map((r) => r.name).join(' | ')} |\n|---|---|${list.map(() => '---').join('|')}|`;
    console.log('\nWarm, ms of CPU, one thread, and how many times ours (counts alone: by the histogram of the store, without pipes):');
    console.log(`\n| query | found | counts alone ${head(warm).replace('|---|---|', '|---|---|---|')}`);
    for (const q of names) console.log(`| ${q} | ${answer(q, own.warm[q])} | ${ms(own.counted[q]?.ms)} | ${warm.map((r) => (r === own ? ms(r.warm[q].ms) : against(r.warm[q]?.ms, own.warm[q].ms))).join(' | ')} |`);
    console.log(`\nCold, ms by the clock, once (of saqshy search the whole process, of the others the question alone):\n\n| query | found ${head(rows)}`);
    for (const q of names) console.log(`| ${q} | ${answer(q, own.cold[q])} | ${rows.map((r) => ms(r.cold[q]?.wall)).join(' | ')} |`);
}

/** The gates of the store's targets; those of 10 million events by proportion, needles as they are. */
function gates(rows) {
    const [own, whole] = rows, text = rows.find((r) => r.name === 'clickhouse-text'), scale = 1e7 / events;
    const slow = names.filter((q) => !['Q1', 'Q4', 'Q8'].includes(q)).map((q) => [q, own.warm[q].ms * scale]).concat(['Q1', 'Q4', 'Q8'].map((q) => [q, own.warm[q].ms])).filter(([, x]) => x > 40);
    const behind = text ? names.filter((q) => own.warm[q].ms > text.warm[q].ms) : [];
    const gate = (what, held, seen) => console.log(`| ${what} | ${seen} | ${held === null ? 'not measured' : held ? 'held' : 'missed'} |`);
    console.log(`\n| gate | seen | |\n|---|---|---|`);
    gate('load in all at most 3.0 CPU-s/M, one process', own.load <= 3, own.load.toFixed(2));
    gate('load in all at most 3.0 CPU-s/M, the product', whole.load <= 3, whole.load.toFixed(2));
    gate('at most 22 bytes an event', own.bytes <= 22, own.bytes.toFixed(1));
    gate('load below 256 MiB', Math.max(own.rss, whole.rss) < 256, `${own.rss}, ${whole.rss}`);
    gate('Q1 warm at most 3 ms', own.warm.Q1.ms <= 3, ms(own.warm.Q1.ms));
    gate('Q1 cold at most 60 ms', own.cold.Q1.wall <= 60, ms(own.cold.Q1.wall));
    gate('no query over 40 ms for 10 million (scans by proportion)', !slow.length, slow.map(([q, x]) => `${q} ${ms(x)}`).join(', ') || 'none');
    gate('no query slower than ClickHouse with its text index', text ? !behind.length : null, behind.map((q) => `${q} ${(own.warm[q].ms / text.warm[q].ms).toPrecision(2)}x`).join(', ') || 'none');
}

mkdirSync(folder, { recursive: true });
let wrong = [];
try {
    say(`${events} events from the generator`);
    execFileSync('cc', ['-O2', '-w', '-o', join(folder, 'gen'), join(shared, 'engine/prototypes/store/gen.c')]);
    execFileSync(join(folder, 'gen'), [String(events), folder], { stdio: 'inherit' });
    rmSync(join(folder, 'events.jsonl'));
    const rows = [await oursAlone(), await product()];
    packagesOf(['chdb', '@duckdb/node-api']);
    for (const [name, [what, there]] of Object.entries(needs)) {
        if (!there()) { console.log(`${name} is left out: ${what} cannot be had`); continue; }
        try { rows.push(await peer(name)); } catch (e) { console.log(`${name} is left out: ${String(e.message).split('\n')[0]}`); }
        rmSync(join(folder, name), { recursive: true, force: true });
    }
    wrong = disagreements(rows);
    print(rows);
    gates(rows);
} finally {
    if (!process.argv[3]) rmSync(folder, { recursive: true, force: true });
}
for (const w of wrong) console.log(`the answers differ: ${w}`);
process.exit(wrong.length ? 1 : 0);
