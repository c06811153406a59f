// desk-trouble.test.mjs - the desk in trouble: killed while acts, imports, reminders and webhooks run, and on a disk that is full. What was
// acknowledged exists exactly once, nothing is told twice, and the audit trail holds.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:https';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centre, run, saqshy, sendSyslog, sleep, until, kill9 } from './lib/centre.mjs';

const KILLS = 8;
let seed = 20261127;
// A fixed sequence: a failure can be run again.
const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed % n; };

let c, keys, hook, admin, analyst, officer, org, id;
const handed = new Map(); // delivery → number of the notice

function receiver() {
    execFileSync('sh', ['-c', `cd ${keys} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout hook.key -out hook.pem -days 30 -subj /CN=hook -addext subjectAltName=IP:127.0.0.1`], { stdio: 'ignore' });
    return new Promise((done) => {
        const s = createServer({ key: readFileSync(join(keys, 'hook.key')), cert: readFileSync(join(keys, 'hook.pem')) }, (q, a) => {
            const parts = [];
            q.on('data', (d) => parts.push(d));
            q.on('end', () => {
                handed.set(q.headers['x-saqshy-delivery'], JSON.parse(Buffer.concat(parts)).notice.number);
                a.writeHead(204).end();
            });
        }).listen(0, '127.0.0.1', () => done(s));
    });
}

/** Every item of a list, page by page. */
async function all(client, path) {
    const items = [];
    for (let next = null, first = true; first || next; first = false) {
        const a = await client.get(`${path}${path.includes('?') ? '&' : '?'}limit=100${next ? `&before=${encodeURIComponent(next)}` : ''}`);
        assert.equal(a.status, 200, a.bytes.toString());
        items.push(...a.json.items);
        next = a.json.next;
    }
    return items;
}

before(async () => {
    keys = mkdtempSync(join(tmpdir(), 'saqshy-keys-'));
    hook = await receiver();
    c = await centre({ demo: true, config: `notices:\n  webhooks: private\n  webhook_ca: ${keys}/hook.pem\n` });
    await c.start();
    [admin, analyst, officer] = [await c.signedIn('administrator'), await c.signedIn('centre_analyst'), await c.signedIn('owner_officer')];
    org = (await officer.get('/session')).json.user.org_id;
    const set = await admin.put(`/organisations/${org}/webhook`, { url: `https://127.0.0.1:${hook.address().port}/in`, active: true });
    assert.equal(set.status, 200, set.bytes.toString());
    await sendSyslog(c.ports.syslog, Array.from({ length: 20 }, (_, i) => `<38>Nov 24 10:00:${String(i).padStart(2, '0')} srv-db-1 sshd[900]: Failed password for root from 203.0.113.77 port ${40000 + i} ssh2`));
    id = (await until('a case', async () => (await analyst.get('/cases')).json.items[0], 90)).id;
});
after(async () => { hook?.close(); await c?.remove(); rmSync(keys, { recursive: true, force: true }); });

/** An act that a kill may cut off: true, false, or undefined when nobody knows. */
async function tried(act) {
    try {
        const a = await act();
        return a.status < 300 ? true : a.status >= 500 || a.status === 409 ? undefined : assert.fail(`${a.status} ${a.bytes}`);
    } catch (e) {
        if (e.code === 'ERR_ASSERTION') throw e;
        return undefined;
    }
}

async function tableInto(round) {
    const rows = Array.from({ length: 20 }, (_, i) => `Round ${round} row ${i};${org};low;round-${round}-${i}`).join('\r\n');
    const file = await admin.upload('t.csv', Buffer.from(`Official name;Owner;Criticality;Hosts of its logs\r\n${rows}\r\n`));
    if (file.status >= 300) return file;
    const read = await admin.post('/imports', { upload_id: file.json.id, kind: 'object' });
    if (read.status >= 300) return read;
    const checked = await admin.post(`/imports/${read.json.id}/check`, { columns: read.json.headings.map(({ heading, field }) => ({ heading, field })) });
    return checked.status >= 300 ? checked : admin.post(`/imports/${read.json.id}/apply`, { checked: checked.json.checked });
}

test('kill -9 of the desk while acts, imports, reminders and webhooks run: what was acknowledged exists exactly once', async () => {
    const letters = new Map(), tables = new Map();
    let going = true;
    const write = (async () => {
        for (let n = 0; going; n++) {
            const title = `Letter ${n}`;
            letters.set(title, await tried(() => analyst.post('/notices', { kind: 'letter', subject: { kind: 'organisation', id: org }, addressees: [org], title, text: 'x' })));
            await sleep(letters.get(title) === undefined ? 200 : 20);
        }
    })();
    const load = (async () => {
        for (let n = 0; going; n++) {
            tables.set(n, await tried(() => tableInto(n)));
            await sleep(tables.get(n) === undefined ? 300 : 50);
        }
    })();
    for (let i = 0; i < KILLS; i++) {
        await sleep(300 + random(1200));
        c.advance(180); // reminders fall due between the kills
        await sleep(random(400));
        const role = (await c.roles()).desk;
        if (role?.pid) kill9(role.pid);
        await until('the desk answers again', async () => (await c.client().request('GET', '/health')).status === 200, 90);
    }
    going = false;
    await Promise.all([write, load]);
    assert.ok([...letters.values()].filter((x) => x).length > KILLS && [...tables.values()].some((x) => x), 'nothing was acknowledged');

    const notices = (await all(analyst, '/notices?kind=letter')).filter((x) => x.title?.startsWith('Letter '));
    const numbers = new Map(notices.map((x) => [x.number, x.title]));
    assert.equal(numbers.size, notices.length);
    for (const [title, known] of letters) {
        const times = notices.filter((x) => x.title === title).length;
        assert.ok(known ? times === 1 : times <= 1, `${title}: ${known}, ${times} times`);
    }
    const objects = (await all(admin, '/registry/objects')).map((x) => x.name ?? x.value?.name);
    for (const [n, known] of tables) {
        const times = objects.filter((x) => x?.startsWith(`Round ${n} row `)).length;
        assert.ok(times === 20 || (!known && times === 0), `table ${n}: ${known}, ${times} of 20`);
    }
    const inbox = (await all(officer, '/inbox')).map((x) => x.number).filter((x) => numbers.has(x));
    assert.deepEqual([...inbox].sort(), [...numbers.keys()].sort(), 'each notice is once in the inbox');
    await until('every webhook', () => { c.advance(5); return [...numbers.keys()].every((x) => [...handed.values()].includes(x)); }, 120)
        .catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    const ours = [...handed.values()].filter((x) => numbers.has(x));
    assert.equal(new Set(ours).size, ours.length, 'two deliveries of one notice');
});

test('after the kills each reminder was told once, and the audit trail holds', async () => {
    c.advance(1800);
    analyst = await c.signedIn('centre_analyst');
    const lines = await until('the duty of the case is late', async () => {
        const t = (await analyst.get(`/cases/${id}`)).json.timeline;
        return t?.some((l) => l.kind === 'clock_overdue') && t;
    }, 60);
    const told = lines.filter((l) => l.kind.startsWith('reminder') || l.kind === 'clock_overdue' || l.kind === 'escalation').map((l) => `${l.kind} ${l.obligation} ${l.text}`);
    assert.ok(told.length >= 3, told.join('\n'));
    assert.equal(new Set(told).size, told.length, told.join('\n'));
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});

test('a full disk delays acts and reminders and drops none', async (t) => {
    const script = new URL('lib/full-disk.mjs', import.meta.url).pathname;
    const may = await run('unshare', ['--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', keys]);
    if (may.code !== 0) return t.skip(`a file system of its own is not permitted here: ${may.err.trim()}`);
    const all = await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs -o size=256m none "$1" && TMPDIR=$1 exec node "$2"', 'sh', keys, script]);
    assert.equal(all.code, 0, all.out + all.err);
});
