// folder.test.mjs - watched folders: files dropped and files written to, renamed, cut, replaced, compressed, in UTF-16; ingest is killed at any moment, and every line is
// in the journal exactly once.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zstd } from './lib/zstd.mjs';
import { bin, run, saqshy, sleep, until, kill9 } from './lib/centre.mjs';
import { Collector, example } from './lib/collector.mjs';

/** A collector that watches folders below its data directory; section(c) is the text of ingest. */
async function watching(t, section, prepare = () => {}) {
    const c = new Collector();
    t.after(() => c.close());
    for (const f of ['run', 'log', 'journal', 'drop']) mkdirSync(join(c.data, f));
    assert.equal((await run(bin('src/pki/pki-make'), [c.pki])).code, 0);
    c.drop = join(c.data, 'drop');
    c.at = (...name) => join(c.drop, ...name);
    prepare(c);
    c.config(section(c));
    await c.start();
    return c;
}
const listener = (path, more = '') => (c) => `listeners:\n  - id: drop\n    kind: folder\n    options:\n      path: "${c.at(path)}"\n      quiet_s: 1\n      look_s: 1\n      finished_s: 1\n${more.replace(/^/gm, '      ')}\n`;
const line = (name, n) => `Nov 27 10:00:00 host-1 app[7]: ${name} number ${n}\n`;
const lines = (name, from, to) => Array.from({ length: to - from + 1 }, (_, i) => line(name, from + i)).join('');
const messages = async (c) => (await c.events()).map((e) => e.message);
/** Every message once, in any order. */
async function exactly(c, expected) {
    await c.wait(expected.length);
    await sleep(1500);
    assert.deepEqual((await messages(c)).sort(), expected.sort());
}
const numbers = (name, from, to) => Array.from({ length: to - from + 1 }, (_, i) => `${name} number ${from + i}`);
const end = async (c) => { await c.balance(); assert.deepEqual(await c.stop(), { code: 0, signal: null }); };

test('R-12-05 a watched folder: files that are there, that are dropped and that grow; names, and nothing twice after a restart', async (t) => {
    const c = await watching(t, (x) => example('folder.md', 'yaml').replace(/^ingest:\n/, '').replace(/^ {2}/gm, '').replace('/srv/drop', x.drop).replace('name: folder', 'name: folder\n      look_s: 1\n      quiet_s: 1'), (x) => {
        mkdirSync(x.at('fw-astana'));
        writeFileSync(x.at('fw-astana/1.log'), lines('a', 1, 3));
        writeFileSync(x.at('fw-astana/.hidden.log'), lines('hidden', 1, 3));
        writeFileSync(x.at('fw-astana/2.log.part'), lines('part', 1, 3));
    });
    await c.wait(3);
    mkdirSync(c.at('fw-almaty'));
    writeFileSync(c.at('fw-almaty/1.log'), `${lines('b', 1, 2)}no host, and no end`);
    appendFileSync(c.at('fw-astana/1.log'), lines('a', 4, 5));
    const all = await c.wait(8);
    assert.deepEqual(all.map((e) => e.message).sort(), [...numbers('a', 1, 5), ...numbers('b', 1, 2), 'no host, and no end'].sort());
    assert.deepEqual([...new Set(all.map((e) => e['saqshy.source']))].sort(), ['firewalls/fw-almaty', 'firewalls/host-1'], 'the host that the line names, else the folder');
    const bare = all.find((e) => e.message === 'no host, and no end');
    assert.equal(bare['host.name'], 'fw-almaty');
    assert.equal(bare['log.file.path'], c.at('fw-almaty/1.log'));
    assert.equal(all[0]['event.original'], line('a', 1).trimEnd());
    assert.match((await saqshy(['sources', '--data', c.data])).out, /folder firewalls: \d+ files, \d+ of them not read to their end, \d+ bytes behind, 0 damaged/);
    await until('all is read', () => c.listener('firewalls').reading === 0 && c.listener('firewalls').files === 2 && c.listener('firewalls').behind_bytes === 0);
    await end(c);
    appendFileSync(c.at('fw-astana/1.log'), lines('a', 6, 6));
    await c.start();
    await exactly(c, [...numbers('a', 1, 6), ...numbers('b', 1, 2), 'no host, and no end']);
    await end(c);
});

test('a watched folder: rotation by renaming and by copying and cutting, files put anew in their place, files of the same name, equal files', async (t) => {
    const c = await watching(t, listener('*.log*'));
    const log = c.at('app.log');
    writeFileSync(log, lines('one', 1, 20));
    await c.wait(20);
    appendFileSync(log, lines('one', 21, 22));
    renameSync(log, c.at('app.log.1'));
    writeFileSync(log, lines('two', 1, 20));
    await c.wait(42);
    appendFileSync(log, lines('two', 21, 22));
    copyFileSync(log, c.at('app.log-copy'));
    truncateSync(log, 0);
    appendFileSync(log, lines('three', 1, 20));
    await c.wait(64);
    /* rsync: another inode, the same content and more */
    writeFileSync(c.at('.app.log.Xy12'), lines('three', 1, 25));
    renameSync(c.at('.app.log.Xy12'), log);
    await c.wait(69);
    /* quite another file of that name */
    writeFileSync(c.at('.new'), lines('four', 1, 3));
    renameSync(c.at('.new'), log);
    await c.wait(72);
    writeFileSync(c.at('same-1.log'), lines('same', 1, 30));
    writeFileSync(c.at('same-2.log'), lines('same', 1, 30));
    await exactly(c, [...numbers('one', 1, 22), ...numbers('two', 1, 22), ...numbers('three', 1, 25), ...numbers('four', 1, 3), ...numbers('same', 1, 30), ...numbers('same', 1, 30)]);
    await end(c);
});

test('a watched folder: a file that is renamed out of the pattern, or removed while it is behind, is read to its end; the short word', async (t) => {
    const c = await watching(t, (x) => example('folder.md', 'yaml', 2).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '').replace('/srv/drop', x.drop));
    writeFileSync(c.at('app.log'), lines('one', 1, 10));
    writeFileSync(c.at('gone.log'), lines('gone', 1, 10));
    await c.wait(20);
    appendFileSync(c.at('app.log'), lines('one', 11, 12));
    renameSync(c.at('app.log'), c.at('app.old'));
    appendFileSync(c.at('app.old'), lines('one', 13, 13));
    unlinkSync(c.at('gone.log'));
    await exactly(c, [...numbers('one', 1, 13), ...numbers('gone', 1, 10)]);
    await end(c);
});

test('a watched folder: gzip and zstd, in several members, growing, cut and damaged; UTF-16; long lines', async (t) => {
    const c = await watching(t, listener('*'));
    writeFileSync(c.at('a.log.gz'), Buffer.concat([gzipSync(lines('a', 1, 500)), gzipSync(lines('a', 501, 1000))]));
    writeFileSync(c.at('b.log.zst'), zstd(lines('b', 1, 1000) + 'b has no end'));
    const whole = gzipSync(lines('c', 1, 3000));
    writeFileSync(c.at('c.log.gz'), whole.subarray(0, whole.length / 2));
    writeFileSync(c.at('d.log'), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Қазақша жол\r\nекінші\r\n', 'utf16le')]));
    const broken = gzipSync(Array.from({ length: 20000 }, (_, i) => `${(i * 2654435761) % 4294967296} ${i}\n`).join(''));
    broken.fill(0xff, broken.length - 60000, broken.length - 50000);
    writeFileSync(c.at('e.log.gz'), broken);
    writeFileSync(c.at('f.log'), `${'x'.repeat(1048576)}${'y'.repeat(100)}\nf is after\n`);
    await until('what is damaged is told', () => c.listener('drop')?.damaged === 1);
    writeFileSync(c.at('c.log.gz'), whole);
    const of = async (letter) => (await c.events()).filter((e) => e['log.file.path'].endsWith(`/${letter}.log.gz`) || e['log.file.path'].endsWith(`/${letter}.log`) || e['log.file.path'].endsWith(`/${letter}.log.zst`));
    await until('all of c is there', async () => (await of('c')).length >= 3000);
    await until('all of b is there', async () => (await of('b')).length >= 1001);
    await sleep(1500);
    assert.deepEqual((await of('a')).map((e) => e.message), numbers('a', 1, 1000));
    assert.deepEqual((await of('b')).map((e) => e.message), [...numbers('b', 1, 1000), 'b has no end']);
    assert.deepEqual((await of('c')).map((e) => e.message), numbers('c', 1, 3000));
    assert.deepEqual((await of('d')).map((e) => e.message), ['Қазақша жол', 'екінші']);
    const e = await of('e');
    assert.ok(e.length > 1000 && e.length < 20000 && e.slice(0, 1000).every((x, i) => x['event.original'].endsWith(` ${i}`)));
    const f = await of('f');
    assert.equal(f.length, 3);
    assert.deepEqual(f.slice(0, 2).map((x) => [x['event.original'].length, [x['saqshy.marks']].flat().includes('truncated')]), [[1048576, true], [100, true]]);
    assert.equal(f[2]['event.original'], 'f is after');
    assert.match(c.log(), /a compressed file is damaged/);
    await end(c);
});

test('a watched folder: finished files are moved, what cannot be moved stays and is told; from the end on', async (t) => {
    const c = await watching(t, (x) => example('folder.md', 'yaml', 1).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '').replace('/srv/exports', x.drop).replace('finished_s: 300', 'finished_s: 1\n      quiet_s: 1\n      look_s: 1') +
        `  - id: late\n    kind: folder\n    options: { path: "${x.at('late/*.log')}", from: end, look_s: "1", quiet_s: "1" }\n`, (x) => {
        mkdirSync(x.at('late'));
        writeFileSync(x.at('late/old.log'), lines('old', 1, 10));
    });
    writeFileSync(c.at('a.csv'), lines('a', 1, 3));
    writeFileSync(c.at('b.csv.gz'), gzipSync(lines('b', 1, 3)));
    await until('they are moved', () => existsSync(c.at('done/a.csv')) && existsSync(c.at('done/b.csv.gz')));
    assert.deepEqual(readdirSync(c.drop).sort(), ['done', 'late']);
    writeFileSync(c.at('a.csv'), lines('again', 1, 2));
    await until('it has a name of its own', () => existsSync(c.at('done/a.csv.1')));
    await until('the old file is known', () => c.listener('late').files === 1);
    appendFileSync(c.at('late/old.log'), lines('old', 11, 11));
    writeFileSync(c.at('late/new.log'), lines('new', 1, 2));
    await exactly(c, [...numbers('a', 1, 3), ...numbers('b', 1, 3), ...numbers('again', 1, 2), ...numbers('old', 11, 11), ...numbers('new', 1, 2)]);
    await end(c);
    await c.start();
    appendFileSync(c.at('late/old.log'), lines('old', 12, 12));
    await exactly(c, [...numbers('a', 1, 3), ...numbers('b', 1, 3), ...numbers('again', 1, 2), ...numbers('old', 11, 12), ...numbers('new', 1, 2)]);
    await end(c);
});

test('R-12-05 a watched folder: ingest is killed again and again while files grow and rotate: every line exactly once', { timeout: 300000 }, async (t) => {
    const c = await watching(t, listener('*.log*'));
    const ingest = async () => JSON.parse((await saqshy(['status', '--json', '--data', c.data])).out).roles.find((r) => r.name === 'ingest').pid;
    const expected = [];
    let writing = true, n = 0;
    const killer = (async () => {
        for (let i = 0; i < 8 && writing; i++) {
            await sleep(200 + (i * 271) % 500);
            const pid = await ingest().catch(() => 0);
            if (pid) kill9(pid);
            await until('ingest is back', async () => { const p = await ingest().catch(() => 0); return p && p !== pid; });
        }
        writing = false;
    })();
    for (let round = 0; writing; round++) {
        for (const name of ['x', 'y', 'z']) {
            const part = Array.from({ length: 40 }, () => `${name} number ${++n}`);
            appendFileSync(c.at(`${name}.log`), part.map((m) => `Nov 27 10:00:00 host-1 app[7]: ${m}\n`).join(''));
            expected.push(...part);
        }
        if (round % 15 === 7) renameSync(c.at('x.log'), c.at(`x.log.${round}`));
        if (round % 20 === 11) { const part = numbers(`drop-${round}`, 1, 500); writeFileSync(c.at(`dropped-${round}.log.gz`), gzipSync(part.map((m) => `Nov 27 10:00:00 host-1 app[7]: ${m}\n`).join(''))); expected.push(...part); }
        await sleep(25);
    }
    await killer;
    await c.wait(expected.length, () => true, 120);
    await sleep(2500);
    const seen = new Map();
    for (const m of await messages(c)) seen.set(m, (seen.get(m) ?? 0) + 1);
    assert.deepEqual(expected.filter((m) => !seen.has(m)), [], 'nothing is lost');
    assert.deepEqual([...seen].filter(([, k]) => k > 1), [], 'nothing is there twice');
    assert.equal(seen.size, expected.length);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a watched folder: what its options may be, a reload that changes it, and that the role sees no other folder', async (t) => {
    const c = await watching(t, listener('*.log'));
    writeFileSync(c.at('a.log'), lines('a', 1, 3));
    await c.wait(3);
    const good = readFileSync(c.file, 'utf8');
    for (const [from, to, why] of [['quiet_s: 1', 'quiet_s: x', 'option quiet_s'], ['quiet_s: 1', 'quite_s: 1', 'unknown option'], [/path: .*/, 'path: "drop/*.log"', 'a whole path'], ['quiet_s: 1', 'finished: delete', 'option finished'],
        ['quiet_s: 1', 'done: a/b', 'option done']]) {
        writeFileSync(c.file, good.replace(from, to));
        const r = await run(bin('saqshyd'), ['--check', '--config', c.file]);
        assert.equal(r.code, 2);
        assert.ok(r.err.includes(why), r.err);
    }
    writeFileSync(c.file, good.replace('*.log', '*.txt'));
    assert.equal((await c.reload()).code, 0);
    writeFileSync(c.at('b.txt'), lines('b', 1, 3));
    appendFileSync(c.at('a.log'), lines('a', 4, 4));
    await c.wait(6);
    writeFileSync(c.file, good);
    assert.equal((await c.reload()).code, 0);
    await exactly(c, [...numbers('a', 1, 4), ...numbers('b', 1, 3)]);
    await end(c);
});

test('a watched folder: while there is no space for the journal, or for positions, nothing is read and nothing is lost or doubled', { timeout: 300000 }, async (t) => {
    const c = await watching(t, listener('*.log'));
    await c.stop();
    const small = [];
    const mount = async (name, size, filler) => {
        if ((await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', join(c.data, name)])).code !== 0) return false;
        small.push(join(c.data, name));
        writeFileSync(join(c.data, name, 'filler'), Buffer.alloc(filler));
        return true;
    };
    try {
        if (!await mount('journal', '24m', 20 << 20)) return t.skip('no right to mount a small file system');
        await c.start();
        const expected = Array.from({ length: 200 }, (_, n) => `full ${n} ${randomBytes(30000).toString('base64')}`);
        writeFileSync(c.at('a.log'), expected.join('\n') + '\n');
        await until('there is no space', () => c.log().includes('there is no space for the journal'));
        await until('it is behind', () => c.listener('drop').behind_bytes > 1e6);
        const before = (await c.events()).length;
        assert.ok(before < 200);
        rmSync(join(c.data, 'journal/filler'));
        await c.wait(200, () => true, 120);
        assert.deepEqual((await c.events()).map((e) => e['event.original']), expected);
        assert.deepEqual(await c.stop(), { code: 0, signal: null });
        const list = readFileSync(join(c.data, 'inputs/folder-drop'));
        if (!await mount('inputs', '128k', 0)) return;
        writeFileSync(join(c.data, 'inputs/folder-drop'), list);
        writeFileSync(join(c.data, 'inputs/filler'), Buffer.alloc(80 << 10));
        await c.start();
        await until('the file is known', () => c.listener('drop').files === 1);
        /* Every part writes a line: until no more fits. */
        for (let n = 0; !c.log().includes('could not keep the position of a file'); n++) {
            assert.ok(n < 3000);
            const text = `more ${n}`;
            appendFileSync(c.at(`${n % 40}-${'x'.repeat(200)}.log`), `${text}\n`);
            expected.push(text);
            if (n % 40 === 39) await sleep(300);
        }
        rmSync(join(c.data, 'inputs/filler'));
        await c.wait(expected.length, () => true, 120);
        await sleep(1500);
        assert.deepEqual((await c.events()).map((e) => e['event.original']).sort(), expected.sort());
        assert.deepEqual(await c.stop(), { code: 0, signal: null });
    } finally {
        if (c.child) { c.child.kill('SIGKILL'); await c.child.ended; c.child = null; }
        for (const m of small) await run('umount', ['-l', m]);
    }
});
