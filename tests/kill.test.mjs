// kill.test.mjs - thirty times SIGKILL for a random process of a working centre while an agent ships a growing, rotating file:
// every line that was written is found exactly once, findings and cases are whole, every checksum and chain holds.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, saqshy, sleep, until, sendSyslog, kill9 } from './lib/centre.mjs';

const ROUNDS = 30;
let seed = 20261124;
// A fixed sequence: a failure can be run again.
const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed % n; };

let c;
before(async () => {
    c = await centre({ demo: true, segmentBytes: 262144 });
    const agent = join(c.data, 'agent/agent.yaml');
    const log = join(c.data, 'load.log');
    writeFileSync(log, '');
    writeFileSync(agent, readFileSync(agent, 'utf8').replace(/^inputs: auto\n/m, 'inputs: none\n').replace(/^files:\n[^]*$/m, `files:\n  - path: ${log}\n`));
    await c.start();
    c.startAgent();
});
after(async () => { await c?.remove(); });

test('thirty random kill -9 of ingest, index, detect, desk and agent under load: each line once, nothing lost', async () => {
    const log = join(c.data, 'load.log');
    let written = 0, rotated = 0;
    const write = (count) => {
        let text = '';
        for (let i = 0; i < count; i++) {
            written++;
            text += `2026-11-24T10:00:00+05:00 loadhost worker[77]: loadline number=${written} check=${(written * 7919) % 100003}\n`;
        }
        appendFileSync(log, text);
    };
    for (let round = 0; round < ROUNDS; round++) {
        const victims = ['ingest', 'index', 'detect', 'desk', 'agent'];
        const victim = victims[random(victims.length)];
        for (let i = 0; i < 5; i++) { write(20 + random(60)); await sleep(random(60)); }
        if (round % 7 === 3) { renameSync(log, `${log}.${++rotated}`); write(5); }
        if (victim === 'agent') {
            await c.stopAgent('SIGKILL');
            await sleep(random(200));
            c.startAgent();
        } else {
            const role = (await c.roles())[victim];
            if (role?.pid) kill9(role.pid);
        }
        write(10);
        await sleep(random(400));
    }
    const roles = await until('all roles run again', async () => { const r = await c.roles(); return Object.values(r).every((x) => x.pid > 0) ? r : null; }, 60);
    const restarts = Object.values(roles).reduce((sum, r) => sum + r.restarts, 0);
    assert.ok(restarts >= ROUNDS / 2, `only ${restarts} roles fell: the kills did not hit`);
    let numbers = [];
    await until(`all ${written} lines are found`, async () => {
        const found = await c.events('loadline', '--limit', 1000000);
        numbers = found.map((e) => Number(/number=(\d+)/.exec(e['event.original'])[1])).sort((a, b) => a - b);
        return new Set(numbers).size >= written;
    }, 180).catch((e) => { throw new Error(`${e.message}: ${new Set(numbers).size} of ${written}\n${c.story()}`); });
    assert.equal(numbers.length, written, 'a line stands twice');
    for (let i = 0; i < written; i++) assert.equal(numbers[i], i + 1);
});

test('after the kills cases are whole and every checksum, number and chain holds', async () => {
    const analyst = await c.signedIn('centre_analyst');
    const had = new Map((await analyst.get('/cases')).json.items.map((x) => [x.id, x.count]));
    const attack = [];
    for (let i = 0; i < 20; i++) attack.push(`<38>Nov 24 10:00:${String(i).padStart(2, '0')} srv-db-1 sshd[900]: Failed password for root from 203.0.113.77 port ${40000 + i} ssh2`);
    await sendSyslog(c.ports.syslog, attack);
    await until('a case for the attack', async () => (await analyst.get('/cases')).json.items.some((x) => x.count > (had.get(x.id) ?? 0)), 90);
    const detect = await c.running('detect');
    kill9(detect);
    await until('detect runs again', async () => { const r = (await c.roles()).detect; return r.pid && r.pid !== detect; });
    const before = (await analyst.get('/cases')).json.items.map((x) => [x.id, x.count]);
    await sleep(3000);
    const after = (await analyst.get('/cases')).json.items.map((x) => [x.id, x.count]);
    assert.deepEqual(after, before, 'a replay after the kill repeated findings');
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});
