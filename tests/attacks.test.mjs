// attacks.test.mjs - our rules over lines of attacks that other projects collected, and over their look-alikes: what is found, and what stays silent.
// CrowdSec's scenarios name products of all kinds, many of which we have no parser for; the rates below are of all of them, and may only rise.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, saqshy } from './lib/centre.mjs';

const shared = process.env.SAQSHY_SHARED ?? join(root, '../shared'), logs = join(shared, 'data/logs'), rules = join(root, 'content/rules');

function folder(t) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-attacks-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

/** The matches of our rules over a file. */
async function hunt(file) {
    const r = await saqshy(['hunt', '--rules', rules, '--json', file]);
    assert.ok(r.code === 0 || r.code === 1, r.err);
    return r.out.trim().split('\n').filter(Boolean).map((l) => JSON.parse(l));
}

test("attacks of CrowdSec's scenarios are found, lines that its tests call harmless stay silent", async (t) => {
    if (!existsSync(join(logs, 'crowdsec.tar.zst'))) return t.skip('no sample data');
    const dir = folder(t), counts = { found: 0, attacks: 0, loud: 0, harmless: 0 };
    execFileSync('tar', ['--zstd', '-xf', join(logs, 'crowdsec.tar.zst'), '-C', dir]);
    for (const name of readdirSync(join(dir, 'crowdsec'))) {
        const at = join(dir, 'crowdsec', name), log = readdirSync(at).find((f) => f.endsWith('.log')), says = join(at, 'scenario.assert');
        if (!log) continue;
        const attack = existsSync(says) && readFileSync(says, 'utf8').includes('GetScenario()'), hits = await hunt(join(at, log));
        counts[attack ? 'attacks' : 'harmless']++;
        if (hits.length) counts[attack ? 'found' : 'loud']++;
    }
    t.diagnostic(`${counts.found} of ${counts.attacks} attacks found; ${counts.loud} of ${counts.harmless} others are not silent`);
    assert.ok(counts.attacks > 100 && counts.found >= 23, `${counts.found} found`);
    assert.ok(counts.loud <= 5, `${counts.loud} loud`);   // tests of its parsers: their lines hold scanners that say their names, and guessing
});

test("fail2ban's lines of attacks, repeated, are found; those that it calls no attack are not", async (t) => {
    if (!existsSync(join(logs, 'fail2ban'))) return t.skip('no sample data');
    const dir = folder(t), counts = { found: 0, hosts: 0, loud: [], others: 0 };
    for (const name of readdirSync(join(logs, 'fail2ban'))) {
        if (!statSync(join(logs, 'fail2ban', name)).isFile()) continue;
        const hosts = new Set(), attack = [], other = [];
        let says = null;
        for (const line of readFileSync(join(logs, 'fail2ban', name), 'latin1').split('\n')) {
            const said = /^#\s*failJSON:.*"match":\s*(true|false)(?:.*"host":\s*"([^"]*)")?/i.exec(line);
            if (said) says = { match: said[1].toLowerCase() === 'true', host: said[2] };
            else if (line && !line.startsWith('#') && says) {
                for (let i = 0; i < 12; i++) (says.match ? attack : other).push(line);
                if (says.match && /^[\d.]+$/.test(says.host ?? '')) hosts.add(says.host);
                says = null;
            }
        }
        writeFileSync(join(dir, name), attack.join('\n'), 'latin1');
        const seen = new Set((await hunt(join(dir, name))).map((m) => m.event['source.ip']));
        counts.hosts += hosts.size;
        counts.found += [...hosts].filter((h) => seen.has(h)).length;
        writeFileSync(join(dir, name), other.join('\n'), 'latin1');
        counts.others += other.length / 12;
        if (other.length) counts.loud.push(...(await hunt(join(dir, name))).map((m) => `${name}: ${m.rule.title}`));
    }
    t.diagnostic(`${counts.found} of ${counts.hosts} addresses found; of ${counts.others} lines that are no attacks ${counts.loud.length} findings: ${[...new Set(counts.loud)].join('; ')}`);
    assert.ok(counts.hosts > 150 && counts.found >= 26, `${counts.found} found`);
    assert.ok(counts.loud.length <= 1, counts.loud.join('\n'));
});
