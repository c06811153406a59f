// integrity.test.mjs - a real agent on a small tree, through collector, journal and detection to the desk: baseline, change, explanation, the passport's
// checksums, an event; killed in the middle, forged from another host.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { api, conditions, user } from './lib/api.mjs';
import { bin, centre, root, saqshy, sleep, until } from './lib/centre.mjs';

const OBJECT = 'state-register';
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** A tree, a package list and settings of a pretended host. */
function host(c) {
    const h = { tree: join(c.data, 'host/opt/register'), status: join(c.data, 'host/status'), settings: join(c.data, 'host/settings.yaml'), sshd: join(c.data, 'host/sshd_config') };
    mkdirSync(join(h.tree, 'bin'), { recursive: true });
    writeFileSync(join(h.tree, 'bin/server'), 'the program, version 1\n');
    writeFileSync(join(h.tree, 'app.conf'), 'listen = 443\n');
    writeFileSync(join(h.tree, 'kk — құжат.txt'), 'text\n');
    mkdirSync(join(c.data, 'host/outside'));
    writeFileSync(join(c.data, 'host/outside/secret'), 'not of the tree\n');
    symlinkSync('../../outside', join(h.tree, 'out'));
    h.packages = (list) => writeFileSync(h.status, list.map(([n, v]) => `Package: ${n}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${v}\nDescription: x\n more\n\n`).join(''));
    h.packages([['nginx', '1.22.1-9'], ['libz', '1.2'], ['openssh-server', '1:9.2p1']]);
    writeFileSync(h.sshd, 'PermitRootLogin yes\n');
    writeFileSync(h.settings, readFileSync(join(root, 'content/agent/settings.yaml'), 'utf8').replaceAll('/etc/ssh/sshd_config.d/*.conf, /etc/ssh/sshd_config', h.sshd));
    return h;
}

/** The agent's configuration: no logs, only facts. */
function configure(c, h, more = '') {
    const file = join(c.data, 'agent/agent.yaml');
    const kept = readFileSync(file, 'utf8').split('\n').filter((l) => /^(id|state|server):|^ {2}(url|ca|cert|key):/.test(l)).join('\n');
    writeFileSync(file, `${kept}\ninputs: none\nfacts:\n  time: true\n  packages: true\n  packages_file: ${h.status}\n  settings: ${h.settings}\ntrees:\n  paths: [${h.tree}]\n${more}`);
    return /^id: *"?([^"\n]+)/m.exec(kept)[1];
}

const changes = async (p, query) => (await p.get(`/integrity/changes?object=${OBJECT}&${query}`)).json.items;
const facts = async (p, kind, more = '') => (await p.get(`/objects/${OBJECT}/facts/${kind}?limit=1000${more}`)).json;

test('R-7-05, R-7-03, R-10.2-03: what a host is made of comes with its agent, is laid beside the passport, and each difference is explained or becomes an event', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    const h = host(c), id = configure(c, h);
    await c.start();
    let analyst = await c.signedIn('centre_analyst'), owner = await c.signedIn('registry');
    const city = await c.signedIn('city');
    const later = async (hours) => { c.advance(hours * 3600); analyst = await c.signedIn('centre_analyst'); owner = await c.signedIn('registry'); };
    c.startAgent();

    // --- the baseline ---
    const files = await until('the files are known', async () => { const a = await facts(owner, 'files'); return a.items.length && a; });
    const byPath = Object.fromEntries(files.items.map((i) => [i.key, i]));
    assert.deepEqual(Object.keys(byPath), [`${h.tree}/app.conf`, `${h.tree}/bin/server`, `${h.tree}/kk — құжат.txt`, `${h.tree}/out`]);
    assert.equal(byPath[`${h.tree}/bin/server`].value.text, sha256('the program, version 1\n'));
    assert.equal(byPath[`${h.tree}/out`].value.text, sha256('../../outside'), 'a link is told, not followed');
    const packages = await until('the packages are known', async () => { const a = await facts(owner, 'packages'); return a.items.length && a; });
    assert.deepEqual(packages.items.map((i) => [i.key, i.value.text]), [['libz:amd64', '1.2'], ['nginx:amd64', '1.22.1-9'], ['openssh-server:amd64', '1:9.2p1']]);
    const settings = await until('the settings are known', async () => { const a = await facts(owner, 'settings'); return a.items.length && a; });
    const login = settings.items.find((i) => i.key === 'sshd.permit_root_login');
    assert.deepEqual([login.value.text, login.value.file, login.verdict], ['yes', h.sshd, 'otherwise']);
    assert.equal(settings.items.find((i) => i.key === 'sshd.max_auth_tries').verdict, 'expected', 'what sshd does without a word is known');
    assert.deepEqual(await changes(owner, ''), []);
    assert.equal((await city.get(`/objects/${OBJECT}/facts`)).status, 404);

    // --- the clock of the host, as its kernel has it: a container may be refused the answer, and then that is what is said ---
    const clocks = await until('the clock is known', async () => { const x = (await owner.get(`/objects/${OBJECT}/facts`)).json; return x.hosts.some((y) => y.clock) && x; });
    const clock = clocks.hosts.find((x) => x.host === id).clock;
    assert.ok(['synchronised', 'unsynchronised', 'unreadable'].includes(clock.state), clock.state);
    assert.equal(clock.offset_ms === null, clock.state === 'unreadable');
    assert.deepEqual([clocks.time[clock.state], clocks.time.none, clocks.time.silent], [1, clocks.hosts.length - 1, 0]);
    const measured = (await owner.get(`/objects/${OBJECT}/document-facts`)).json.items.find((x) => x.measure === 'time_sync');
    assert.deepEqual([measured.state, measured.by], [clock.state === 'unreadable' ? 'not_measured' : 'measured', 'agent']);
    t.diagnostic(`the clock of this host is ${clock.state}`);

    // --- the passport: one file as it is, one otherwise, one that is missing ---
    const sum = (file, value) => ({ kind: 'checksum', file, algorithm: 'sha256', value, of: 'program' });
    let a = await owner.post(`/objects/${OBJECT}/passports`, { source: 'owner', items: [
        sum(`${h.tree}/bin/server`, sha256('the program, version 1\n')), sum('app.conf', sha256('listen = 443\n')), { kind: 'software', name: 'nginx', host: id, version: '1.22.1-9' }] });
    assert.equal(a.status, 201, a.bytes);
    await until('the sums are compared', async () => (await owner.get(`/objects/${OBJECT}/facts`)).json.checksums?.match === 2);
    let counts = (await owner.get(`/objects/${OBJECT}/facts`)).json.checksums;
    assert.deepEqual([counts.differs, counts.missing, counts.extra], [0, 0, 2]);

    // --- a change, seen by itself, explained by the owner, accepted by the centre ---
    writeFileSync(join(h.tree, 'bin/server'), 'the program, version 2\n');
    const seen = await until('the change is seen', async () => (await changes(owner, 'state=open')).find((x) => x.against === 'passport'));
    assert.deepEqual([seen.what, seen.key, seen.host, seen.after.text], ['changed', `${h.tree}/bin/server`, id, sha256('the program, version 2\n')]);
    assert.equal((await analyst.post('/integrity/explanations', { ids: [seen.id], kind: 'planned', reason: 'x' })).status, 403);
    assert.equal((await city.post('/integrity/explanations', { ids: [seen.id], kind: 'planned', reason: 'x' })).status, 404);
    const order = await owner.upload('order-12.pdf', Buffer.from('%PDF-1.4 order\n%%EOF\n'));
    a = await owner.post('/integrity/explanations', { ids: [seen.id], kind: 'planned', reason: 'Release 2, order No. 12', upload_id: order.json.id });
    assert.equal(a.status, 200, a.bytes);
    const explained = (await changes(analyst, 'state=explained'))[0];
    assert.deepEqual([explained.explanation.kind, explained.explanation.document.name], ['planned', 'order-12.pdf']);
    assert.equal(String((await analyst.get(`/integrity/changes/${seen.id}/document`)).bytes), '%PDF-1.4 order\n%%EOF\n');
    assert.equal((await city.get(`/integrity/changes/${seen.id}/document`)).status, 404);
    await later(2);
    assert.equal((await analyst.post('/integrity/decisions', { ids: [seen.id], decision: 'accept', note: 'seen' })).status, 200);
    assert.equal((await owner.get(`/objects/${OBJECT}/passports/2`)).json.items.find((i) => i.file === `${h.tree}/bin/server`).value, sha256('the program, version 2\n'));
    await until('the new passport fits', async () => (await owner.get(`/objects/${OBJECT}/facts`)).json.checksums.match === 2);
    assert.equal((await analyst.get(`/cases?object=${OBJECT}`)).json.items.length, 0);

    // --- a change that nobody explains: an event, an hour later ---
    writeFileSync(join(h.tree, 'bin/server'), 'something else\n');
    const strange = await until('the second change is seen', async () => (await changes(owner, 'state=open')).find((x) => x.against === 'passport'));
    await sleep(1500);
    assert.equal((await analyst.get(`/cases?object=${OBJECT}`)).json.items.length, 0);
    await later(1);
    const kase = await until('the event is there', async () => (await analyst.get(`/cases?object=${OBJECT}`)).json.items[0]);
    assert.equal(kase.state, 'detected');
    assert.equal(kase.kind, 'undetermined');
    const whole = (await analyst.get(`/cases/${kase.id}`)).json;
    assert.equal(whole.findings[0]['file.path'], strange.key);
    assert.equal((await changes(analyst, 'state=open')).find((x) => x.id === strange.id).case.number, kase.number);

    // --- the history of one file ---
    const key = encodeURIComponent(strange.key);
    const history = await changes(owner, `host=${encodeURIComponent(id)}&kind=files&key=${key}`);
    assert.deepEqual(history.map((x) => x.against).sort(), ['before', 'before', 'passport', 'passport']);

    // --- packages: beside the passport, by the ordinary way of observed things ---
    h.packages([['nginx', '1.24.0-1'], ['xmrig', '6.2'], ['openssh-server', '1:9.2p1']]);
    await until('the miner is seen', async () => (await owner.get(`/changes?object=${OBJECT}&state=open`)).json.items.some((x) => x.after?.name === 'xmrig'));
    const soft = (await owner.get(`/changes?object=${OBJECT}&state=open`)).json.items.filter((x) => x.kind === 'software');
    assert.ok(soft.some((x) => x.what === 'changed' && x.after.version === '1.24.0-1'));
    assert.ok(soft.every((x) => x.found_by === `agent:${id}`));

    // --- the file for a survey of updates and configurations ---
    const file = (await analyst.get(`/objects/${OBJECT}/facts-file?host=${encodeURIComponent(id)}`)).json;
    assert.equal(file.format, 'saqshy-facts');
    assert.deepEqual(file.packages.map((p) => p.name), ['nginx', 'openssh-server', 'xmrig']);
    assert.equal(file.settings.find((s) => s.id === 'sshd.permit_root_login').verdict, 'otherwise');

    writeFileSync(join(c.data, 'facts.json'), JSON.stringify(file));
    const scanned = await saqshy(['scan', '--json', '--covers', join(c.data, 'facts.json')]);
    assert.equal(scanned.code, 0, scanned.err);
    const lines = scanned.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    const wrong = lines.find((l) => l.check === 'sshd.permit_root_login' && l.severity === 'high');
    assert.deepEqual([wrong.tool, wrong.host], ['saqshy-agent', id]);
    assert.ok(lines.some((l) => l.check === 'sshd.max_auth_tries' && JSON.stringify(l).includes('passed')), 'what is as expected is a check that passed');

    // --- the same, at a press: the facts of hosts as they are now are results of such a survey ---
    const { ask } = api();
    const surveyor = await c.signedIn(c.accounts[await user(c, await c.signedIn('administrator'), 'surveyor', 'surveyor', 'sts')]);
    await conditions(c, analyst, owner, OBJECT);
    const day = new Date(c.now() + 5 * 3600_000).toISOString().slice(0, 10);
    const make = async (mode) => (await ask(surveyor, 'POST', '/surveys', { object_id: OBJECT, mode, kind: 'main', from_on: day, to_on: day, reason: 'an order' })).json;
    const step = async (who, s, name, body = {}) => { const x = await ask(who, 'POST', `/surveys/${s.id}/actions/${name}`, body); assert.equal(x.status, 200, x.bytes.toString()); return x.json; };
    const take = async (s, body = {}, who = surveyor) => ask(who, 'POST', `/surveys/${s.id}/facts`, body);
    let survey = await make('update_config');
    assert.equal((await take(survey)).status, 409, 'before the works began');
    survey = await step(surveyor, survey, 'start');
    await step(surveyor, survey, 'scope_add', { name: 'web', hosts: [id] });
    const elsewhere = await step(surveyor, await make('source_code'), 'start');
    let taken = await take(elsewhere);
    assert.deepEqual([taken.status, taken.json.field], [400, 'mode']);
    assert.equal((await owner.post(`/surveys/${survey.id}/facts`, {})).status, 403);
    taken = await take(survey, { hosts: ['no-such-host'] });
    assert.deepEqual([taken.status, taken.json.field], [400, 'hosts']);
    taken = await take(survey);
    assert.equal(taken.status, 200, taken.bytes.toString());
    const mine = taken.json.items.find((x) => x.host === id);
    assert.equal(mine.outcome, 'taken');
    assert.ok(taken.json.items.filter((x) => x.host !== id).every((x) => x.outcome === 'none' && x.result === null), 'no agent reports of the others');
    const read = async () => (await surveyor.get(`/surveys/${survey.id}`)).json;
    await until('the file is read', async () => (await read()).results.every((x) => x.state === 'applied'));
    survey = await read();
    assert.deepEqual(survey.results.map((x) => [x.name, x.sha256, x.outside]), [[`facts-${id}.json`, mine.sha256, 0]]);
    const kept = (await surveyor.get(`/surveys/${survey.id}/results/${mine.result}`)).bytes;
    assert.equal(createHash('sha256').update(kept).digest('hex'), mine.sha256);
    assert.equal(JSON.parse(kept).settings.find((x) => x.id === 'sshd.permit_root_login').value, 'yes');
    const found = (await surveyor.get(`/surveys/${survey.id}/vulnerabilities`)).json.items;
    assert.ok(found.some((x) => x.host === id), JSON.stringify(found.map((x) => [x.title, x.host])));
    taken = await take(survey, { hosts: [id.toUpperCase()] });
    assert.deepEqual(taken.json.items.map((x) => [x.outcome, x.result]), [['same', mine.result]], 'the same facts are no second file');
    assert.equal((await read()).results.length, 1);
    writeFileSync(h.sshd, 'PermitRootLogin no\n');
    h.packages([['nginx', '1.24.0-2'], ['xmrig', '6.2'], ['openssh-server', '1:9.2p1']]);
    await until('the new package is known', async () => (await facts(owner, 'packages')).items.some((x) => x.value.text === '1.24.0-2'));
    taken = await take(survey, { hosts: [id] });
    assert.deepEqual(taken.json.items.map((x) => x.outcome), ['taken'], 'what is new is a file of its own');
    await step(surveyor, survey, 'result_remove', { result: mine.result, reason: 'the older one' });
    const trail = (await (await c.signedIn('administrator')).get('/audit?limit=200')).json.items.map((x) => x.action);
    assert.ok(trail.filter((x) => x === 'survey.facts').length >= 3 && trail.includes('survey.result_add'));

    // --- facts opened no case by themselves, and no rule looked at them ---
    assert.equal((await analyst.get('/cases')).json.items.length, 1);

    // --- what a host said that is silent since is not how it is now: it proves nothing to a survey ---
    const had = (await read()).results.length;
    await c.stopAgent();
    c.advance(4 * 24 * 3600);
    const later4 = await c.signedIn(c.accounts['t-surveyor']);
    taken = await take(survey, { hosts: [id] }, later4);
    assert.deepEqual(taken.json.items.map((x) => [x.outcome, x.result]), [['silent', null]]);
    assert.equal((await later4.get(`/surveys/${survey.id}`)).json.results.length, had);
});

test('an agent that is killed in the middle of a snapshot loses nothing of it and repeats nothing', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    const h = host(c);
    configure(c, h);
    for (let d = 0; d < 40; d++) {
        mkdirSync(join(h.tree, `d${d}`));
        for (let f = 0; f < 60; f++) writeFileSync(join(h.tree, `d${d}/file-${f}-with-a-rather-long-name-so-that-parts-fill`), `${d} ${f}\n`.repeat(2000));
    }
    await c.start();
    const owner = await c.signedIn('registry');
    let resumed = 0;
    for (let i = 0; i < 8; i++) {
        c.startAgent();
        await sleep(300 + 70 * i);
        await c.stopAgent('SIGKILL');
        if (existsSync(join(c.data, 'agent/state/facts/files.part'))) resumed++;
    }
    c.startAgent();
    const known = await until('all files are known', async () => { const a = (await owner.get(`/objects/${OBJECT}/facts`)).json.hosts.flatMap((x) => x.states).find((x) => x.kind === 'files'); return a && a.items === 2404 && a; }, 120);
    assert.equal(known.stale, false);
    assert.deepEqual(await changes(owner, ''), [], 'a snapshot in pieces is no difference');
    // And in the middle of a change.
    writeFileSync(join(h.tree, 'd7/file-7-with-a-rather-long-name-so-that-parts-fill'), 'changed\n');
    await sleep(2500);
    await c.stopAgent('SIGKILL');
    unlinkSync(join(h.tree, 'd8/file-8-with-a-rather-long-name-so-that-parts-fill'));   /* while nobody watches */
    c.startAgent();
    const two = await until('both changes are seen', async () => { const x = await changes(owner, 'state=open'); return x.length === 2 && x; });
    assert.deepEqual(two.map((x) => x.what).sort(), ['changed', 'missing']);
    t.diagnostic(`${resumed} kills left a walk to go on with`);
});

test('a host speaks for itself alone: another certificate changes nothing of it, and a line of a log is no fact', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    const h = host(c), id = configure(c, h);
    await c.start();
    const owner = await c.signedIn('registry'), admin = await c.signedIn('administrator');
    c.startAgent();
    await until('the files are known', async () => (await facts(owner, 'files')).items.length === 4);
    // A second agent with a certificate of its own, whose lines say all that the first one's say.
    const pki = join(c.data, 'pki');
    const openssl = (args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    openssl(['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(pki, 'mallory.key'), '-out', join(pki, 'mallory.csr'), '-subj', '/CN=mallory']);
    writeFileSync(join(pki, 'mallory.ext'), 'extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n');
    openssl(['x509', '-req', '-in', join(pki, 'mallory.csr'), '-CA', join(pki, 'ca.pem'), '-CAkey', join(pki, 'ca.key'), '-CAcreateserial', '-days', '30', '-extfile', join(pki, 'mallory.ext'), '-out', join(pki, 'mallory.pem')]);
    writeFileSync(join(h.tree, 'app.conf'), 'listen = 4444\n');
    const other = readFileSync(join(c.data, 'agent/agent.yaml'), 'utf8').replace(/^id:.*$/m, 'id: mallory').replace(/^state:.*$/m, `state: ${c.data}/mallory`)
        .replace(/cert:.*$/m, `cert: ${pki}/mallory.pem`).replace(/ key:.*$/m, ` key: ${pki}/mallory.key`);
    await c.stopAgent();
    writeFileSync(join(c.data, 'mallory.yaml'), other);
    const out = openSync(c.log, 'a');
    const child = spawn(bin('saqshy-agent'), ['--config', join(c.data, 'mallory.yaml')], { stdio: ['ignore', out, out], env: { ...process.env, ...c.env } });
    t.after(() => child.kill('SIGKILL'));
    const strangers = await until('the stranger is seen', async () => { const u = (await admin.get('/integrity/hosts')).json.unknown; return u.length && u[0].states.length === 4 && u; });
    assert.deepEqual(strangers.map((x) => [x.host, x.object]), [['mallory', null]]);
    assert.equal((await facts(owner, 'files')).items.find((i) => i.key.endsWith('app.conf')).value.text, sha256('listen = 443\n'));
    assert.deepEqual(await changes(owner, ''), []);
    assert.deepEqual((await owner.get('/integrity/hosts')).json.unknown, []);
    // A line of a log that reads like a part, from a host that has an agent.
    const line = JSON.stringify({ 'event.kind': 'state', 'event.dataset': 'saqshy.files', 'saqshy.parser': 'facts', kind: 'files', scan: '9000000000000000000', total: 0, over: 0, roots: [], part: 1, last: true, items: [], gone: [] });
    const log = join(c.data, 'host/app.log');
    writeFileSync(log, '');
    writeFileSync(join(c.data, 'agent/agent.yaml'), readFileSync(join(c.data, 'agent/agent.yaml'), 'utf8') + `files:\n  - path: ${log}\n    program: facts\n`);
    c.startAgent();
    writeFileSync(log, `${line}\n`);
    await until('the line is an event', async () => (await c.events('saqshy.files')).some((e) => e['event.original'] === line));
    await until('our own change came', async () => (await changes(owner, 'state=open')).length === 1);
    assert.equal((await facts(owner, 'files')).items.length, 4);
    assert.equal((await owner.get(`/objects/${OBJECT}/facts`)).json.hosts.find((x) => x.host === id).refused, 0);
});
