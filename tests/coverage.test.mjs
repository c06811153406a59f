// coverage.test.mjs - what arrives of what Annex 4 wants: counted exactly over kills and restarts, told by the command line, the portal and as a table, each
// within what is theirs; a source that falls silent becomes a case once.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, saqshy, sendSyslog, until, kill9 } from './lib/centre.mjs';

let c, p = {};
const WEB = 'registry-web-1', CITY = 'city-web-1', OBJECT = 'state-register';
const SENDS = 400;
let n = 0;
const line = (host, what) => `<38>1 ${new Date(c.now()).toISOString()} ${host} sshd 812 - - ${what} from 203.0.113.8 port ${++n} ssh2`;
const accepted = (host, count) => Array.from({ length: count }, () => line(host, 'Accepted password for ann'));
const refused = (host, count) => Array.from({ length: count }, () => line(host, 'Failed password for ann'));
const file = () => (existsSync(join(c.data, 'detect/coverage.json')) ? JSON.parse(readFileSync(join(c.data, 'detect/coverage.json'))) : null);
const sourceOf = (host) => file()?.sources.find((s) => s.source === host && s.class === 'os-unix');
const counted = (host, want) => until(`${want} events of ${host}`, () => { const s = sourceOf(host); return s && s.events >= want && s; }, 90)
    .catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(sourceOf(host))}\n${c.story()}`); });
const get = async (who, path) => { const a = await who.get(path); assert.equal(a.status, 200, `${path}: ${a.bytes}`); return a.json; };
const coverage = (...words) => saqshy(['coverage', '--data', c.data, ...words]);

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    for (const [name, login] of [['admin', 'administrator'], ['analyst', 'centre_analyst'], ['owner', 'registry'], ['city', 'city']]) p[name] = await c.signedIn(login);
});
after(async () => { await c?.remove(); });

test('R-12-02 coverage: events of each source and type are counted once, while detection is killed again and again and the node is restarted', async () => {
    for (let round = 0, last; round < 8; round++) {
        await sendSyslog(c.ports.syslog, [...accepted(WEB, SENDS / 8), ...refused(WEB, SENDS / 8), ...accepted(CITY, 10)]);
        if (round >= 4) continue;   /* the pauses between restarts grow */
        const pid = await until('detection is there again', async () => { const { pid: now } = (await c.roles()).detect ?? {}; return now !== last && now; });
        kill9(pid);
        last = pid;
    }
    await counted(WEB, 2 * SENDS);
    await counted(CITY, 80);
    assert.equal((await c.stop()).code, 0);
    await c.start();
    await sendSyslog(c.ports.syslog, accepted(WEB, 1));
    const web = await counted(WEB, 2 * SENDS + 1);
    assert.equal(web.events, 2 * SENDS + 1, 'none twice');
    const type = (code) => web.types.find((t) => t.type === code);
    assert.equal(type('OS-04').events, 2 * SENDS + 1);
    assert.equal(type('OS-11').events, SENDS);
    assert.equal(type('OS-04').state, 'arriving');
    assert.deepEqual(web.lacks, []);
    for (const login of ['administrator', 'centre_analyst', 'registry', 'city']) p[{ administrator: 'admin', centre_analyst: 'analyst', registry: 'owner', city: 'city' }[login]] = await c.signedIn(login);
});

test('R-12-02 R-12-03 coverage: the command line and the portal tell what arrives, what is missing and which rules wait, each viewer within what is theirs', async () => {
    const told = await coverage('--object', OBJECT, '--json');
    assert.equal(told.code, 1, `something is missing: ${told.err}`);
    const part = told.out.trim().split('\n').map((l) => JSON.parse(l)).find((x) => x.class === 'os-unix');
    const by = (code, of = part) => of.types.find((t) => t.type === code);
    assert.deepEqual([by('OS-04').state, by('OS-04').events, by('OS-01').state, by('OS-01').events, by('OS-01').last_at], ['arriving', 2 * SENDS + 1, 'never', 0, null]);
    assert.equal(part.arriving + part.late + part.never, 16, 'thirteen types of systems, three of Unix');
    assert.ok(!by('WIN-01') && !by('DB-01'), 'what is not applicable is not there');
    const plain = await coverage('--object', OBJECT, '--gaps', '--lang', 'en');
    assert.match(plain.out, /state-register {2}os-unix {2}1 sources/);
    assert.match(plain.out, /OS-01 +never .* system start\/stop/);
    assert.doesNotMatch(plain.out, /OS-04/);
    assert.match((await coverage('--sources', '--object', OBJECT)).out, /registry-web-1 {2}os-unix {2}arriving {2}801 events/);
    assert.equal((await coverage('--object', 'nobody')).code, 1);
    assert.equal((await coverage('--csv', '--json')).code, 2);
    assert.equal((await saqshy(['coverage', '--data', '/nonexistent'])).code, 1);

    const all = await get(p.analyst, '/collection/coverage?limit=500');
    assert.equal(all.running, true);
    const mine = all.items.find((x) => x.object?.id === OBJECT && x.class === 'os-unix');
    assert.deepEqual([by('OS-04', mine).events, by('OS-04', mine).last_source, mine.sources], [2 * SENDS + 1, WEB, 1]);
    assert.ok(all.items.some((x) => x.class === '' && x.sources === 0), 'an object of which nothing came is told');
    assert.ok(all.counts.never > 0 && all.counts.arriving > 0);
    assert.ok(all.waiting.length > 0 && all.waiting.every((w, i) => i === 0 || all.waiting[i - 1].count >= w.count), JSON.stringify(all.waiting).slice(0, 500));
    assert.ok(all.waiting.some((w) => w.product === 'windows' && w.rules.length > 0), 'no Windows log came, so these rules wait');
    const own = await get(p.owner, `/collection/coverage?object=${OBJECT}`);
    assert.deepEqual([own.waiting, own.sources.map((s) => s.source)], [[], [WEB]]);
    assert.ok((await get(p.owner, '/collection/coverage')).items.every((x) => x.object?.id === OBJECT));
    assert.equal((await get(p.city, `/collection/coverage?object=${OBJECT}`)).items.length, 0);
    assert.equal((await p.analyst.get('/collection/coverage?class=odd')).status, 400);
    assert.ok((await get(p.analyst, '/collection/coverage?gaps=true')).items.every((x) => x.late + x.never > 0 || x.sources === 0));
    const page = await get(p.analyst, '/collection/coverage?limit=1'), second = await get(p.analyst, `/collection/coverage?limit=1&before=${page.next}`);
    assert.notDeepEqual(second.items[0], page.items[0]);

    const titles = {};
    for (const language of ['kk', 'ru', 'en']) {
        const a = await p.owner.request('GET', '/api/v1/collection/coverage/table', undefined, { 'Accept-Language': language });
        assert.equal(a.status, 200);
        assert.match(a.headers['content-type'], /text\/csv/);
        const rows = a.bytes.toString().replace(/^\uFEFF/, '').trim().split(/\r?\n/);
        const row = rows.find((r) => r.includes(';OS-04;'));
        assert.ok(row.includes(`;${2 * SENDS + 1};`), row);
        assert.ok(rows.some((r) => r.includes(';OS-01;')) && rows.every((r) => !r.includes(CITY)));
        titles[language] = [rows[0], row];
    }
    assert.match(titles.en[1], /authorisation \(login and logout\)/);
    assert.match(titles.ru[1], /авторизация \(вход и выход\)/);
    assert.match(titles.kk[1], /авторландыру/);
    assert.equal(new Set(Object.values(titles).map((x) => x[0])).size, 3, 'the head is in the language too');
});

test('a source that falls silent is one case, with what to do, and none more while it stays silent or detection is killed', async () => {
    const again = () => c.signedIn('centre_analyst');   /* the clock leaps, and sessions end */
    const silent = async () => (await get(await again(), '/cases')).items.filter((x) => x.rule?.id === 'saqshy-silence-source');
    const step = async (lines) => { c.advance(40 * 60); await sendSyslog(c.ports.syslog, lines); };
    await step([...accepted(WEB, 400), ...accepted(CITY, 10)]);
    await step([...accepted(WEB, 400), ...accepted(CITY, 10)]);
    await counted(WEB, 2 * SENDS + 801);
    assert.equal((await silent()).length, 0);
    for (let i = 0; i < 3; i++) await step(accepted(CITY, 10));   /* two hours: the longest silence was forty minutes */
    const [found] = await until('the silence is a case', async () => { const s = await silent(); return s.length > 0 && s; }, 90).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(sourceOf(WEB))}\n${c.story()}`); });
    assert.equal(found.object.id, OBJECT);
    const whole = await get(await again(), `/cases/${found.id}`);
    assert.equal(whole.findings.length, 1);
    assert.match(JSON.stringify(whole), /no events from registry-web-1 since/);
    kill9(await c.running('detect'));
    await step(accepted(CITY, 10));
    await counted(CITY, 80 + 60);
    const still = await silent(), who = await again();
    assert.deepEqual((await Promise.all(still.map((x) => get(who, `/cases/${x.id}`)))).map((x) => x.findings.length), [1]);
    assert.equal(sourceOf(WEB).state, 'late');
});
