// store_peers.mjs - the other stores of bench/store.mjs, each in a process of its own: loads the events, answers Q1 to Q10 of engine/store.md.
//
// usage: node bench/store_peers.mjs NAME load FOLDER EVENTS.TSV      {"cpu","bytes","rss"}: CPU-seconds in all, bytes on disk, MiB at most
//        node bench/store_peers.mjs NAME ask FOLDER REPEATS [Q…]     a line for each query: {"q","rows","sum","ms","wall"}; medians of CPU and clock
// NAME: clickhouse-text, clickhouse-zstd, duckdb, sqlite, zstd-rg. Packages are looked for in build/peers (bench/store.mjs puts them there). Settings are those of
// the measurements in engine/store.md, but one thread answers. rows: rows of the answer; sum: of their last column, where that is a count.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const peersFolder = resolve(new URL('..', import.meta.url).pathname, 'build/peers');
export const REGEX = '(Failed|Accepted) [a-z]+ for .* from 185\\.2[0-9]+\\.[0-9.]+ port 4[0-9]{4}';
const packages = createRequire(join(peersFolder, 'package.json'));
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

export function bytesBelow(path) {
    if (!existsSync(path)) return 0;
    const s = statSync(path);
    return s.isDirectory() ? readdirSync(path).reduce((sum, f) => sum + bytesBelow(join(path, f)), 0) : s.size;
}

/** Run to the end: CPU-seconds of the program and what it started, MiB at most of one of them, and what it printed. */
export function measured(program, args, { input = '', cwd, codeMost = 0 } = {}) {
    return new Promise((done, fail) => {
        const p = spawn('bash', ['-c', 'TIMEFORMAT="cpu %U %S"; time "$@"', 'bash', program, ...args], { cwd, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
        let out = '', err = '', most = 0;
        const look = (pid) => {
            try {
                most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
                for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)) look(child);
            } catch { /* it has ended */ }
        };
        const looking = setInterval(() => look(p.pid), 20), start = performance.now();
        p.stdout.on('data', (d) => (out += d));
        p.stderr.on('data', (d) => (err += d));
        p.on('error', fail);
        p.on('close', (code) => {
            clearInterval(looking);
            const cpu = /cpu ([0-9.]+) ([0-9.]+)\s*$/.exec(err);
            if (code > codeMost || !cpu) return fail(new Error(`${program} ended with ${code}: ${err.slice(-400)}`));
            done({ cpu: Number(cpu[1]) + Number(cpu[2]), wall: performance.now() - start, rss: most, out, err });
        });
        p.stdin.on('error', () => {});
        p.stdin.end(input);
    });
}

const self = {
    start() { return [process.cpuUsage(), performance.now()]; },
    since([cpu, wall]) { const d = process.cpuUsage(cpu); return { ms: (d.user + d.system) / 1e3, wall: performance.now() - wall }; },
    rss: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
};

/** Ask with once(sql) → [[cells]…], in this process. */
async function askHere(queries, names, repeats, once) {
    for (const q of names) {
        const all = [];
        let rows;
        for (let i = 0; i < repeats; i++) { const from = self.start(); rows = await once(queries[q]); all.push(self.since(from)); }
        const sum = rows.reduce((s, r) => s + (Number(r[r.length - 1]) || 0), 0);
        console.log(JSON.stringify({ q, rows: rows.length, sum, ms: median(all.map((x) => x.ms)), wall: median(all.map((x) => x.wall)) }));
    }
}

/* --- ClickHouse, in this process by chdb --- */

function clickhouse(text) {
    const open = (folder) => { const { Session } = packages('chdb'); return new Session(folder); };
    const index = text ? ', INDEX mi message TYPE text(tokenizer = splitByNonAlpha), INDEX si src_ip TYPE bloom_filter(0.01) GRANULARITY 1' : '';
    const z = 'CODEC(ZSTD(1))', has = (w) => (text ? `hasAllTokens(message, '${w}')` : `hasToken(message, '${w}')`), one = "'sess-7f3a9c21d4e8b605'";
    return {
        async load(folder, tsv) {
            const s = open(folder);
            s.query('CREATE DATABASE d');
            s.query(`CREATE TABLE d.e (time DateTime64(6,'UTC') CODEC(DoubleDelta, ZSTD(1)), host LowCardinality(String) ${z}, app LowCardinality(String) ${z}, event_id UInt16 ${z}, user LowCardinality(String) ${z},
                src_ip IPv4 ${z}, dst_ip IPv4 ${z}, message String ${z}${index}) ENGINE=MergeTree PARTITION BY toYYYYMMDD(time) ORDER BY (app, host, time)`);
            const from = self.start();
            s.query(`INSERT INTO d.e SELECT fromUnixTimestamp64Micro(t,'UTC'), host, app, eid, user, toIPv4OrDefault(sip), toIPv4OrDefault(dip), m FROM file('${tsv}', TSVRaw,
                't Int64, host String, app String, eid UInt16, user String, sip String, dip String, m String') SETTINGS max_insert_threads=2`);
            s.query('OPTIMIZE TABLE d.e FINAL');
            const cpu = self.since(from).ms / 1e3, bytes = Number(String(s.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database='d'", 'TSV')));
            s.close();
            return { cpu, bytes, rss: self.rss() };
        },
        async ask(folder, repeats, names) {
            const s = open(folder);
            s.query('SET use_query_condition_cache=0');
            s.query('SET max_threads=1');
            const head = text ? `hasAllTokens(message, 'sess 7f3a9c21d4e8b605') AND ` : '', failed = text ? `${has('Failed')} AND ${has('password')} AND ` : '';
            await askHere({
                Q1: `SELECT * FROM d.e WHERE ${head}message LIKE concat('%', ${one}, '%')`,
                Q2: `SELECT * FROM d.e WHERE message LIKE '%7zqmal%'`,
                Q3: `SELECT count() FROM d.e WHERE user='jsmith42'`,
                Q4: `SELECT * FROM d.e WHERE src_ip=toIPv4('203.0.113.77') ORDER BY time DESC LIMIT 50`,
                Q5: `SELECT count() FROM d.e WHERE src_ip >= toIPv4('185.220.0.0') AND src_ip <= toIPv4('185.220.255.255')`,
                Q6: `SELECT src_ip, count() c FROM d.e WHERE app='sshd' AND ${failed}message LIKE '%Failed password%' GROUP BY src_ip ORDER BY c DESC LIMIT 10`,
                Q7: `SELECT toStartOfMinute(time) m, count() FROM d.e GROUP BY m ORDER BY m`,
                Q8: `SELECT * FROM d.e WHERE host='db284.corp.example' ORDER BY time DESC LIMIT 100`,
                Q9: `SELECT count() FROM d.e WHERE ${has('session')} AND ${has('root')}`,
                Q10: `SELECT count() FROM d.e WHERE match(message, '${REGEX.replaceAll('\\', '\\\\')}')`,
            }, names, repeats, (sql) => String(s.query(sql, 'TSV')).split('\n').filter(Boolean).map((line) => line.split('\t')));
            s.close();
        },
    };
}

/* --- DuckDB, in this process --- */

const number = (column) => `CASE WHEN ${column}='' OR ${column} IS NULL OR NOT contains(${column}, '.') THEN 0 ELSE (${[1, 2, 3, 4].map((i) => `split_part(${column},'.',${i})::UINTEGER*${256 ** (4 - i)}`).join('+')})::UINTEGER END`;
const ip = (text) => text.split('.').reduce((x, y) => x * 256 + Number(y), 0);
const duckdb = {
    async open(folder) {
        mkdirSync(folder, { recursive: true });
        const d = packages('@duckdb/node-api'), c = await (await d.DuckDBInstance.create(join(folder, 'events.db'))).connect();
        return async (sql) => (await c.runAndReadAll(sql)).getRows();
    },
    async load(folder, tsv) {
        const run = await this.open(folder), from = self.start();
        await run(`CREATE TABLE e AS SELECT make_timestamp(t) AS time, host, app, eid::USMALLINT AS event_id, "user", ${number('sip')} AS src_ip, ${number('dip')} AS dst_ip, m AS message
            FROM read_csv('${tsv}', delim='\t', quote='', escape='', header=false, columns={'t':'BIGINT','host':'VARCHAR','app':'VARCHAR','eid':'INTEGER','user':'VARCHAR','sip':'VARCHAR','dip':'VARCHAR','m':'VARCHAR'})
            ORDER BY app, host, time`);
        await run('CHECKPOINT');
        return { cpu: self.since(from).ms / 1e3, bytes: bytesBelow(folder), rss: self.rss() };
    },
    async ask(folder, repeats, names) {
        const run = await this.open(folder), word = (w) => `contains(message,'${w}') AND regexp_matches(message,'\\b${w}\\b')`;
        await run('SET threads=1');
        await askHere({
            Q1: `SELECT * FROM e WHERE contains(message,'sess-7f3a9c21d4e8b605')`,
            Q2: `SELECT * FROM e WHERE contains(message,'7zqmal')`,
            Q3: `SELECT count(*) FROM e WHERE "user"='jsmith42'`,
            Q4: `SELECT * FROM e WHERE src_ip=${ip('203.0.113.77')} ORDER BY time DESC LIMIT 50`,
            Q5: `SELECT count(*) FROM e WHERE src_ip BETWEEN ${ip('185.220.0.0')} AND ${ip('185.220.255.255')}`,
            Q6: `SELECT src_ip, count(*) c FROM e WHERE app='sshd' AND contains(message,'Failed password') GROUP BY 1 ORDER BY c DESC LIMIT 10`,
            Q7: `SELECT date_trunc('minute',time) m, count(*) FROM e GROUP BY m ORDER BY m`,
            Q8: `SELECT * FROM e WHERE host='db284.corp.example' ORDER BY time DESC LIMIT 100`,
            Q9: `SELECT count(*) FROM e WHERE ${word('session')} AND ${word('root')}`,
            Q10: `SELECT count(*) FROM e WHERE regexp_matches(message, '${REGEX}')`,
        }, names, repeats, run);
    },
};

/* --- SQLite with FTS5, by the program sqlite3; its own timer tells user and system time --- */

const sqlite = {
    async load(folder, tsv) {
        mkdirSync(folder, { recursive: true });
        const r = await measured('sqlite3', ['-batch', join(folder, 'events.db')], { input: `PRAGMA journal_mode=off;
PRAGMA synchronous=off;
PRAGMA cache_size=-500000;
CREATE TABLE e(time INTEGER, host TEXT, app TEXT, event_id INTEGER, user TEXT, src_ip TEXT, dst_ip TEXT, message TEXT);
.mode ascii
.separator "\\t" "\\n"
.import ${tsv} e
CREATE INDEX e_time ON e(time); CREATE INDEX e_src ON e(src_ip,time); CREATE INDEX e_user ON e(user); CREATE INDEX e_host ON e(host,time);
CREATE VIRTUAL TABLE f USING fts5(message, content='e', detail=none, columnsize=0);
INSERT INTO f(rowid,message) SELECT rowid,message FROM e;
` });
        return { cpu: r.cpu, bytes: bytesBelow(folder), rss: r.rss };
    },
    async ask(folder, repeats, names) {
        const rows = (q) => `SELECT count(*), 0 FROM (${q})`, counts = (q) => `SELECT count(*), sum(c) FROM (${q})`;
        const queries = {
            Q1: rows(`SELECT e.* FROM f JOIN e ON e.rowid=f.rowid WHERE f MATCH 'sess AND 7f3a9c21d4e8b605' AND e.message LIKE '%sess-7f3a9c21d4e8b605%'`),
            Q2: rows(`SELECT * FROM e WHERE message LIKE '%7zqmal%'`),
            Q3: counts(`SELECT count(*) c FROM e WHERE user='jsmith42'`),
            Q4: rows(`SELECT * FROM e WHERE src_ip='203.0.113.77' ORDER BY time DESC LIMIT 50`),
            Q5: counts(`SELECT count(*) c FROM e WHERE src_ip >= '185.220.' AND src_ip < '185.220/'`),
            Q6: counts(`SELECT src_ip, count(*) c FROM e WHERE rowid IN (SELECT rowid FROM f WHERE f MATCH 'Failed AND password') AND app='sshd' AND message LIKE '%Failed password%' GROUP BY 1 ORDER BY c DESC LIMIT 10`),
            Q7: counts(`SELECT time/60000000 m, count(*) c FROM e GROUP BY m`),
            Q8: rows(`SELECT * FROM e WHERE host='db284.corp.example' ORDER BY time DESC LIMIT 100`),
            Q9: counts(`SELECT count(*) c FROM f WHERE f MATCH 'session AND root'`),
        };
        for (const q of names.filter((n) => queries[n])) {
            const input = `.timer on\nPRAGMA cache_size=-500000;\n${`${queries[q]};\n`.repeat(repeats)}`, out = execFileSync('sqlite3', ['-batch', join(folder, 'events.db')], { input, encoding: 'utf8' });
            const times = [...out.matchAll(/real ([0-9.]+) user ([0-9.]+) sys ([0-9.]+)/g)].slice(1), [found, sum] = /^(\d+)\|(\d+)$/m.exec(out).slice(1).map(Number);
            console.log(JSON.stringify({ q, rows: found, sum, ms: median(times.map((t) => 1000 * (Number(t[2]) + Number(t[3])))), wall: median(times.map((t) => 1000 * Number(t[1]))) }));
        }
    },
};

/* --- zstd -3 files and ripgrep: the raw lines in pieces, as a shipper of logs leaves them --- */

export const ripgrep = () => [join(peersFolder, 'usr/bin/rg'), '/usr/bin/rg', '/usr/local/bin/rg'].find((f) => existsSync(f));
const zstdRg = {
    async load(folder, tsv) {
        const raw = join(tsv, '../raw.log');
        mkdirSync(folder, { recursive: true });
        const r = await measured('split', ['-C', '64m', '--filter=zstd -q -3 > $FILE.zst', raw], { cwd: folder });
        return { cpu: r.cpu, bytes: bytesBelow(folder), rss: r.rss };
    },
    async ask(folder, repeats, names) {
        const patterns = { Q1: 'sess-7f3a9c21d4e8b605', Q2: '7zqmal', Q10: REGEX };
        for (const q of names.filter((n) => patterns[n])) {
            const all = [];
            for (let i = 0; i < Math.min(repeats, 3); i++) all.push(await measured(ripgrep(), ['-z', '-j1', '--no-filename', '-c', patterns[q], folder], { codeMost: 1 }));
            const found = all[0].out.split('\n').reduce((sum, n) => sum + Number(n), 0);
            console.log(JSON.stringify({ q, rows: found, sum: found, ms: 1000 * median(all.map((x) => x.cpu)), wall: median(all.map((x) => x.wall)) }));
        }
    },
};

export const peers = { 'clickhouse-text': clickhouse(true), 'clickhouse-zstd': clickhouse(false), duckdb, sqlite, 'zstd-rg': zstdRg };

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
    const [name, mode, folder, third, ...names] = process.argv.slice(2);
    if (mode === 'load') console.log(JSON.stringify(await peers[name].load(folder, third)));
    else await peers[name].ask(folder, Number(third), names.length ? names : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((i) => `Q${i}`));
}
