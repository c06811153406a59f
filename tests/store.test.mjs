// store.test.mjs - the store from the command line, without a daemon: import, search, damage, verify.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync, readFileSync, readdirSync, existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saqshy, bin } from './lib/centre.mjs';
import { spawn } from 'node:child_process';

const folder = mkdtempSync(join(tmpdir(), 'saqshy-store-')), data = join(folder, 'data'), log = join(folder, 'auth.log');
after(() => rmSync(folder, { recursive: true, force: true }));

const line = (i) => `Nov 24 10:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:${String(i % 60).padStart(2, '0')} srv-${i % 5} sshd[${i + 1}]: Failed password for user${i} from 203.0.113.${i % 250} port 40022 ssh2`;
const search = async (...args) => {
    const a = await saqshy(['search', ...args, '--data', data, '--json']);
    return { code: a.code, err: a.err, events: a.out.split('\n').filter(Boolean).map((l) => JSON.parse(l)) };
};
const parts = () => readdirSync(join(data, 'store')).filter((d) => /^\d{8}$/.test(d)).flatMap((d) => readdirSync(join(data, 'store', d)).map((f) => join(data, 'store', d, f)));

test('import stores every line, unparsed and binary ones too, and search finds each exactly once', async () => {
    writeFileSync(log, Array.from({ length: 3000 }, (_, i) => line(i)).join('\n') + '\n\x01\x02 zzqq no parser knows this\n');
    const a = await saqshy(['import', '--data', data, '--object', 'obj-7', log]);
    assert.equal(a.code, 0, a.err);
    const all = await search('saqshy.object:obj-7', '--limit', '10000');
    assert.equal(all.code, 0, all.err);
    assert.equal(new Set(all.events.map((e) => e['saqshy.seq'])).size, 3001);
    assert.equal(all.events.length, 3001);
    assert.equal((await search('zzqq')).events[0]['saqshy.parse'], 'failed');
    const one = await search('user1234');
    assert.deepEqual(one.events.map((e) => e['event.original']), [line(1234)]);
});

test('stat tells where the bytes go: kinds and days add up to the files', async () => {
    const a = await saqshy(['stat', '--data', data, '--json']), u = JSON.parse(a.out), sum = (list) => list.reduce((n, x) => n + x.bytes, 0);
    assert.equal(a.code, 0, a.err);
    assert.equal(u.events, 3001);
    assert.equal(u.bytes, parts().reduce((n, f) => n + statSync(f).size, 0));
    assert.equal(sum(u.kinds), u.bytes);
    assert.equal(sum(u.days), u.bytes);
    assert.match((await saqshy(['stat', '--data', data])).out, /^columns +\d+\.\d% /m);
    assert.equal((await saqshy(['stat', '--data', data, 'x'])).code, 2);
});

test('search says by its exit code whether something was found, and refuses a broken text', async () => {
    assert.equal((await search('nosuchword')).code, 1);
    assert.equal((await search('(unclosed')).code, 2);
    assert.equal((await search('user1', '--from', 'yesterdayish')).code, 2);
});

test('after import all events are in sealed parts: without the journal they are still found', async () => {
    assert.ok(parts().length > 0);
    rmSync(join(data, 'journal'), { recursive: true });
    assert.equal((await search('user2999')).events.length, 1);
});

test('a changed byte of a part is named by verify, and search says that something was left out', async () => {
    const part = parts()[0], before = readFileSync(part), changed = Buffer.from(before);
    changed[100] ^= 1;
    writeFileSync(part, changed);
    for (const json of [[], ['--json']]) {
        const v = await saqshy(['verify', '--data', data, ...json]);
        assert.equal(v.code, 1, v.out + v.err);
        assert.ok((v.out + v.err).includes(part), v.out + v.err);
    }
    const a = await search('saqshy.object:obj-7');
    assert.match(a.err, /damaged/);
    writeFileSync(part, before);
    assert.equal((await saqshy(['verify', '--data', data])).code, 0);
});

test('import killed at any moment leaves a store that verifies, and the next import goes on', async () => {
    const other = join(folder, 'killed');
    for (let round = 0; round < 5; round++) {
        const p = spawn(bin('saqshy'), ['import', '--data', other, log], { stdio: 'ignore' });
        const ended = new Promise((r) => p.on('exit', r));
        await new Promise((r) => setTimeout(r, 20 + 60 * round));
        p.kill('SIGKILL');
        await ended;
        if (!existsSync(join(other, 'store'))) continue;
        const v = await saqshy(['verify', '--data', other]);
        assert.equal(v.code, 0, v.out + v.err);
    }
    const last = await saqshy(['import', '--data', other, log]);
    assert.equal(last.code, 0, last.err);
    const found = (await saqshy(['search', 'user7', '--data', other, '--json'])).out.split('\n').filter(Boolean).map((l) => JSON.parse(l)['saqshy.seq']);
    assert.ok(found.length >= 1);
    assert.equal(new Set(found).size, found.length);
    assert.equal((await saqshy(['verify', '--data', other])).code, 0);
});
