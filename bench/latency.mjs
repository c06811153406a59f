// latency.mjs - from a line written on the host to the finding stored: agent → ingest → journal → detect → findings, and to the case on the page.
//
// usage: node bench/latency.mjs [ROUNDS]
process.env.SAQSHY_BUILD ??= 'build/release';
const { centre, sleep } = await import('../tests/lib/centre.mjs');
import { appendFileSync, writeFileSync, readFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const rounds = Number(process.argv[2] ?? 20);
const c = await centre({ demo: true });
const log = join(c.data, 'demo/sshd.log');
writeFileSync(log, '');
await c.start();
c.startAgent();
const analyst = await c.signedIn('centre_analyst');
const count = (folder) => { const f = join(c.data, folder, 'commit'); return existsSync(f) && statSync(f).size >= 40 ? Number(readFileSync(f).readBigUInt64LE(32)) : 0; };
await sleep(3000);
/** Findings that stand in cases: a new one opens a case or joins one. */
const findings = async () => (await analyst.get('/cases')).json.items.reduce((sum, x) => sum + x.count, 0);
const journal = [], finding = [], shown = [];
for (let i = 0; i < rounds; i++) {
    const address = `203.0.113.${i + 1}`;
    for (let k = 0; k < 9; k++) appendFileSync(log, `Failed password for root from ${address} port ${4000 + k} ssh2\n`);
    await sleep(1500);
    const at = count('findings');
    const j = count('journal'), told = await findings();
    // The login after the failures is the one line that makes a finding by itself.
    const t0 = performance.now();
    appendFileSync(log, `Accepted publickey for root from ${address} port 4999 ssh2: ED25519 SHA256:abc\n`);
    while (count('journal') <= j) await sleep(1);
    journal.push(performance.now() - t0);
    while (count('findings') <= at && performance.now() - t0 < 10000) await sleep(1);
    finding.push(performance.now() - t0);
    while (performance.now() - t0 < 10000) {
        if ((await findings()) > told) break;
        await sleep(5);
    }
    shown.push(performance.now() - t0);
}
const row = (name, a) => { a.sort((x, y) => x - y); return { from: 'line written', to: name, 'median ms': Math.round(a[a.length >> 1]), 'p90 ms': Math.round(a[Math.floor(a.length * 0.9)]), 'max ms': Math.round(a[a.length - 1]) }; };
console.table([row('event on disk (journal)', journal), row('finding on disk', finding), row('case in the API', shown)]);
await c.remove();
