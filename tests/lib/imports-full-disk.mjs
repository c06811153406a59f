// imports-full-disk.mjs - run by vulnerabilities.trouble.test.mjs inside a small file system of its own, which TMPDIR names: a disk that fills up while
// findings are imported, and is emptied again.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centre, saqshy, sleep, until } from './centre.mjs';
import { FILES, dump, prepared } from './imports.mjs';

const files = FILES.filter((f) => f.name !== 'three.nessus'), fill = join(tmpdir(), 'fill');
const c = await centre({ demo: true });

/** Take every byte that is left, and again what is freed meanwhile. */
function full() {
    for (const size of [1 << 20, 4096, 64])
        try { for (;;) appendFileSync(fill, Buffer.alloc(size)); } catch (e) { assert.equal(e.code, 'ENOSPC'); }
}

/** Leave so many MiB. */
function leave(mib) {
    const s = statfsSync(tmpdir()), take = s.bavail * s.bsize - mib * (1 << 20);
    writeFileSync(fill, Buffer.alloc(Math.max(0, take)));
}

try {
    const surveys = await prepared(c);
    let surveyor = await c.signedIn(surveys.login);
    const results = async () => (await Promise.all([surveys.main, surveys.control].map(async (id) => (await surveyor.get(`/surveys/${id}`)).json))).flatMap((s) => s.results.map((r) => ({ ...r, busy: s.busy })));
    const bring = async (file) => {
        const up = await surveyor.upload(file.name, file.bytes);
        return up.status < 300 ? surveyor.post(`/surveys/${surveys[file.survey]}/results`, { upload_id: up.json.id }) : up;
    };
    const applied = () => until('all files count', async () => { const all = await results(); return all.length === files.length && all.every((r) => r.state === 'applied' && !r.busy && !r.error); }, 120);
    await c.stop();
    const made = join(tmpdir(), 'made');
    cpSync(c.data, made, { recursive: true });
    await c.start();
    surveyor = await c.signedIn(surveys.login);
    for (const file of files) assert.equal((await bring(file)).status, 201);
    await applied();
    await c.stop();
    const whole = await dump(c);

    rmSync(c.data, { recursive: true });
    cpSync(made, c.data, { recursive: true });
    await c.start();
    surveyor = await c.signedIn(surveys.login);
    writeFileSync(fill, '');
    let held = 0;
    for (const [i, file] of files.entries()) {
        if (i % 2 === 0) leave(30);     // the file is taken, and waits; of the others the space goes at any step
        assert.equal((await bring(file)).status, 201);
        await sleep(i % 2 ? i * 60 : 1500);
        full();
        const before = (await results()).find((r) => r.name === file.name);
        for (let n = 0; n < 8; n++) { full(); await sleep(150); }
        const r = (await results()).find((x) => x.name === file.name);
        assert.notEqual(r.state, 'refused', JSON.stringify(r));
        if (i % 2 === 0) assert.equal(r.state, 'waiting', 'it took of the last space');
        if (r.state !== 'applied') {
            held++;
            assert.ok(r.error?.includes(file.name) && /MiB/.test(r.error), `who looks is not told: ${JSON.stringify(r)}`);
        }
        const refused = await bring({ ...file, name: 'other.nessus', bytes: Buffer.concat([file.bytes, Buffer.from('\n')]) });
        assert.ok(refused.status >= 400, `a file was taken on a full disk: ${refused.status} ${before?.state}`);
        writeFileSync(fill, '');
        await until(`${file.name} goes on by itself`, async () => { const x = (await results()).find((y) => y.name === file.name); return x.state === 'applied' && !x.busy && !x.error; }, 90);
    }
    assert.ok(held >= 2, `the disk held ${held} files back`);
    await applied();
    await c.stop();
    assert.equal(await dump(c), whole);
    const verdict = await saqshy(['verify', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
} catch (e) {
    console.error(e, c.story());
    process.exitCode = 1;
} finally {
    rmSync(fill, { force: true });
    await c.remove();
}
