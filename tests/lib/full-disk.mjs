// full-disk.mjs - run by desk-trouble.test.mjs inside a small file system of its own, which TMPDIR names: a centre whose disk fills up and is emptied.
import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centre, saqshy, sendSyslog, sleep, until } from './centre.mjs';

const c = await centre({ demo: true });
const fill = join(tmpdir(), 'fill');

/** Take every byte that is left, and again what is freed meanwhile. */
function full() {
    for (const size of [1 << 20, 4096, 64])
        try { for (;;) appendFileSync(fill, Buffer.alloc(size)); } catch (e) { assert.equal(e.code, 'ENOSPC'); }
}

try {
    await c.start();
    const [analyst, officer] = [await c.signedIn('centre_analyst'), await c.signedIn('owner_officer')];
    const org = (await officer.get('/session')).json.user.org_id;
    await sendSyslog(c.ports.syslog, Array.from({ length: 20 }, (_, i) => `<38>Nov 24 10:00:${String(i).padStart(2, '0')} srv-db-1 sshd[900]: Failed password for root from 203.0.113.77 port ${40000 + i} ssh2`));
    const id = (await until('a case', async () => (await analyst.get('/cases')).json.items[0], 90)).id;
    const letters = new Map();
    const letter = async (n) => {
        const a = await analyst.post('/notices', { kind: 'letter', subject: { kind: 'organisation', id: org }, addressees: [org], title: `Letter ${n}`, text: 'x' }).catch(() => null);
        letters.set(`Letter ${n}`, a?.status === 201);
        if (a && a.status !== 201) assert.ok(a.status >= 500, `${a.status} ${a.bytes}`);
        return a?.status === 201;
    };
    assert.ok(await letter(0));
    writeFileSync(fill, '');
    full();
    c.advance(25 * 60); // two reminders of thirty minutes fall due while nothing can be written
    let refused = 0;
    for (let n = 1; n <= 20; n++) { full(); refused += !(await letter(n)); await sleep(200); }
    assert.ok(refused > 0, 'the disk was not full');
    rmSync(fill);
    await until('acts go on', () => letter(100), 90);
    const reminders = await until('the reminders', async () => {
        const t = (await analyst.get(`/cases/${id}`)).json.timeline.filter((l) => l.kind === 'reminder' && l.obligation === 'D-05');
        return t.length >= 2 && t;
    }, 60);
    assert.equal(new Set(reminders.map((l) => l.text)).size, reminders.length, 'a reminder stands twice');
    const seen = (await analyst.get('/notices?kind=letter&limit=1000')).json.items.map((x) => x.title);
    for (const [title, known] of letters) assert.equal(seen.filter((x) => x === title).length, known ? 1 : 0, title);
    assert.match((await analyst.request('GET', '/metrics')).bytes.toString(), /^saqshy_desk_rows_waiting 0$/m);
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
} catch (e) {
    console.error(e, c.story());
    process.exitCode = 1;
} finally {
    rmSync(fill, { force: true });
    await c.remove();
}
