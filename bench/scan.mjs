// scan.mjs - large reports of scanners through `saqshy scan`: how fast, and in how much memory.
//
// usage: node bench/scan.mjs [MIB [KIND...]]. Writes a report of MIB mebibytes (1024 unless told) of each kind (nessus, sarif, csv, jsonl)
// into a folder of its own, reads it with the release build and prints seconds, what was read in a second of one core,
// and the most memory that the reader held (VmHWM). The texts are made up; their form is that of the real exporters.
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const build = join(root, process.env.SAQSHY_BUILD ?? 'build/release');
const mib = Number(process.argv[2] ?? 1024);
const kinds = process.argv.length > 3 ? process.argv.slice(3) : ['nessus', 'sarif', 'csv', 'jsonl'];

const words = (n, seed) => Array.from({ length: n }, (_, i) => `word${(seed * 7919 + i * 104729) % 9973}`).join(' ');
const ip = (n) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

/** Each kind: what stands before, one piece (with the number of its findings), what stands after. */
const KINDS = {
    nessus: {
        ending: '.nessus', head: '<?xml version="1.0" ?>\n<NessusClientData_v2>\n<Report name="bench" xmlns:cm="http://www.nessus.org/cm">\n', tail: '</Report>\n</NessusClientData_v2>\n',
        piece: (n) => [`<ReportHost name="${ip(n)}"><HostProperties>\n<tag name="host-ip">${ip(n)}</tag>\n<tag name="HOST_START">Thu Mar 19 10:00:00 2026</tag>\n</HostProperties>\n${Array.from({ length: 50 }, (_, i) =>
            `<ReportItem port="${(i * 131 + n) % 65536}" svc_name="www" protocol="tcp" severity="${i % 5}" pluginID="${10000 + (i * 37 + n) % 60000}" pluginName="Check ${i}" pluginFamily="General">\n`
            + `<cve>CVE-2026-${1000 + i}</cve>\n<cvss3_vector>CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N</cvss3_vector>\n<cvss3_base_score>8.2</cvss3_base_score>\n<description>${words(80, n + i)}</description>\n`
            + `<synopsis>${words(12, i)}</synopsis>\n<solution>${words(15, i)}</solution>\n<risk_factor>High</risk_factor>\n<plugin_output>\n${words(40, i + 3)}\n</plugin_output>\n</ReportItem>\n`).join('')}</ReportHost>\n`, 50],
    },
    sarif: {
        ending: '.sarif', head: `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"bench","version":"1","rules":[${Array.from({ length: 5000 }, (_, i) =>
            JSON.stringify({ id: `B${i}`, shortDescription: { text: words(8, i) }, fullDescription: { text: words(60, i) }, properties: { 'security-severity': '7.5', tags: ['CWE-79'] } })).join(',\n')}]}},"results":[\n{"ruleId":"B0","message":{"text":"first"}}`, tail: '\n]}]}\n',
        piece: (n) => [Array.from({ length: 50 }, (_, i) => `,\n${JSON.stringify({ ruleId: `B${(n * 50 + i) % 5000}`, level: ['error', 'warning', 'note'][i % 3], message: { text: words(30, n + i) },
            locations: [{ physicalLocation: { artifactLocation: { uri: `src/dir${n % 100}/file${n}.c` }, region: { startLine: i + 1, snippet: { text: words(10, i) } } } }], partialFingerprints: { primary: `${n}-${i}` } })}`).join(''), 50],
    },
    csv: {
        ending: '.csv', head: 'Plugin ID,CVE,CVSS v2.0 Base Score,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n', tail: '',
        piece: (n) => [Array.from({ length: 50 }, (_, i) => `${10000 + i},CVE-2026-${1000 + i},5.0,Medium,${ip(n)},tcp,${i + 1},"Check ""${i}""","${words(10, i)}","${words(80, n + i)}\nsecond line, with a comma","${words(10, i)}",https://example.com/${i},"${words(40, i)}"\n`).join(''), 50],
    },
    jsonl: {
        ending: '.json', head: '', tail: '',
        piece: (n) => [Array.from({ length: 50 }, (_, i) => `${JSON.stringify({ ip: ip(n), timestamp: '2026-03-19T10:00:00Z', port: i + 1, protocol: 'tcp', tls: false })}\n`).join(''), 50],
    },
};

/** Writes a report of at least mib MiB and returns its path and the number of findings in it. */
async function make(dir, kind) {
    const k = KINDS[kind];
    const path = join(dir, `bench${k.ending}`);
    const out = createWriteStream(path, { highWaterMark: 4 << 20 });
    let [written, findings, n] = [0, kind === 'sarif' ? 1 : 0, 0];
    const put = async (s) => { written += s.length; if (!out.write(s)) await once(out, 'drain'); };
    await put(k.head);
    while (written < mib * 2 ** 20) {
        const [text, count] = k.piece(n++);
        await put(text);
        findings += count;
    }
    await put(k.tail);
    out.end();
    await once(out, 'finish');
    return { path, findings };
}

/** Reads it; the answer has the seconds, the peak of memory in MiB and how many findings were printed. */
async function read(path) {
    const began = process.hrtime.bigint();
    const child = spawn(join(build, 'saqshy'), ['scan', '--json', path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let [peak, lines, cpu] = [0, 0, 0];
    const look = setInterval(() => {
        try {
            peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? peak * 1024) / 1024;
            const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
            cpu = (Number(stat[11]) + Number(stat[12])) / 100;
        } catch { /* it has ended */ }
    }, 20);
    child.stdout.on('data', (d) => { for (const b of d) if (b === 10) lines++; });
    const [code] = await once(child, 'close');
    clearInterval(look);
    return { seconds: Number(process.hrtime.bigint() - began) / 1e9, cpu, peak, lines, code };
}

const dir = mkdtempSync(join(tmpdir(), 'saqshy-bench-scan-'));
try {
    for (const kind of kinds) {
        const { path, findings } = await make(dir, kind);
        const size = statSync(path).size / 2 ** 20;
        const { seconds, cpu, peak, lines, code } = await read(path);
        console.log(`${kind}: ${size.toFixed(0)} MiB, ${findings} findings; ended with ${code}, ${lines} lines printed; ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of a core: ${(size / cpu).toFixed(0)} MiB/s, ${Math.round(findings / cpu)} findings/s; at most ${peak.toFixed(1)} MiB`);
        rmSync(path);
    }
} finally { rmSync(dir, { recursive: true, force: true }); }
