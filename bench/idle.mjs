// idle.mjs - what idle TLS connections cost the collector: resident memory of the role ingest before, with all of them, and after each said a line.
//
// usage: node bench/idle.mjs [CONNECTIONS]      (10,000; `ulimit -n` must allow them, here and there)
// Each connection shows a client certificate. Fails if 10,000 of them take more than 300 MB.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
process.env.SAQSHY_BUILD ??= 'build/release';
const { bin, sleep, until } = await import('../tests/lib/centre.mjs');
const { collector } = await import('../tests/lib/collector.mjs');

const count = Number(process.argv[2] ?? 10000), most = 300 * count / 10000;
const endings = [];
const c = await collector({ after: (f) => endings.push(f) }, `listeners:\n  - id: idle\n    kind: syslog_tls\n    address: "127.0.0.1:0"\n    limits: { connections: ${count + 100}, peer_connections: ${count} }`, { agents: ['sensor'] });
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${c.state.pid}/status`, 'utf8'))[1]) / 1024;
const before = rss();
const client = spawn(bin('bench/idle_tls'), [String(c.port('idle')), String(count), join(c.pki, 'ca.pem'), join(c.pki, 'agents/sensor.pem'), join(c.pki, 'agents/sensor.key')], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
let code = 0;
try {
    const ready = (await lines.next()).value;
    if (!ready) throw new Error('the client failed: does "ulimit -n" allow so many?');
    await sleep(3000);
    const idle = rss();
    client.stdin.write('\n');
    await lines.next();
    await until('all lines are stored', () => c.listener('idle').events === count, 120);
    await sleep(3000);
    const after = rss();
    console.log(`${count} connections in ${ready.split(' ')[1]} s; resident ${before.toFixed(0)} MB without, ${idle.toFixed(0)} MB with them (${((idle - before) * 1024 / count).toFixed(1)} KB each), ${after.toFixed(0)} MB after a line on each`);
    code = Math.max(idle, after) > most + before && count >= 1000 ? 1 : 0;
} catch (e) { console.error(e.message, c.story()); code = 1; }
client.kill('SIGKILL');
await c.stop();
for (const f of endings) await f();
process.exit(code);
