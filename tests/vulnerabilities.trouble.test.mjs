// vulnerabilities.trouble.test.mjs - imports of findings in trouble: the desk is killed at any moment of them, and the disk fills up. What the room holds in the
// end is compared, row by row, with what the same files give on a desk to which nothing happened.
//
// The surveys are made once; every round begins from a copy of that folder, so the moments of the surveys are the same in each.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centre, run, saqshy, sleep, until, kill9 } from './lib/centre.mjs';
import { FILES, dump, prepared } from './lib/imports.mjs';

/* What the desk is at when it is killed; null: whatever a moment brings. */
const MOMENTS = ['reading', 'applying', 'counting', 'withdrawing', 'reading', 'counting', 'withdrawing', null];
let seed = 20261128;
// A fixed sequence: a failure can be run again.
const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed % n; };

let c, kept, whole, surveys;
before(async () => {
    kept = mkdtempSync(join(tmpdir(), 'saqshy-imports-'));
    c = await centre({ demo: true });
    surveys = await prepared(c);
    await c.stop();
    cpSync(c.data, join(kept, 'made'), { recursive: true });
}, { timeout: 240000 });
after(async () => { await c?.remove(); rmSync(kept, { recursive: true, force: true }); });

const IDS = () => [surveys.main, surveys.control];
async function bring(client, file) {
    const up = await client.upload(file.name, file.bytes);
    if (up.status >= 300) return false;
    const a = await client.post(`/surveys/${surveys[file.survey]}/results`, { upload_id: up.json.id });
    return a.status === 201;
}
const states = async (client) => {
    const all = await Promise.all(IDS().map(async (id) => (await client.get(`/surveys/${id}`)).json));
    return { busy: all.some((s) => s.busy), results: all.flatMap((s) => s.results.filter((r) => !r.removed_at)) };
};
const settled = (client) => until('all files count', async () => {
    const s = await states(client);
    assert.ok(s.results.every((r) => r.state !== 'refused'), JSON.stringify(s.results));
    return !s.busy && s.results.length === FILES.length && s.results.every((r) => r.state === 'applied');
}, 120).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });

test('files that nothing disturbs give the state that the others are compared with', async () => {
    await c.start();
    const surveyor = await c.signedIn(surveys.login);
    for (const file of FILES) assert.ok(await bring(surveyor, file), file.name);
    await settled(surveyor);
    await c.stop();
    whole = await dump(c);
    for (const word of ['|fixed|', '|not_fixed|', '|new|', '|not_covered|']) assert.ok(whole.includes(word), `no ${word}`);
    assert.ok(whole.split('\n').length > 3000, 'little was found');
});

test('kill -9 of the desk while a file is read, applied, counted and taken away, at random moments of each: the state is that of an import without kills', async () => {
    rmSync(c.data, { recursive: true });
    cpSync(join(kept, 'made'), c.data, { recursive: true });
    await c.start();
    let surveyor = await c.signedIn(surveys.login), going = true;
    /* People go on bringing files, and now and then take one away and bring it back; what a kill cut off is done again. */
    const people = (async () => {
        const left = [...FILES];
        while (going || left.length) {
            try {
                if (left.length) { if (await bring(surveyor, left[0])) left.shift(); continue; }
                const { results } = await states(surveyor), all = results.filter((r) => r.state === 'applied');
                if (all.length === FILES.length) {
                    const one = all[random(all.length)], survey = IDS()[FILES.find((f) => f.name === one.name).survey === 'main' ? 0 : 1];
                    await surveyor.post(`/surveys/${survey}/actions/result_remove`, { result: one.id, reason: 'for the test' });
                }
                for (const [name, id] of [['main', surveys.main], ['control', surveys.control]])
                    for (const r of (await surveyor.get(`/surveys/${id}`)).json.results)
                        if (r.removed_at && r.state === 'withdrawn') await surveyor.post(`/surveys/${id}/actions/result_restore`, { result: r.id, reason: `${name} again` });
            } catch (e) { if (e.code === 'ERR_ASSERTION') throw e; }
            await sleep(100);
        }
    })();
    /** Wait until the desk is at this; to have it take something away, take it away. */
    const reached = (moment) => until(`the desk is ${moment}`, async () => {
        const at = await states(surveyor).catch(() => null);
        if (!at) return false;
        if (!moment) return true;
        if (moment === 'counting') return at.busy && at.results.every((r) => r.state === 'applied');
        if (moment !== 'withdrawing') return at.results.some((r) => r.state === moment);
        const one = at.results.find((r) => r.state === 'applied');
        if (!one) return false;
        const survey = IDS()[FILES.find((f) => f.name === one.name).survey === 'main' ? 0 : 1];
        return (await surveyor.post(`/surveys/${survey}/actions/result_remove`, { result: one.id, reason: 'for the test' })).status === 200;
    }, 60);
    for (const moment of MOMENTS) {
        await reached(moment);
        const role = (await c.roles()).desk;
        await sleep(random(moment === 'withdrawing' ? 30 : 150));
        /* The supervisor goes with it: it would wait longer after each fall. Held first, so that it tells the desk nothing. */
        c.daemon.child.kill('SIGSTOP');
        kill9(role.pid);
        await c.daemon.stop('SIGKILL');
        await c.start();
    }
    going = false;
    await people;
    await until('what was taken away is back', async () => {
        let out = 0;
        for (const id of IDS())
            for (const r of (await surveyor.get(`/surveys/${id}`)).json.results)
                if (r.removed_at) { out++; await surveyor.post(`/surveys/${id}/actions/result_restore`, { result: r.id, reason: 'at the end' }); }
        return out === 0;
    }, 60);
    await settled(surveyor);
    await c.stop();
    assert.equal(await dump(c), whole);
    const verdict = await saqshy(['verify', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});

test('a full disk holds a file of findings back: it is named, nothing of it counts, and with space it goes on by itself to the same state', async (t) => {
    const may = await run('unshare', ['--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', kept]);
    if (may.code !== 0) return t.skip(`a file system of its own is not permitted here: ${may.err.trim()}`);
    const place = mkdtempSync(join(tmpdir(), 'saqshy-full-')), script = new URL('lib/imports-full-disk.mjs', import.meta.url).pathname;
    try {
        const all = await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs -o size=320m none "$1" && TMPDIR=$1 exec node "$2"', 'sh', place, script]);
        assert.equal(all.code, 0, all.out + all.err);
    } finally { rmSync(place, { recursive: true, force: true }); }
});
