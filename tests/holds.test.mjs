// holds.test.mjs - legal holds and the log of what was removed: the real daemon with a clock that is moved by years.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, kill9, saqshy, sendSyslog, until } from './lib/centre.mjs';

const DAY = 86400;
const picture = (c) => JSON.parse(readFileSync(join(c.data, 'run/retention.json'), 'utf8'));
const words = async (c) => (await c.events('words')).map((e) => /app: (\w+)/.exec(e['event.original'])[1]).sort();
/** The daemon again, so many seconds later, and the index has looked since. */
async function later(c, seconds) {
    await c.stop();
    c.advance(seconds);
    await c.start();
    await until('the index has looked', () => existsSync(join(c.data, 'run/retention.json')) && picture(c).at > new Date(c.now() - 600e3).toISOString());
}
const trail = async (admin, action) => (await admin.get('/audit?limit=200')).json.items.filter((r) => r.action === action);
const hold = (c, ...args) => saqshy(['hold', ...args, '--data', c.data]);

test('a hold: what it selects outlives every term, across kill -9 of the index; one that cannot be read stops all; released, it goes; the log and the chain say so', async (t) => {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    await c.start();
    await sendSyslog(c.ports.syslog, ['<13>Nov 24 10:00:00 srv app: usual words', '<13>Nov 24 10:00:00 srv app: wanted words']);
    await until('both are stored', async () => (await words(c)).length === 2);
    const set = await hold(c, 'add', '--query', 'wanted', '--reason', 'order 2-17 of the court', '--author', 'A. Head', '--json');
    assert.equal(set.code, 0, set.err);
    const { id } = JSON.parse(set.out);
    assert.equal((await hold(c, 'add', '--query', 'wanted')).code, 2);
    assert.match((await hold(c, 'list')).out, /wanted, from the first event to the last one[^]*set by A\. Head[^]*order 2-17 of the court/);
    const admin = await c.signedIn('administrator');
    await until('the trail has it', async () => (await trail(admin, 'hold.set')).some((r) => /wanted.*A\. Head.*order 2-17/.test(r.detail)));
    await until('the picture has it', () => picture(c).holds.active === 1);
    await until('the metric has it', async () => /^saqshy_holds 1$/m.test((await admin.request('GET', '/metrics')).bytes.toString()));

    // A file that cannot be read: nothing goes, and everybody is told.
    const odd = join(c.data, 'holds/hold-00000000000000ff.hold');
    writeFileSync(odd, 'saqshy-hold 2 0000000000000000\n{}\n');
    await later(c, 1100 * DAY);
    await until('it is told', () => /newer version/.test(picture(c).holds.error));
    assert.deepEqual(await words(c), ['usual', 'wanted']);
    assert.match((await saqshy(['retention', '--data', c.data])).out, /^HOLDS +cannot be read, so NOTHING IS REMOVED: .*newer version/m);
    assert.equal((await hold(c, 'list')).code, 1);
    assert.match(readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8'), /a legal hold cannot be read: nothing is removed/);
    assert.equal((await saqshy(['retention', '--dropped', '--data', c.data])).out, '');
    unlinkSync(odd);

    await later(c, 3700);
    await until('the usual one went', async () => (await words(c)).join() === 'wanted');
    for (let i = 0; i < 3; i++) {
        kill9(await c.running('index'));
        await c.running('index');
        assert.deepEqual(await words(c), ['wanted']);
    }
    const dropped = (await saqshy(['retention', '--dropped', '--json', '--data', c.data])).out.trim().split('\n').map((l) => JSON.parse(l));
    assert.ok(dropped.length >= 1);
    const line = dropped.find((d) => d.held === 1);
    assert.ok(line, JSON.stringify(dropped));
    assert.equal(line.rule, 'thinned');
    assert.equal(line.term_days, 1096);
    assert.equal(line.holds, 1);
    assert.match((await saqshy(['retention', '--dropped', '--data', c.data])).out, /the term of 1096 days was over; 1 events stayed, 1 of them by a hold alone; 1 holds; links/);

    assert.equal((await hold(c, 'release', id)).code, 2);
    const released = await hold(c, 'release', id, '--reason', 'the case is closed', '--author', 'B. Lead');
    assert.equal(released.code, 0, released.err);
    const years_later = await c.signedIn('administrator');
    await until('the trail has the release', async () => (await trail(years_later, 'hold.release')).some((r) => /B\. Lead: the case is closed/.test(r.detail)));
    await later(c, 3700);
    await until('it went', async () => (await words(c)).length === 0);
    assert.equal((await hold(c, 'list')).out, '');
    assert.match((await hold(c, 'list', '--all')).out, /RELEASED by B\. Lead at .*: the case is closed/);
    await c.stop();
    const verdict = await saqshy(['verify', '--data', c.data]);
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
});

test('a hold of an object and of a case says what it selects; a case without an object asks for a search', async (t) => {
    const c = await centre({ demo: true });
    t.after(() => c.remove());
    await c.start();
    const analyst = await c.signedIn('centre_analyst'), object = { id: 'state-register' };
    const one = JSON.parse((await hold(c, 'add', '--object', object.id, '--reason', 'a search of the KNB', '--json')).out);
    assert.equal(one.filter, `saqshy.object:${object.id}`);
    const made = await analyst.post('/cases', { object: 'state-register', title: 'Told by telephone', detected_at: new Date(c.now() - 60e3).toISOString() });
    assert.equal(made.status, 201, String(made.bytes));
    const two = await hold(c, 'add', '--case', made.json.number, '--reason', 'evidence', '--json');
    assert.equal(two.code, 0, two.err);
    assert.equal(JSON.parse(two.out).filter, `saqshy.object:${object.id}`);
    assert.ok(JSON.parse(two.out).from < new Date(c.now() - 86400e3).toISOString());
    const none = await hold(c, 'add', '--case', 'NO-SUCH', '--reason', 'evidence');
    assert.equal(none.code, 2);
    assert.match(none.err, /there is no case NO-SUCH/);
    assert.equal((await hold(c, 'add', '--object', 'a b', '--reason', 'x')).code, 2);
    // The same by the portal: a release takes two persons, and an owner's people see nothing of it.
    const lead = await c.signedIn('centre_lead'), set = await lead.post('/collection/holds', { query: 'user.name:ivanov', reason: 'order 3-11' });
    assert.equal(set.status, 201, String(set.bytes));
    assert.equal((await lead.post('/collection/holds', { query: '(open', reason: 'x' })).json.field, 'query');
    const asked = await lead.post(`/collection/holds/${set.json.id}/release`, { reason: 'the case is closed' });
    assert.equal(asked.status, 200, String(asked.bytes));
    const mine = (a) => a.json.items.find((h) => h.id === set.json.id);
    assert.equal(mine(asked).state, 'active');
    const approval = mine(asked).waiting[0].id;
    assert.equal((await lead.post(`/approvals/${approval}/decision`, { decision: 'approve' })).status, 403);
    assert.equal((await analyst.post(`/approvals/${approval}/decision`, { decision: 'approve' })).status, 200);
    const after = mine(await lead.get('/collection/holds'));
    assert.equal(after.state, 'released');
    assert.equal(after.released.reason, 'the case is closed');
    assert.deepEqual((await lead.get('/collection/dropped')).json.items, []);
    const owner = await c.signedIn('owner_officer');
    for (const a of [await owner.get('/collection/holds'), await owner.get('/collection/dropped'), await owner.post('/collection/holds', { query: 'a', reason: 'b' })]) assert.equal(a.status, 403);
});
