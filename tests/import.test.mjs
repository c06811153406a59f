// import.test.mjs - saqshy import: files as they are and compressed, by their bytes and not by their names; what cannot be read keeps nothing else out.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { saqshy } from './lib/centre.mjs';
import { zstd } from './lib/zstd.mjs';

const lines = (host, n) => Array.from({ length: n }, (_, i) => `<38>1 2026-11-24T10:00:00Z ${host} sshd 900 - - Failed password for root from 203.0.113.77 port ${40000 + i} ssh2\n`).join('');

test('gzip of several members, zstd, and plain text under any name are read to the last line; a damaged file and one that is not there are told, and keep nothing else out', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-import-')), at = (f) => join(dir, f), data = at('data');
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const whole = gzipSync(lines('cut', 3000));
    writeFileSync(at('old.1'), Buffer.concat([gzipSync(lines('members', 300)), gzipSync(lines('members', 200))]));
    writeFileSync(at('zst'), Buffer.concat([zstd(lines('zst', 400)), zstd(lines('last', 1).trim())]));
    writeFileSync(at('plain.gz'), lines('plain', 100));
    writeFileSync(at('cut.gz'), whole.subarray(0, whole.length - 200));
    const done = await saqshy(['import', '--data', data, '--json', at('old.1'), at('cut.gz'), at('none'), at('zst'), at('plain.gz')]);
    assert.equal(done.code, 2);
    assert.match(done.err, /cut\.gz" is damaged: its compressed data end before their time/);
    assert.match(done.err, /could not open ".*none": No such file or directory/);
    const count = async (host) => (await saqshy(['search', `host.name:${host}`, '--data', data, '--json', '--limit', '0'])).out.split('\n').filter(Boolean).length;
    assert.deepEqual([await count('members'), await count('zst'), await count('last'), await count('plain')], [500, 400, 1, 100]);
    const kept = await count('cut');
    assert.ok(kept > 1000 && kept < 3000, `${kept}`);
    assert.equal(JSON.parse(done.out).lines, 1001 + kept + JSON.parse(done.out).unparsed);
    assert.equal((await saqshy(['verify', '--data', data])).code, 0);
    const all = await saqshy(['import', '--data', data, at('zst')]);
    assert.deepEqual([all.code, all.err], [0, '']);
    const parsed = await saqshy(['parse', '--json', at('old.1')]);
    assert.deepEqual([parsed.code, parsed.out.split('\n').filter(Boolean).length], [0, 500]);
});
