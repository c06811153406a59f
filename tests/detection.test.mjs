// detection.test.mjs - from matches to cases in a running centre: what belongs together is one finding, a storm is summed up and counted exactly over kills,
// an exception is previewed, excepts while it holds and expires, hosts and users have an account of risk, and the site's policy counts.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, saqshy, sendSyslog, until, kill9 } from './lib/centre.mjs';

const RULE = '5d0f7c11-1111-4222-8333-444455556666';
const rule = `title: Door forced
id: ${RULE}
logsource: {product: linux}
detection: {words: [doorforced], condition: words}
level: high
saqshy: {group_by: [host.name]}
---
title: Door rattled
id: 5d0f7c11-1111-4222-8333-444455557777
logsource: {product: linux}
detection: {words: [doorrattled], condition: words}
level: low
`;
const policy = 'group: {window: 1h, update: 1s, by: [host.name]}\nstorm: {groups: 5}\n'
    + 'levels: [{rule: 5d0f7c11-1111-4222-8333-444455557777, level: medium, objects: [city-portal]}]\n';

async function begin(t) {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    for (const d of ['rules', 'policy']) mkdirSync(join(c.data, d), { recursive: true });
    writeFileSync(join(c.data, 'rules/doors.yml'), rule);
    writeFileSync(join(c.data, 'policy/detection.yaml'), policy);
    await c.start();
    const analyst = await c.signedIn('centre_analyst');
    let n = 0;
    const line = (host, word) => `<38>Nov 24 10:00:00 ${host} sshd[900]: ${word} number ${++n}`;
    const cases = async (id = RULE) => (await analyst.get('/cases')).json.items.filter((x) => x.rule?.id === id);
    const counted = async (id = RULE) => (await cases(id)).reduce((sum, x) => sum + x.count, 0);
    // Something else keeps the clock of receipt going: updates are told by the next event of any kind.
    const tick = () => sendSyslog(c.ports.syslog, [line('elsewhere', 'nothing')]);
    const reach = (what, want, id) => until(`${want} ${what}`, async () => { await tick(); return await counted(id) >= want; }, 90);
    return { c, analyst, line, cases, counted, reach };
}

test('matches of one group are one finding at once and updates; a storm of groups is summed up; the count of the case is exact, also when the guard is killed', async (t) => {
    const { c, analyst, line, cases, counted, reach } = await begin(t);
    const kill = async () => { const pid = (await c.roles()).detect?.pid; if (pid) kill9(pid); };
    await sendSyslog(c.ports.syslog, Array.from({ length: 40 }, () => line('registry-web-1', 'doorforced')));
    await reach('matches of one host', 40);
    assert.equal((await cases()).length, 1);
    const one = (await analyst.get(`/cases/${(await cases())[0].id}`)).json;
    assert.ok(one.findings.length < 10, `${one.findings.length} findings for 40 matches`);
    assert.equal(one.findings.reduce((sum, f) => sum + Number(f['saqshy.hits']), 0), 40);
    assert.equal(new Set(one.findings.map((f) => f['saqshy.episode'])).size, 1);

    // Thirty hosts nobody registered: one case each for those told singly, the rest in the summary's.
    let sent = 40;
    for (let round = 0; round < 6; round++) {
        const lines = [];
        for (let i = 0; i < 30; i++) lines.push(line(`strange-${i}`, 'doorforced'));
        await sendSyslog(c.ports.syslog, lines);
        sent += 30;
        await kill();
    }
    await reach('matches in all', sent);
    assert.equal(await counted(), sent);
    const all = (await Promise.all((await cases()).map(async (x) => (await analyst.get(`/cases/${x.id}`)).json.findings))).flat();
    assert.ok(all.some((f) => f['saqshy.summary'] === 'storm' && Number(f['saqshy.groups']) >= 20), 'there is a summary');
    assert.ok((await cases()).length < 15, `${(await cases()).length} cases of 31 hosts`);
    await kill();
    await reach('matches after the last kill', sent);
    assert.equal(await counted(), sent);
    const told = () => existsSync(join(c.data, 'detect/risk.json')) && JSON.parse(readFileSync(join(c.data, 'detect/risk.json')));
    const risk = await until('the risk is told', () => told()?.entities?.length > 0 && told(), 60);   // not the file of a start before the first event
    assert.ok(risk.entities.some((x) => x.kind === 'host' && x.name === 'registry-web-1' && x.rules[0].title === 'Door forced'), JSON.stringify(risk).slice(0, 2000));
});

test('an exception is previewed with the confirmed cases it would have hidden, excepts what it says, and is listed; low matches raise nothing, at the level of the site\'s policy they do', async (t) => {
    const { c, analyst, line, cases, counted, reach } = await begin(t);
    const rules = (...words) => saqshy(['rules', ...words, '--data', c.data]);
    await sendSyslog(c.ports.syslog, [line('registry-web-1', 'doorforced'), line('city-web-1', 'doorforced'), line('registry-web-1', 'doorrattled'), line('city-web-1', 'doorrattled')]);
    await reach('matches', 2);
    await reach('low ones, raised by the policy', 1, '5d0f7c11-1111-4222-8333-444455557777');
    assert.deepEqual((await cases('5d0f7c11-1111-4222-8333-444455557777')).map((x) => [x.host ?? x.object?.id, x.rule.level]).length, 1);

    const words = ['except', RULE, '--where', 'host.name=registry-web-1', '--reason', 'a locksmith of ours', '--author', 'Aidana', '--expires', '2099-12-31'];
    const seen = await rules(...words, '--preview', '--json');
    assert.equal(seen.code, 0, seen.err);
    const p = JSON.parse(seen.out);
    assert.deepEqual([p.findings, p.removed, p.confirmed, p.other, p.unknown], [2, 1, 0, 1, 0]);
    assert.ok(!existsSync(join(c.data, 'rules/exceptions')) || readdirSync(join(c.data, 'rules/exceptions')).length === 0, 'a preview writes nothing');
    // The same, once the owner has confirmed it: whoever excepts it is told, by the exit code too.
    const owner = await c.signedIn('registry');
    let mine = (await cases()).find((x) => x.object?.id === 'state-register');
    const act = async (who, name, body = {}) => {
        const r = await who.post(`/cases/${mine.id}/actions/${name}`, body);
        assert.equal(r.status, 200, `${name}: ${r.bytes}`);
        mine = r.json;
    };
    mine = (await analyst.get(`/cases/${mine.id}`)).json;
    await act(analyst, 'analyse', { note: 'somebody at the door' });
    await act(analyst, 'notify', { annex7: { ...mine.annex7, source_ip: mine.annex7.source_ip || '203.0.113.7' }, recommendations: 'Lock it', detection_kind: 'incident' });
    await act(owner, 'confirm_event');
    const after = await rules(...words, '--preview', '--json');
    assert.equal(after.code, 1, after.err);
    assert.deepEqual(JSON.parse(after.out).cases, [{ number: mine.number, state: 'event_confirmed', findings: 1 }]);
    assert.match((await rules(...words, '--preview')).out, /1 findings of 1 matches would not have been raised\nconfirmed cases among them: 1:\n {2}\S+ {2}event_confirmed, 1 of its findings\nother cases among them: 0\n/);

    const written = await rules(...words);
    assert.equal(written.code, 0, written.err);
    assert.equal((await rules(...words)).code, 2);
    await until('the exception is in force', () => existsSync(join(c.data, 'detect/exceptions.json')) && JSON.parse(readFileSync(join(c.data, 'detect/exceptions.json'))).exceptions.length === 1, 60);
    const [x] = JSON.parse(readFileSync(join(c.data, 'detect/exceptions.json'))).exceptions;
    assert.deepEqual([x.author, x.reason, x.state, x.rules], ['Aidana', 'a locksmith of ours', 'active', [RULE]]);
    assert.match((await rules('exceptions')).out, /Door forced: except host\.name=registry-web-1\n {2}until 2100-01-01T00:00:00.*, by Aidana: a locksmith of ours/);
    await sendSyslog(c.ports.syslog, [line('registry-web-1', 'doorforced'), line('city-web-1', 'doorforced'), line('city-db-1', 'doorforced')]);
    await reach('matches, one of them excepted', 4);
    assert.equal(await counted(), 4);
});

test('an exception excepts nothing from the moment on at which it expires, and that is told', async (t) => {
    const { c, line, counted, reach } = await begin(t);
    const list = () => JSON.parse(readFileSync(join(c.data, 'detect/exceptions.json'))).exceptions;
    const r = await saqshy(['rules', 'except', RULE, '--where', 'host.name=registry-web-1', '--reason', 'a locksmith', '--author', 'Aidana', '--expires', new Date(c.now() + 3600e3).toISOString(), '--data', c.data]);
    assert.equal(r.code, 0, r.err);
    await until('the exception is in force', () => existsSync(join(c.data, 'detect/exceptions.json')) && list().length === 1, 60);
    assert.equal(list()[0].state, 'active');
    await sendSyslog(c.ports.syslog, [line('registry-web-1', 'doorforced'), line('city-web-1', 'doorforced')]);
    await reach('matches of another host', 1);
    assert.equal(await counted(), 1);
    c.advance(7200);
    await until('it has expired', () => list()[0].state === 'expired', 60);
    await until('that is told', () => c.story().includes('an exception has expired') && c.story().includes('a locksmith'), 60);
    await sendSyslog(c.ports.syslog, [line('registry-web-1', 'doorforced')]);
    const later = await c.signedIn('centre_analyst');
    await until('it is found again', async () => (await later.get('/cases')).json.items.filter((x) => x.rule?.id === RULE).length === 2, 60);
});

test('an exception that root writes belongs to the owner of the data directory: the guard runs as it, and reads no rules at all if there is a folder that it cannot open', { skip: process.getuid() !== 0 && 'only root can give files away' }, async (t) => {
    const c = await centre({ demo: true }), owner = 65534;
    t.after(() => c.remove());
    mkdirSync(join(c.data, 'rules'), { recursive: true });
    writeFileSync(join(c.data, 'rules/doors.yml'), rule);
    chownSync(c.data, owner, owner);
    const r = await saqshy(['rules', 'except', RULE, '--where', 'a=b', '--reason', 'x', '--author', 'A', '--expires', '2099-01-01', '--data', c.data]);
    assert.equal(r.code, 0, r.err);
    for (const f of ['rules', 'rules/exceptions', `rules/exceptions/${readdirSync(join(c.data, 'rules/exceptions'))[0]}`]) assert.equal(statSync(join(c.data, f)).uid, owner, f);
});

test('what is wrong in an exception is said, and nothing is written', async (t) => {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    mkdirSync(join(c.data, 'rules'), { recursive: true });
    writeFileSync(join(c.data, 'rules/doors.yml'), rule);
    const rules = (...words) => saqshy(['rules', 'except', ...words, '--data', c.data]);
    for (const [said, ...words] of [
        [/--reason and --expires are needed/, RULE, '--where', 'a=b', '--expires', '2099-01-01'],
        [/--reason and --expires are needed/, RULE, '--where', 'a=b', '--reason', 'x'],
        [/--where is missing/, RULE, '--reason', 'x', '--expires', '2099-01-01'],
        [/--where wants FIELD=VALUE/, RULE, '--where', 'ab'],
        [/--expires wants a day/, RULE, '--where', 'a=b', '--expires', 'tomorrow'],
        [/--expires is a moment that has passed/, RULE, '--where', 'a=b', '--reason', 'x', '--expires', '2020-01-01'],
        [/everything would be excepted/, RULE, '--where', 'a|contains=', '--reason', 'x', '--expires', '2099-01-01'],
        [/there is no rule "nobody"/, 'nobody', '--where', 'a=b', '--reason', 'x', '--expires', '2099-01-01'],
        [/one RULE is wanted/, '--where', 'a=b', '--reason', 'x', '--expires', '2099-01-01'],
        [/no modifier "contians"/, RULE, '--where', 'a|contians=b', '--reason', 'x', '--expires', '2099-01-01'],
    ]) {
        const r = await rules(...words);
        assert.equal(r.code, 2, words.join(' '));
        assert.match(r.err, said);
    }
    assert.ok(!existsSync(join(c.data, 'rules/exceptions')) || readdirSync(join(c.data, 'rules/exceptions')).length === 0);
    // One that somebody wrote by hand without saying why is refused, and the rule goes on without it.
    mkdirSync(join(c.data, 'rules/exceptions'), { recursive: true });
    writeFileSync(join(c.data, 'rules/exceptions/x.yml'), `title: x\nid: x\nlogsource: {product: linux}\nfilter: {rules: ['${RULE}'], s: {a: b}, condition: not s}\nsaqshy: {author: A, expires: 2099-01-01}\n`);
    const checked = await saqshy(['rules', 'check', join(c.data, 'rules')]);
    assert.equal(checked.code, 1);
    assert.match(checked.out, /x\.yml:5:9: broken: an exception says .* reason is missing/);
    assert.match(checked.out, /2 loaded, 0 not supported, 1 broken/);
});
