// rules.live.test.mjs - rules changed under a working centre: seen without a signal, broken ones told while the former go on, what each costs, and
// kill -9 of the guard at the moment of a change: what the former rules looked at in silence stays silent.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, saqshy, sendSyslog, until, kill9 } from './lib/centre.mjs';

const ID = '7c1d2e3f-1111-4222-8333-444455556666';
const rule = (title, words) => `title: ${title}
id: ${ID}
logsource: { product: linux }
detection: { words: [${words}], condition: words }
level: high
`;

async function begin(t, first) {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    for (const d of ['rules', 'policy']) mkdirSync(join(c.data, d), { recursive: true });
    const write = (text) => writeFileSync(join(c.data, 'rules/mine.yml'), text);
    write(first);
    writeFileSync(join(c.data, 'policy/detection.yaml'), 'group: {window: 0m, update: 1s, by: [host.name]}\nstorm: {groups: 100000}\n');
    await c.start();
    const analyst = await c.signedIn('centre_analyst');
    let n = 0;
    const send = (word, count) => sendSyslog(c.ports.syslog, Array.from({ length: count }, () => `<38>Nov 24 10:00:00 registry-web-1 sshd[900]: ${word} number ${++n}`));
    const counted = async () => (await analyst.get('/cases')).json.items.filter((x) => x.rule?.id === ID).reduce((sum, x) => sum + x.count, 0);
    const picture = () => JSON.parse(readFileSync(join(c.data, 'detect/rules.json'), 'utf8'));
    const mine = () => picture().rules.find((r) => r.id === ID);
    const runs = (title) => until(`"${title}" runs`, () => mine()?.title === title, 90);
    const next = () => Number(/^saqshy_detect_next_seq (\d+)/m.exec(readFileSync(join(c.data, 'run/metrics-detect.prom'), 'utf8'))?.[1] ?? 0);
    await runs(/title: (.*)/.exec(first)[1]);
    return { c, write, send, counted, picture, mine, runs, next };
}

test('a change is taken by itself; one that is broken is told and the former goes on; the cost of the rule goes on over changes', async (t) => {
    const { c, write, send, counted, picture, mine, runs } = await begin(t, rule('First', 'alphaword'));
    await send('alphaword', 3);
    await until('three findings', async () => await counted() === 3, 90);
    write(rule('Second', 'betaword'));
    await runs('Second');
    await send('alphaword', 2);
    await send('betaword', 4);
    await until('four more', async () => await counted() === 7, 90);
    write(rule('Third', 'gammaword').replace('detection:', 'detectoin:'));
    await until('the broken file is told', () => picture().set.kept === 1, 90);
    const refused = picture().refused.find((r) => r.file.endsWith('rules/mine.yml'));
    assert.deepEqual([refused.verdict, refused.kept, mine().title], ['broken', true, 'Second']);
    await send('betaword', 1);
    await until('the former goes on', async () => await counted() === 8, 90);
    await until('the picture has it', () => mine().matched === 8, 90);
    assert.ok(mine().fed && mine().events >= 10 && mine().looked >= 8 && mine().last_match, JSON.stringify(mine()));
    const cost = await saqshy(['rules', 'cost', '--data', c.data, '--never-fed', '--json']);
    assert.equal(cost.code, 0, cost.err);
    assert.ok(!JSON.parse(cost.out).rules.some((r) => r.id === ID || r.fed));
    const text = await saqshy(['rules', 'cost', '--data', c.data]);
    assert.match(text.out, /of \d+ rules cost something|0 of \d+ rules/);
});

test('kill -9 at the moment of a change: new rules never look at what the former looked at, and miss nothing that comes behind', async (t) => {
    const { c, write, send, counted, runs, next } = await begin(t, rule('Quiet 0', 'nothingofthekind'));
    let loud = 0;
    for (let round = 1; round <= 6; round++) {
        const before = next();
        await send('someword', 20);
        await until('the quiet rule has looked', () => next() >= before + 20, 90);
        write(rule(`Loud ${round}`, 'someword'));
        const pid = (await c.roles()).detect?.pid;
        if (pid) kill9(pid);
        await runs(`Loud ${round}`);
        await send('someword', 5);
        loud += 5;
        await until(`${loud} findings`, async () => await counted() >= loud, 90);
        assert.equal(await counted(), loud, `round ${round}: events that the quiet rule looked at were looked at again`);
        write(rule(`Quiet ${round}`, 'nothingofthekind'));
        await runs(`Quiet ${round}`);
    }
});
