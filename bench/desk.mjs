// desk.mjs - every list of the API over a desk of years: 200,000 cases and 10,000 objects unless told otherwise.
//
// usage: node bench/desk.mjs [CASES [OBJECTS [ROUNDS]]]. Asks each GET operation of docs/openapi.yaml that needs no number, and some with filters, as
// a centre analyst and as an owner's officer; prints median, 99th percentile and longest time in ms, the size of the file, and the memory of
// the desk before and after.
process.env.SAQSHY_BUILD ??= 'build/release';
const { centre, build, root } = await import('../tests/lib/centre.mjs');
const { openapi } = await import('../tests/portal/openapi.mjs');
const { execFileSync } = await import('node:child_process');
const { readFileSync, statSync, readdirSync } = await import('node:fs');
const { join } = await import('node:path');

const [cases, objects, rounds] = [process.argv[2] ?? '200000', process.argv[3] ?? '10000', Number(process.argv[4] ?? 100)];
const c = await centre({ demo: true });
await c.start();
await c.stop();
const before = process.hrtime.bigint();
execFileSync(join(build, 'bench/bench_desk'), [c.data, join(root, 'content'), cases, objects], { stdio: 'inherit' });
console.log(`${cases} cases, ${objects} objects: made in ${Number((process.hrtime.bigint() - before) / 1000000n) / 1000} s, desk.db ${(statSync(join(c.data, 'desk/desk.db')).size / 2 ** 20).toFixed(0)} MiB`);
await c.start();

/** Resident memory of the desk, MiB. */
function memory() {
    for (const pid of readdirSync('/proc').filter((p) => /^\d+$/.test(p))) {
        try {
            const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
            if (line.includes(c.data) && line.includes('desk')) return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
        } catch { /* it has ended meanwhile */ }
    }
    return NaN;
}

const EXTRA = {
    '/cases': ['?open=true', '?open=false', '?state=notified', '?machine=sts', '?machine=cii', '?level=medium', '?type=phishing', '?kind=incident', '?overdue=true', '?mine=true', '?org=bench-org-7',
        '?indicator=203.0.113.7', '?q=пароля&state=notified', '?q=пароля', '?q=жүйе № 77', '?q=B-000123', '?object=bench-ob-77', '?limit=1000'],
    '/objects': ['?q=жүйе', '?q=bench-host-77', '?limit=1000'],
    '/organisations': ['?q=ұйым'],
    '/audit': ['?q=session'],
};
const APART = /\/(events|stream|sources|session)|^\/(i18n|metrics|health)/;
console.log(`start: ${memory().toFixed(0)} MiB`);
let worst = 0;
for (const role of ['centre_analyst', 'owner_officer', 'administrator']) {
    const client = await c.signedIn(role);
    const paths = openapi().operations().filter((o) => o.method === 'GET' && !o.path.includes('{') && o.roles.includes(role) && !APART.test(o.path)).map((o) => o.path);
    for (const path of paths.flatMap((p) => [p, ...(EXTRA[p] ?? []).map((q) => p + encodeURI(q))])) {
        const times = [];
        let status, bytes;
        for (let i = 0; i < rounds; i++) {
            const t = process.hrtime.bigint();
            const a = await client.get(path);
            times.push(Number(process.hrtime.bigint() - t) / 1e6);
            [status, bytes] = [a.status, a.bytes.length];
        }
        times.sort((a, b) => a - b);
        const at = (p) => times[Math.min(times.length - 1, Math.floor(times.length * p))];
        if (status === 200) worst = Math.max(worst, at(0.99));
        console.log(`${role.padEnd(15)} ${decodeURI(path).padEnd(34)} ${status}  p50 ${at(0.5).toFixed(1).padStart(7)}  p99 ${at(0.99).toFixed(1).padStart(7)}  most ${times.at(-1).toFixed(1).padStart(7)} ms  ${(bytes / 1024).toFixed(0)} KiB`);
    }
}
console.log(`worst p99 ${worst.toFixed(1)} ms; end: ${memory().toFixed(0)} MiB`);
await c.remove();
