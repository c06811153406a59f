// search.test.mjs - the search language and its pipes from the command line and over the API: tables, refusals, the plan, and whose events are counted.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saqshy, centre, until, sendSyslog } from './lib/centre.mjs';

const folder = mkdtempSync(join(tmpdir(), 'saqshy-search-')), data = join(folder, 'data'), log = join(folder, 'auth.log');
let c;
after(async () => { rmSync(folder, { recursive: true, force: true }); await c?.remove(); });

const two = (n) => String(n).padStart(2, '0');
const line = (i) => `2026-11-28T09:${two(Math.floor(i / 60))}:${two(i % 60)}+05:00 srv-${i % 3} sshd[${i + 1}]: Failed password for ${i % 10 ? 'root' : 'guest'} from 203.0.113.${i % 7} port ${1000 + i} ssh2`;
const LINES = 600;
const search = (...args) => saqshy(['search', ...args, '--data', data]);
const rows = (a) => a.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));

test('stats, sort and head make a table; JSON and CSV say the same', async () => {
    writeFileSync(log, Array.from({ length: LINES }, (_, i) => line(i)).join('\n') + '\n');
    assert.equal((await saqshy(['import', '--data', data, log])).code, 0);
    const text = 'failed | stats count(), uniq(source.ip) as ips, max(source.port) by user.name | sort -count';
    const plain = await search(text);
    assert.equal(plain.code, 0, plain.err);
    assert.deepEqual(plain.out.trim().split('\n').map((l) => l.trim().split(/ +/)), [['user.name', 'count', 'ips', 'max_source.port'], ['root', '540', '7', '1599'], ['guest', '60', '7', '1590']]);
    assert.deepEqual(rows(await search(text, '--json')), [{ 'user.name': 'root', count: 540, ips: 7, 'max_source.port': '1599' }, { 'user.name': 'guest', count: 60, ips: 7, 'max_source.port': '1590' }]);
    assert.deepEqual((await search(text, '--csv')).out.trim().split(/\r?\n/), ['user.name,count,ips,max_source.port', 'root,540,7,1599', 'guest,60,7,1590']);
    assert.equal((await search(text, '--limit', '1', '--json')).out.trim().split('\n').length, 1);
});

test('pipes and plain searches agree: every event is counted once, in every span', async () => {
    assert.deepEqual(rows(await search('* | stats count()', '--json')), [{ count: LINES }]);
    const spans = rows(await search('failed | timechart 1m count() as n', '--json'));
    assert.equal(spans.length, 10);
    assert.equal(spans[0]['@timestamp'], '2026-11-28T09:00:00+05:00');
    assert.ok(spans.every((s) => s.n === 60));
    assert.deepEqual(rows(await search('user.name:guest | top 1 source.ip by host.name | fields host.name, count', '--json')).map((r) => r['host.name']), ['srv-0', 'srv-1', 'srv-2']);
    const some = await search('time:2026-11-28T09:05 user.name:(guest OR nobody) | stats count()', '--json');
    assert.deepEqual(rows(some), [{ count: 6 }]);
    assert.equal((await search('source.port:1000..1009 | fields source.port | sort source.port', '--json')).out.trim().split('\n').length, 10);
    assert.deepEqual(rows(await search('failed | head 1 | fields source.port', '--json')), [{ 'source.port': '1599' }]);
    assert.deepEqual(rows(await search('failed | head 1 | fields source.port', '--json', '--oldest')), [{ 'source.port': '1000' }]);
});

test('exit codes: 1 where no row came out, 2 where the search is refused, with the letter', async () => {
    assert.equal((await search('failed | where user.name:nobody')).code, 1);
    for (const [text, letter, says] of [['failed | stat count()', 10, /no pipe is called "stat"/], ['failed | sort', 14, /name of a field/], ['time:yestreday', 6, /no time/], ['a | where b:', 13, /value is expected/]]) {
        const a = await search(text);
        assert.equal(a.code, 2, text);
        assert.match(a.err, new RegExp(`at letter ${letter}:`), a.err);
        assert.match(a.err, says);
    }
    // A date on the command line begins in Astana, as in the language.
    for (const [from, want] of [['2026-11-28', LINES], ['2026-11-28T09:05', LINES / 2], ['2026-11-28T04:05Z', LINES / 2]]) assert.deepEqual(rows(await search('* | stats count()', '--json', '--from', from)), [{ count: want }], from);
    assert.deepEqual(rows(await search('* | stats count()', '--json', '--to', '2026-11-28')), [{ count: 0 }]);
    assert.match((await search('failed', '--csv')).err, /columns/);
    const tail = await saqshy(['tail', 'failed | head 5', '--data', data]);
    assert.equal(tail.code, 2);
    assert.match(tail.err, /at letter 8: '\|'/);
});

test('a slip is told beside an empty answer, and refused nowhere', async () => {
    const a = await search('sorce.ip:203.0.113.1');
    assert.equal(a.code, 1);
    assert.match(a.err, /"source\.ip"/);
});

test('the plan tells the tree, the times, what lets blocks be skipped, and what was looked at', async () => {
    const a = await search('failed user.name:(root OR guest) time:2026-11-28 | stats count() by user.name', '--explain');
    assert.equal(a.code, 0, a.err);
    for (const part of [/word "failed"/, /user\.name is one of 2 values/, /2026-11-28T00:00:00\+05:00 to 2026-11-29T00:00:00\+05:00/, /one of 1 words is missing/, /keeps groups: 1 keys/, /600 matched, 2 rows/]) assert.match(a.out, part);
    const none = await search('failed time:2026-11-27', '--explain');
    assert.equal(none.code, 1);
    assert.match(none.out, /0 blocks/);
});

test('over the API pipes count what the asker may read, and nothing else', async () => {
    c = await centre({ demo: true });
    await c.start();
    const analyst = await c.signedIn('centre_analyst'), ask = (client, q, more = '') => client.get(`/events/table?q=${encodeURIComponent(q)}${more}`);
    // Hosts of one object, and a host that is nobody's.
    const objects = (await (await c.signedIn('administrator')).get('/objects')).json.items, theirs = objects.find((o) => o.hosts?.includes('registry-web-1') || o.id === 'state-register');
    assert.ok(theirs);
    await sendSyslog(c.ports.syslog, Array.from({ length: 9 }, (_, i) => `<38>1 ${new Date(c.now() + i).toISOString()} ${i < 5 ? 'registry-web-1' : 'nobodys-host'} app 1 - - zzcounted number ${i}`));
    await until('all are found', async () => (await ask(analyst, 'zzcounted | stats count()')).json?.rows?.[0]?.[0] === 9);
    const by = (await ask(analyst, 'zzcounted | stats count() by host.name')).json;
    assert.deepEqual(by.rows, [['nobodys-host', 4], ['registry-web-1', 5]]);
    assert.deepEqual(by.columns.map((x) => [x.name, x.approximate]), [['host.name', false], ['count', false]]);
    for (const account of Object.values(c.accounts).filter((a) => a.role === 'owner_officer')) {
        const officer = await c.signedIn(account.login), plain = (await officer.get('/events?q=zzcounted')).json.items.length;
        const counted = (await ask(officer, 'zzcounted | stats count(), uniq(host.name)')).json, hosts = (await ask(officer, 'zzcounted | top 5 host.name')).json;
        assert.equal(counted.rows[0][0], plain);
        assert.ok(!JSON.stringify([counted, hosts]).includes('nobodys-host'));
        assert.equal(counted.stats.scanned, plain, 'what was looked through tells of foreign events');
        assert.ok(plain === 0 || plain === 5, `${account.login} sees ${plain}`);
    }
    const csv = await ask(analyst, 'zzcounted | stats count() by host.name', '&format=csv');
    assert.match(csv.bytes.toString(), /nobodys-host;4\r?\nregistry-web-1;5/);
    const chart = (await ask(analyst, 'zzcounted | timechart 1h count()')).json;
    assert.deepEqual([chart.chart, chart.columns[0].span_s, chart.rows.reduce((a, r) => a + r[1], 0)], [true, 3600, 9]);
    for (const [q, at] of [['zzcounted', 10], ['zzcounted | stats', 18], ['zzcounted | where (', 20], ['(', 2]]) {
        const a = await ask(analyst, q);
        assert.deepEqual([a.status, a.json.code, a.json.at], [400, 'bad_query', at], `${q}: ${a.bytes}`);
        assert.ok(a.json.detail.length > 10);
    }
    const slip = (await analyst.get(`/events?q=${encodeURIComponent("sorce.ip:203.0.113.1")}`)).json;
    assert.ok(slip.hints, JSON.stringify(slip));
    assert.equal(slip.hints.length, 1);
    assert.match(slip.hints[0], /source\.ip/);
    for (const path of ['/events', '/events/tail']) {
        const a = await analyst.get(`${path}?q=${encodeURIComponent('zzcounted | head 1')}`);
        assert.deepEqual([a.status, a.json.code, a.json.at], [400, 'bad_query', 11], path);
    }
});
