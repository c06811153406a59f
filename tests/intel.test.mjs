// intel.test.mjs - saqshy intel: indicators of compromise from STIX, MISP and lists; what comes again replaces what was, and a value is found however it is written.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bin, centre, root, run, saqshy, sendSyslog, sleep, until } from './lib/centre.mjs';

const stix = JSON.stringify({ type: 'bundle', objects: [
    { type: 'indicator', id: 'indicator--1', name: 'C2 of a campaign', confidence: 80, valid_until: '2036-01-01T00:00:00Z', pattern: "[ipv4-addr:value = '203.0.113.7' OR domain-name:value = 'evil.example']" },
    { type: 'indicator', id: 'indicator--2', valid_until: '2020-01-01T00:00:00Z', pattern: "[ipv4-addr:value = '203.0.113.9']" },
    { type: 'indicator', id: 'indicator--3', pattern: "[url:value LIKE 'http://%']" }] });
const misp = JSON.stringify({ Event: { info: 'phishing', Tag: [{ name: 'tlp:red' }], Attribute: [{ type: 'ip-dst|port', to_ids: true, value: '203.0.113.7|443' }, { type: 'md5', to_ids: false, value: 'd41d8cd98f00b204e9800998ecf8427e' }] } });

function folder(t) {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-intel-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const at = (f, text) => { writeFileSync(join(dir, f), text); return join(dir, f); };
    return { at, intel: (verb, ...more) => saqshy(['intel', verb, '--data', join(dir, 'data'), ...more]), dir };
}
const json = (r) => r.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));

test('STIX, MISP and lists become one set; each source is told with what was left out, and why', async (t) => {
    const { at, intel } = folder(t);
    const a = await intel('import', '--source', 'partner', '--tlp', 'amber', '--json', at('a.json', stix));
    assert.equal(a.code, 0, a.err);
    assert.deepEqual(json(a).map(({ format, taken, skipped }) => [format, taken, skipped.pattern]), [['stix', 3, 1]]);
    const b = await intel('import', '--source', 'misp', at('b.json.gz', gzipSync(misp)));
    assert.match(b.out, /misp, 1 indicators\n {2}left out, not_for_detection: 1/);
    const c = await intel('import', '--source', 'own', '--days', '30', '--confidence', '50', at('c.txt', '# ours\n198.51.100.0/24\nhxxp://bad[.]example/a?b=1,2\nBad@Mail.example\n'));
    assert.match(c.out, /own: 3 indicators; the set has 7/);
    assert.match((await intel('list')).out, /^partner +3$/m);

    const found = json(await intel('check', '--json', '::ffff:203.0.113.7'));
    assert.deepEqual(found.map((x) => [x.source, x.type, x.value, x.tlp]).sort(), [['misp', 'ip', '203.0.113.7', 'red'], ['partner', 'ip', '203.0.113.7', 'amber']]);
    assert.equal(found.find((x) => x.source === 'partner').note, 'C2 of a campaign');
    assert.deepEqual(json(await intel('check', '--json', 'https://www.evil.example:8443/x')).map((x) => [x.asked, x.type, x.value]), [['https://www.evil.example:8443/x', 'domain', 'evil.example']]);
    const one = json(await intel('check', '--json', '198.51.100.77'))[0];
    assert.deepEqual([one.type, one.value, one.confidence], ['network', '198.51.100.0/24', 50]);
    assert.ok(Date.parse(one.valid_until) > Date.now() + 29 * 86400e3);
    assert.match((await intel('check', 'http://bad.example/a?b=1,2')).out, /url http:\/\/bad\.example\/a\?b=1,2 of own, 50 %, until 20/);
    // One whose term is over, a name that only ends alike, and nothing at all.
    for (const value of ['203.0.113.9', 'notevil.example', 'good.example']) assert.deepEqual((await intel('check', value)).code, 1, value);
    const piped = await run(bin('saqshy'), ['intel', 'check', '--data', join(at('x', ''), '../data'), '-'], { input: 'good.example\nevil.example\r\n' });
    assert.match(piped.out, /^evil\.example: domain evil\.example of partner/);
});

test('what others wrote neither drives the terminal nor breaks JSON', async (t) => {
    const { at, intel } = folder(t);
    await intel('import', '--source', 'a', at('a.csv', Buffer.concat([Buffer.from('value,note\nevil.example,"x\u009b2J\u202ey'), Buffer.from([0x9b]), Buffer.from('"\n')])));
    assert.equal((await intel('check', 'evil.example')).out, 'evil.example: domain evil.example of a, x?2J?y?\n');
    assert.deepEqual(json(await intel('check', '--json', 'evil.example')).map((x) => [x.value, x.note]), [['evil.example', 'x?2J?y?']]);
    const broken = await intel('import', '--source', 'b', at('b.json', '{"a": \u009b2J}'));
    assert.equal(broken.code, 2);
    assert.doesNotMatch(broken.err, /\u009b/);
});

test('an import replaces what its source said before, --add comes beside it, remove takes it away; what is no list leaves a source as it was', async (t) => {
    const { at, intel } = folder(t);
    const is = async (value) => (await intel('check', value)).code === 0;
    await intel('import', '--source', 'feed', at('1', '203.0.113.1\n203.0.113.2\n'));
    await intel('import', '--source', 'feed', at('2', '203.0.113.2\n203.0.113.3\n'));
    assert.deepEqual([await is('203.0.113.1'), await is('203.0.113.2'), await is('203.0.113.3')], [false, true, true]);
    await intel('import', '--source', 'feed', '--add', at('3', '203.0.113.4\n'));
    assert.deepEqual([await is('203.0.113.3'), await is('203.0.113.4')], [true, true]);
    const page = await intel('import', '--source', 'feed', at('4', '<html><body>the service is down</body></html>\n'));
    assert.deepEqual([page.code, await is('203.0.113.4')], [2, true]);
    assert.match(page.err, /no line of it is an indicator; the source keeps what it had/);
    const broken = await intel('import', '--source', 'feed', at('5', '{"type":"bundle",\n "objects":'));
    assert.deepEqual([broken.code, await is('203.0.113.4')], [2, true]);
    assert.match(broken.err, /5: line 2, column \d+: /);
    assert.equal((await intel('remove', '--source', 'feed')).code, 0);
    assert.equal(await is('203.0.113.4'), false);
    for (const [said, ...wrong] of [
        [/import: --source NAME is missing/, 'import', at('6', '')], [/import: a file is missing/, 'import', '--source', 'x'], [/--source takes .*, not "\.\.\/x"/, 'import', '--source', '../x', at('6', '')],
        [/--tlp takes clear, .*, not "blue"/, 'import', '--source', 'x', '--tlp', 'blue', at('6', '')], [/--confidence takes a number from 0 to 100, not "101"/, 'import', '--source', 'x', '--confidence', '101', at('6', '')],
        [/--days takes .*, not "0"/, 'import', '--source', 'x', '--days', '0', at('6', '')], [/--type takes ip, .*, not "ipv9"/, 'import', '--source', 'x', '--type', 'ipv9', at('6', '')],
        [/could not remove/, 'remove', '--source', 'nobody'], [/remove: --source NAME is missing/, 'remove'], [/check: a value is missing/, 'check'], [/list takes no "x"/, 'list', 'x'], [/"fetch" is not known/, 'fetch'],
    ]) {
        const r = await intel(...wrong);
        assert.equal(r.code, 2, wrong.join(' '));
        assert.match(r.err, said);
    }
});

test('what is on a warning list is found with the name of the list', async (t) => {
    const { at, intel, dir } = folder(t);
    mkdirSync(join(dir, 'data/intel/warnings'), { recursive: true });
    writeFileSync(join(dir, 'data/intel/warnings/resolvers.json'), JSON.stringify({ name: 'Public resolvers', type: 'cidr', list: ['8.8.8.0/24'], matching_attributes: ['ip-dst'] }));
    writeFileSync(join(dir, 'data/intel/warnings/broken.json'), '{');
    const r = await intel('import', '--source', 'own', at('a', '8.8.8.8\n203.0.113.7\n'));
    assert.equal(r.code, 0);
    assert.match(r.err, /broken\.json" is left out: line 1/);
    assert.equal(json(await intel('check', '--json', '8.8.8.8'))[0].warning, 'Public resolvers');
    assert.equal(json(await intel('check', '--json', '203.0.113.7'))[0].warning, '');
});

test('real warning lists and events of others', async (t) => {
    const real = join(root, '../shared/data/intel');
    if (!existsSync(real)) return t.skip('../shared/data/intel is not here');
    const { intel, dir } = folder(t);
    mkdirSync(join(dir, 'data/intel/warnings'), { recursive: true });
    const lists = readdirSync(join(real, 'warninglists'));
    for (const f of lists) copyFileSync(join(real, 'warninglists', f), join(dir, 'data/intel/warnings', f));
    const r = await intel('import', '--source', 'misp', ...readdirSync(join(real, 'misp/pymisp/reportlab_testfiles')).map((f) => join(real, 'misp/pymisp/reportlab_testfiles', f)));
    assert.deepEqual([r.code, r.err], [0, '']);
    writeFileSync(join(dir, 'good'), '173.245.48.1\nwww.wikipedia.org\nbit.ly\n203.0.113.7\n');
    await intel('import', '--source', 'good', join(dir, 'good'));
    assert.notEqual(json(await intel('check', '--json', '173.245.48.1'))[0]?.warning, '');
    assert.notEqual(json(await intel('check', '--json', 'bit.ly'))[0].warning, '');
});

test('what is imported is in force while the guard runs: an event that names it opens a case in three languages; what is on a warning list, and what was taken away, does not', async (t) => {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    const intel = (...words) => saqshy(['intel', ...words, '--data', c.data]);
    const file = join(c.data, 'feed.txt'), warnings = join(c.data, 'intel/warnings');
    mkdirSync(warnings, { recursive: true });
    writeFileSync(join(warnings, 'w.json'), JSON.stringify({ name: 'Known scanners', type: 'cidr', list: ['198.51.100.0/24'], matching_attributes: ['ip-src'] }));
    writeFileSync(file, 'type;value;confidence\nip;203.0.113.66;90\nip;198.51.100.5;90\ndomain;evil.example;10\n');
    await c.start();
    const inForce = (n) => until(`${n} indicators in force`, () => c.story().includes(`"saqshy.indicators":"${n}"`) || c.story().includes(`"saqshy.indicators":${n}`), 60);
    assert.equal((await intel('import', '--source', 'kz-cert', '--tlp', 'amber', file)).code, 0);
    await inForce(3);
    const line = (from, port) => `<38>Nov 24 10:00:00 srv-db-1 sshd[900]: Accepted password for aidana from ${from} port ${port} ssh2`;
    await sendSyslog(c.ports.syslog, [line('198.51.100.5', 1), line('203.0.113.66', 2), line('203.0.113.67', 3)]);
    const analyst = await c.signedIn('centre_analyst');
    const cases = async () => (await analyst.get('/cases')).json.items.filter((x) => /^ioc-/.test(x.rule?.id ?? ''));
    const found = await until('a case of the indicator', async () => (await cases())[0], 90);
    assert.equal((await cases()).length, 1);
    assert.equal(found.rule.level, 'high');
    for (const [lang, title] of [['kk', 'Жария ету индикаторы: 203.0.113.66'], ['ru', 'Индикатор компрометации: 203.0.113.66'], ['en', 'Indicator of compromise: 203.0.113.66']]) {
        assert.equal((await analyst.put('/session/language', { language: lang })).status < 300, true);
        assert.equal((await cases())[0].rule.name, title);
    }
    const finding = JSON.stringify((await analyst.get(`/cases/${found.id}`)).json.findings);
    for (const part of ['"threat.feed.name":"kz-cert"', '"threat.indicator.marking.tlp":"amber"', '"threat.enrichments.matched.field":"source.ip"']) assert.ok(finding.includes(part), `${part}: ${finding.slice(0, 3000)}`);
    assert.equal((await intel('remove', '--source', 'kz-cert')).code, 0);
    await inForce(0);

    // A rule that an administrator lays down is read too, though there was none when the guard started.
    writeFileSync(join(c.data, 'rules/own.yml'), "title: 'Own rule'\nid: 11111111-2222-4333-8444-555555555555\nlogsource: {product: linux}\ndetection:\n  s:\n    user.name: own-rule-user\n  condition: s\nlevel: high\n");
    await until('the rule finds', async () => {
        await sendSyslog(c.ports.syslog, ['<38>Nov 24 10:00:00 srv-db-1 sshd[900]: Accepted password for own-rule-user from 203.0.113.67 port 3 ssh2']);
        await sleep(1000);
        return (await analyst.get('/cases')).json.items.some((x) => x.rule?.id === '11111111-2222-4333-8444-555555555555');
    }, 90);
    await c.stop();
});
