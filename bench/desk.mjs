// desk.mjs - every list and every page of the API over a desk of years: 200,000 cases and 10,000 objects unless told otherwise.
//
// usage: node bench/desk.mjs [CASES [OBJECTS [ROUNDS]]]. Asks each GET operation of docs/openapi.yaml, some with filters,
// those of one thing with the first number that their list gives, as a centre analyst, an owner's officer, an administrator and KNB; prints median, 99th percentile and longest time in ms, the size of the file, and the memory of
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

const today = new Date();
const quarter = `${today.getUTCFullYear()}Q${Math.floor(today.getUTCMonth() / 3) + 1}`;
// The quarter before, which is whole.
const last = quarter.endsWith('1') ? `${today.getUTCFullYear() - 1}Q4` : `${quarter.slice(0, 5)}${Number(quarter[5]) - 1}`;
const EXTRA = {
    '/cases': ['?open=true', '?open=false', '?state=notified', '?machine=sts', '?machine=cii', '?level=medium', '?type=phishing', '?kind=incident', '?overdue=true', '?mine=true', '?org=bench-org-7',
        '?indicator=203.0.113.7', '?q=пароля&state=notified', '?q=пароля', '?q=жүйе № 77', '?q=B-000123', '?object=bench-ob-77', '?limit=1000'],
    '/objects': ['?q=жүйе', '?q=bench-host-77', '?limit=1000'],
    '/organisations': ['?q=ұйым'],
    '/audit': ['?q=session'],
    '/figures': [`?paragraph=17&quarter=${last}`, `?paragraph=18&quarter=${last}`, `?paragraph=17&quarter=${quarter}`],
    '/import-fields': ['?kind=object'],
};
// Parameters whose list is not the path before them.
const NAMED = { '/figures/{name}/rows': ['incidents.type', 'events.rule', 'changes.registry', 'measures.reported', 'measures.late'].map((x) => `${x}?paragraph=17&quarter=${last}`), '/obligations/{id}/due': ['D-12?from=2026-03-19'] };
const APART = /\/(events|stream|sources|session)|^\/(i18n|metrics|health)/;
console.log(`start: ${memory().toFixed(0)} MiB`);
let worst = 0;
const knb = { login: 'bench-knb', password: 'a long password for the bench 1', role: 'knb' };
await (await c.signedIn('administrator')).post('/users', { ...knb, name: 'bench', org_id: 'knb', language: 'ru', email: null });
c.accounts[knb.login] = knb;
for (const role of ['centre_analyst', 'owner_officer', 'administrator', 'knb']) {
    const client = await c.signedIn(role);
    const open = openapi().operations().filter((o) => o.method === 'GET' && o.roles.includes(role) && !APART.test(o.path)).map((o) => o.path);
    const paths = open.filter((p) => !p.includes('{')).flatMap((p) => [p, ...(EXTRA[p] ?? []).map((q) => p + encodeURI(q))]);
    for (const p of open.filter((x) => x.includes('{'))) {
        const [list, after] = [p.slice(0, p.indexOf('/{')), p.slice(p.indexOf('}') + 1)];
        const first = NAMED[p] ?? ((await client.get(`${list}?limit=1`)).json?.items ?? []).slice(0, 1).map((x) => x.id ?? x.sha256 ?? x.node);
        if (!after.includes('{')) paths.push(...first.filter((x) => x !== undefined).map((x) => (x.includes('?') ? `${list}/${x.replace('?', `${after}?`)}` : `${list}/${x}${after}`)));
    }
    for (const path of paths) {
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
