// api.test.mjs - docs/openapi.yaml against the running server: each path and method, each role, each answer by its schema.
//
// One centre with the demonstration registry; its cases come from lines that a real sshd would write. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import tls from 'node:tls';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { listen } from './lib/stream.mjs';
import { centre, until, sendSyslog } from './lib/centre.mjs';
import { openapi, ROLE_NAMES } from './portal/openapi.mjs';

const spec = openapi();
// What any operation may answer, as the description at the head of the file says.
const ANY = new Set([400, 403, 405, 429, 431, 500, 503]);
const SHA = '0123456789abcdef'.repeat(4);
let c, admin, analyst, officer, own, foreign;
const people = {}; // a signed-in client for each role

/** The answer fits the description; the problems are the message if not. */
function fits(method, path, a) {
    let p = spec.problems(method, path, a.status, a.json);
    if (p.some((x) => x.includes('is not described')) && ANY.has(a.status)) p = spec.schemaProblems('Error', a.json);
    assert.deepEqual(p, [], `${method} ${path} → ${a.status} ${a.bytes.toString().slice(0, 300)}`);
    return a;
}
const ask = async (client, method, path, body) => fits(method, path, await client.request(method, /^\/(i18n|metrics|health)/.test(path) ? path : `/api/v1${path}`, body));

const attack = (host, address) => Array.from({ length: 14 }, (_, i) =>
    `<38>1 ${new Date(c.now() + i).toISOString()} ${host} sshd ${4000 + i} - - Failed password for root from ${address} port ${40000 + i} ssh2`);

/** Somebody of a role: the centre's people are of the centre, others of the officer's organisation. */
async function newcomer(role) {
    const password = 'correct horse battery staple 7';
    const org_id = /^(centre_|surveyor$|document_auditor$)/.test(role) ? 'sts' : (await officer.get('/session')).json.user.org_id;
    const a = await admin.post('/users', { login: role.replaceAll('_', '-'), name: role, role, org_id, language: 'en', password });
    assert.equal(a.status, 201, a.bytes.toString());
    const client = c.client();
    assert.equal((await client.signIn(role.replaceAll('_', '-'), password)).status, 200);
    return client;
}

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    [admin, analyst, officer] = [await c.signedIn('administrator'), await c.signedIn('centre_analyst'), await c.signedIn('owner_officer')];
    Object.assign(people, { administrator: admin, centre_analyst: analyst, owner_officer: officer });
    for (const role of ROLE_NAMES.filter((r) => !people[r])) people[role] = await newcomer(role);
    const mine = (await officer.get('/objects')).json.items, all = (await admin.get('/objects')).json.items;
    own = mine.find((o) => o.hosts.length);
    foreign = all.find((o) => o.hosts.length && !mine.some((m) => m.id === o.id));
    assert.ok(own && foreign, `the demonstration has objects of two organisations: ${JSON.stringify(all)}`);
});
after(async () => { await c?.remove(); });

test('strangers are turned away from everything but the four open paths', async () => {
    for (const { method, path, id, roles } of spec.operations()) {
        const real = path.replace('{lang}', 'kk').replace('{sha256}', SHA).replace(/\{[^}]+\}/g, '1');
        const a = await ask(c.client(), method, real, method === 'GET' || method === 'DELETE' ? undefined : {});
        if (['signIn'].includes(id)) assert.equal(a.status, 400);
        else assert.equal(a.status === 401, roles.length > 0, `${method} ${real}: ${a.status}`);
    }
});

test('each operation admits the roles it names and no other', async () => {
    for (const { method, path, id, roles } of spec.operations()) {
        if (['signIn', 'signOut', 'streamChanges', 'tailEvents', 'getCatalogue', 'getMetrics', 'getHealth'].includes(id)) continue;
        const real = path.replace('{sha256}', SHA).replace('{name}', 'comment').replace('/obligations/{id}', '/obligations/D-99').replace(/\{[^}]+\}/g, 'nobody-has-this');
        for (const [role, client] of Object.entries(people)) {
            const a = await ask(client, method, real, method === 'GET' ? undefined : {});
            // The links of a node are shown to the administrator of the organisation that it speaks for; here it speaks for none (tests/link.test.mjs).
            if (path.startsWith('/link') && role === 'owner_administrator' && a.status === 403) continue;
            if (roles.includes(role)) assert.notEqual(a.json?.code, 'forbidden', `${method} ${real} as ${role}: ${a.status} ${a.bytes}`);
            else assert.deepEqual([a.status, a.json.code], [403, 'forbidden'], `${method} ${real} as ${role}`);
            if (real.includes('nobody-has-this') && roles.includes(role) && method === 'GET') assert.equal(a.status, 404, `${method} ${real} as ${role}`);
        }
    }
});

test('an attack on two organisations: each officer sees own cases, events and sources, the analyst all', async () => {
    await sendSyslog(c.ports.syslog, [...attack(own.hosts[0], '203.0.113.7'), ...attack(foreign.hosts[0], '203.0.113.8')]);
    const cases = await until('both cases are open', async () => {
        const items = (await ask(analyst, 'GET', '/cases')).json.items;
        return [own, foreign].every((o) => items.some((x) => x.object?.id === o.id)) ? items : null;
    }).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    const theirs = cases.find((x) => x.object?.id === foreign.id);
    for (const x of cases) await ask(analyst, 'GET', `/cases/${x.id}`);
    assert.equal((await ask(officer, 'GET', `/cases/${theirs.id}`)).status, 404);
    assert.equal((await ask(officer, 'POST', `/cases/${theirs.id}/actions/comment`, { text: 'x' })).status, 404);
    assert.equal((await ask(officer, 'GET', `/objects/${foreign.id}`)).status, 404);
    assert.ok(!(await ask(officer, 'GET', '/cases')).json.items.some((x) => x.object?.id === foreign.id));
    assert.ok((await ask(officer, 'GET', '/clocks')).json.items.every((k) => k.object?.id !== foreign.id));
    const events = async (client) => (await ask(client, 'GET', '/events?q=%22Failed%20password%22&limit=1000')).json.items;
    await until('all lines are found', async () => (await events(analyst)).length >= 28);
    assert.ok((await events(officer)).length >= 14);
    assert.ok((await events(officer)).every((e) => e['saqshy.object'] === own.id));
    assert.ok((await events(admin)).length >= 28);
    await until('both sources are listed', async () => (await ask(analyst, 'GET', '/sources')).json.items.filter((s) => [own.id, foreign.id].includes(s.object?.id)).length >= 2);
    assert.ok((await ask(officer, 'GET', '/sources')).json.items.every((s) => s.object?.id === own.id || s.object === null || s.object.id !== foreign.id));
    assert.ok((await ask(officer, 'GET', '/organisations')).json.items.length < (await ask(admin, 'GET', '/organisations')).json.items.length);
});

test('pages of events follow one another without a gap or a repetition', async () => {
    const whole = (await ask(analyst, 'GET', '/events?q=%22Failed%20password%22&limit=1000')).json;
    const seen = [];
    for (let before = ''; before !== null;) {
        const page = (await ask(analyst, 'GET', `/events?q=%22Failed%20password%22&limit=5${before ? `&before=${encodeURIComponent(before)}` : ''}`)).json;
        seen.push(...page.items);
        before = page.next;
    }
    assert.deepEqual(seen.map((e) => e['saqshy.seq']), whole.items.map((e) => e['saqshy.seq']));
    assert.equal(new Set(seen.map((e) => e['saqshy.seq'])).size, seen.length);
    const [from, to] = [new Date(c.now() - 3600e3).toISOString(), new Date(c.now() + 3600e3).toISOString()];
    const h = (await ask(analyst, 'GET', `/events/histogram?q=%22Failed%20password%22&from=${from}&to=${to}&buckets=12`)).json;
    assert.equal(h.buckets.length, 12);
    assert.equal(h.total, seen.length);
    assert.equal(h.buckets.reduce((n, b) => n + b.count, 0), h.total);
    assert.ok(h.buckets.every((b, i) => i === 0 || b.from === h.buckets[i - 1].to));
});

test('a query that makes no sense is refused with the column', async () => {
    for (const path of ['/events?q=', '/events/histogram?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&q=', '/events/tail?q=']) {
        const a = await ask(analyst, 'GET', `${path}${encodeURIComponent('қате AND (')}`);
        assert.deepEqual([a.status, a.json.code], [400, 'bad_query'], path);
        assert.ok(a.json.at >= 9 && a.json.at <= 11, `at ${a.json.at}`);
    }
    for (const path of ['/events?limit=0', '/events?limit=1001', '/events?from=yesterday', '/events?before=x', '/events?q=a&q=b', '/cases?limit=x', '/events/histogram?q=a'])
        assert.equal((await ask(analyst, 'GET', path)).status, 400, path);
});

test('the whole registry can be read, and written by administrators', async () => {
    for (const path of ['/session', '/clocks', '/cases?open=true&limit=2', '/objects', '/organisations', '/users', '/sources', '/rules', '/audit?limit=5', '/edition',
        '/obligations/D-05/due?from=2026-03-20T23:50%2B05:00', '/obligations/D-12/due?from=2026-03-19']) assert.equal((await ask(admin, 'GET', path)).status, 200, path);
    for (const path of ['/inbox', '/clocks', '/cases', '/objects', '/edition', '/organisations']) assert.equal((await ask(officer, 'GET', path)).status, 200, path);
    const org = (await ask(admin, 'POST', '/organisations', { name: 'Сынақ ұйымы', kind: 'owner', bin: '990140000106', email: 'a@b.kz' }));
    assert.equal(org.status, 201);
    assert.equal((await ask(admin, 'PUT', `/organisations/${org.json.id}`, { name: 'Сынақ ұйымы 2', kind: 'owner', bin: null, email: null })).status, 200);
    const input = { name: 'Нысан', org_id: org.json.id, criticality: 'high', contour: null, hosts: ['api-test-host'], contacts: [], active: true };
    const object = await ask(admin, 'POST', '/objects', input);
    assert.equal(object.status, 201);
    assert.equal((await ask(admin, 'POST', '/objects', input)).status, 409);
    assert.equal((await ask(admin, 'PUT', `/objects/${object.json.id}`, { ...input, name: 'Нысан 2' })).status, 200);
    assert.equal((await ask(admin, 'GET', `/objects/${object.json.id}`)).json.name, 'Нысан 2');
    for (const wrong of [{}, { ...input, extra: 1 }, { ...input, name: '' }, { ...input, hosts: 'x' }, { ...input, criticality: 'huge' }]) {
        const a = await ask(admin, 'POST', '/objects', wrong);
        assert.deepEqual([a.status, a.json.code], [400, 'bad_request'], JSON.stringify(wrong));
    }
    const person = { login: 'api.test', name: 'Сынақ', role: 'owner_officer', org_id: org.json.id, language: 'kk', email: null, password: 'a-long-enough-phrase-7' };
    const user = await ask(admin, 'POST', '/users', person);
    assert.equal(user.status, 201);
    assert.equal((await ask(admin, 'POST', '/users', person)).status, 409);
    assert.equal((await ask(admin, 'PUT', `/users/${user.json.id}`, { name: 'Сынақ 2', role: 'owner_officer', org_id: org.json.id, language: 'ru', email: null, active: true })).status, 200);
    const rule = (await ask(admin, 'GET', '/rules')).json.items[0];
    const set = await ask(admin, 'PUT', `/rules/${encodeURIComponent(rule.id)}/policy`, { auto_notify: !rule.auto_notify });
    assert.deepEqual([set.status, set.json.auto_notify], [200, !rule.auto_notify]);
    await ask(admin, 'PUT', `/rules/${encodeURIComponent(rule.id)}/policy`, { auto_notify: rule.auto_notify });
    assert.equal((await ask(admin, 'GET', '/audit')).json.chain.ok, true);
});

const sharedRules = new URL('../../shared/spec/rules-kk.txt', import.meta.url);
const ROWS = Array.from({ length: 18 }, (_, i) => `R-2-${String(i + 1).padStart(2, '0')}`);
test(`R-1-01 ${ROWS.join(' ')} the words that the Rules define, each with its item, in three languages, under the law they come from`, async () => {
    const e = (await ask(officer, 'GET', '/edition')).json;
    assert.deepEqual(e.definitions.map((d) => d.row), ROWS);
    assert.match(e.basis.kk, /Ақпараттандыру туралы.*7-1-бабының 7\)/);
    for (const d of e.definitions) for (const k of ['kk', 'ru', 'en']) assert.ok(d.term[k].length > 2 && d.meaning[k].length > 30, `${d.row} ${k}`);
    assert.equal(e.definitions[6].term.ru, 'событие информационной безопасности');
    assert.match(e.definitions[10].meaning.kk, /іркілістер$/);
});

test('the definitions are word for word those of the Rules', { skip: existsSync(sharedRules) ? false : 'the text of the Rules is not beside this folder' }, async () => {
    const plain = (s) => s.replace(/\(\s*бұдан әрі –\s*([^()]*)\)/g, '($1)').replace(/[\s"]+/g, '');
    const law = plain(readFileSync(sharedRules, 'utf8'));
    for (const d of (await ask(officer, 'GET', '/edition')).json.definitions)
        assert.ok(law.includes(plain(`${Number(d.row.slice(4))}) ${d.term.kk} – ${d.meaning.kk}`)), d.row);
});

test('a session begins, is remembered by its cookie alone, and ends', async () => {
    const person = { login: 'api.test', password: 'a-long-enough-phrase-7' }, client = c.client();
    const wrong = await ask(client, 'POST', '/session', { ...person, password: 'another' });
    assert.deepEqual([wrong.status, wrong.json.code, wrong.headers['set-cookie']], [401, 'bad_credentials', undefined]);
    const a = await client.signIn(person.login, person.password);
    fits('POST', '/session', a);
    const cookie = a.headers['set-cookie'][0];
    for (const flag of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/']) assert.ok(cookie.includes(flag), cookie);
    assert.ok(!cookie.includes('Domain'));
    assert.equal((await ask(client, 'PUT', '/session/language', { language: 'en' })).status, 204);
    assert.equal((await ask(client, 'GET', '/session')).json.user.language, 'en');
    assert.equal((await ask(client, 'PUT', '/session/language', { language: 'de' })).status, 400);
    assert.equal((await ask(client, 'POST', '/session/password', { old: 'wrong', new: 'another-long-phrase-8' })).status, 403);
    assert.equal((await ask(client, 'POST', '/session/password', { old: person.password, new: 'short' })).status, 400);
    const other = c.client();
    await other.signIn(person.login, person.password);
    assert.equal((await ask(client, 'POST', '/session/password', { old: person.password, new: 'another-long-phrase-8' })).status, 204);
    assert.equal((await ask(other, 'GET', '/session')).status, 401, 'other sessions end with the old password');
    const token = client.csrf;
    for (const bad of ['', 'x'.repeat(64)]) {
        client.csrf = bad;
        const refused = await ask(client, 'PUT', '/session/language', { language: 'kk' });
        assert.deepEqual([refused.status, refused.json.code], [403, 'bad_csrf']);
    }
    client.csrf = token;
    const forged = await client.request('PUT', '/api/v1/session/language', { language: 'kk' }, { Origin: 'https://evil.example' });
    assert.equal(forged.status, 403);
    const kept = client.cookie;
    assert.equal((await ask(client, 'DELETE', '/session')).status, 204);
    client.cookie = kept;
    assert.equal((await ask(client, 'GET', '/session')).status, 401);
});

test('guessing passwords ends in a lock-out that says how long', async () => {
    const client = c.client();
    let a;
    for (let i = 0; i < 8; i++) {
        a = await ask(client, 'POST', '/session', { login: 'nobody.at.all', password: `guess ${i}` });
        if (a.status === 429) break;
    }
    assert.equal(a.status, 429);
    assert.ok(a.json.retry_after > 0);
    assert.equal(a.headers['retry-after'], String(a.json.retry_after));
    assert.equal(a.json.code, 'locked_out');
});

test('refusals speak the language that is asked for', async () => {
    for (const [language, words] of [['kk-KZ,kk;q=0.9', /кіріңіз/], ['ru', /Войдите/], ['en-GB', /sign in/]]) {
        const a = await c.client().request('GET', '/api/v1/cases', undefined, { 'Accept-Language': language });
        assert.match(a.json.title, words);
    }
});

test('the stream tells the analyst of a new case, and the officer of own ones only', async () => {
    const [a, o] = [await listen(analyst, '/stream'), await listen(officer, '/stream')];
    assert.equal(a.type, 'text/event-stream');
    const known = new Set((await analyst.get('/cases?limit=1000')).json.items.map((x) => x.id));
    await sendSyslog(c.ports.syslog, [...attack(own.hosts[0], '198.51.100.23'), ...attack(foreign.hosts[0], '198.51.100.24')]);
    await until('a change of a case is told', () => a.messages.some((m) => m.data.type === 'case')).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    for (const m of a.messages) assert.deepEqual(spec.schemaProblems('Change', m.data), []);
    const cases = (await analyst.get('/cases?limit=1000')).json.items;
    const theirs = new Set(cases.filter((x) => x.object?.id !== own.id).map((x) => x.id));
    assert.ok(o.messages.every((m) => m.data.type !== 'case' || !theirs.has(m.data.id)), JSON.stringify(o.messages));
    assert.ok(known.size > 0);
    a.close();
    o.close();
});

test('the tail shows events as they are stored, to the officer own ones only', async () => {
    const q = encodeURIComponent('tailmark');
    const [a, o] = [await listen(analyst, `/events/tail?q=${q}`), await listen(officer, `/events/tail?q=${q}`)];
    const line = (host) => `<38>1 ${new Date(c.now()).toISOString()} ${host} app 1 - - tailmark from ${host}`;
    await sendSyslog(c.ports.syslog, [line(foreign.hosts[0]), line('no-such-host'), line(own.hosts[0])]);
    await until('all three are shown', () => a.messages.length >= 3);
    await until('the own one is shown', () => o.messages.length >= 1);
    for (const m of a.messages) {
        assert.deepEqual(spec.schemaProblems('Event', m.data), []);
        assert.equal(m.id, m.data['saqshy.seq']);
    }
    assert.ok(o.messages.every((m) => m.data['saqshy.object'] === own.id), JSON.stringify(o.messages));
    a.close();
    o.close();
});

test('a document is given to who may see its case, whole and as PDF', async () => {
    const theirs = (await analyst.get('/cases?limit=1000')).json.items.find((x) => x.object?.id === own.id && x.state === 'detected');
    const x = (await analyst.get(`/cases/${theirs.id}`)).json, live = await listen(officer, '/stream');
    assert.equal((await ask(analyst, 'POST', `/cases/${x.id}/actions/notify`, { annex7: x.annex7, recommendations: 'Оқшаулаңыз', detection_kind: 'event' })).status, 200);
    // Only now does the officer hear of it.
    await until('the officer is told of the case and of the letter', () => ['case', 'inbox'].every((t) => live.messages.some((m) => m.data.type === t)));
    assert.ok(live.messages.filter((m) => m.data.type === 'case').every((m) => m.data.id === x.id));
    live.close();
    const doc = (await ask(officer, 'GET', `/cases/${x.id}`)).json.documents[0];
    const pdf = await officer.request('GET', `/api/v1/documents/${doc.sha256}`);
    assert.equal(pdf.status, 200);
    assert.equal(pdf.headers['content-type'], 'application/pdf');
    assert.equal(pdf.bytes.subarray(0, 5).toString(), '%PDF-');
    assert.equal(pdf.bytes.length, doc.size_bytes);
    assert.match(pdf.headers['content-disposition'], /^inline/);
    assert.equal((await ask(officer, 'GET', `/documents/${doc.sha256}?format=json`)).status, 200);
    const stranger = await c.signedIn({ login: 'api.test', password: 'another-long-phrase-8' });
    assert.equal((await ask(stranger, 'GET', `/documents/${doc.sha256}`)).status, 404);
    assert.equal((await ask(stranger, 'GET', `/cases/${x.id}`)).status, 404);
    const letter = (await ask(officer, 'GET', '/inbox')).json.items.find((i) => i.case_id === x.id);
    assert.equal((await ask(stranger, 'POST', `/inbox/${letter.id}/read`)).status, 404);
    assert.ok((await ask(officer, 'POST', `/inbox/${letter.id}/read`)).json.read_at);
    assert.equal((await ask(analyst, 'POST', `/cases/${x.id}/actions/analyse`, {})).json.code, 'wrong_state');
});

test('a file comes in pieces, goes on after a break, and belongs to who brought it', async () => {
    const content = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(1_700_000, 'сақшы')]);
    const begun = await ask(officer, 'POST', '/uploads', { name: 'сызба.pdf', size_bytes: content.length }), id = begun.json.id;
    const piece = (client, at, n) => ask(client, 'PUT', `/uploads/${id}?offset=${at}`, content.subarray(at, at + n));
    assert.equal((await piece(officer, 0, 700_000)).json.offset, 700_000);
    assert.equal((await piece(officer, 0, 700_000)).status, 409); // said already: the answer got lost
    for (const other of [analyst, admin]) for (const a of [await piece(other, 700_000, 10), await ask(other, 'GET', `/uploads/${id}`)]) assert.equal(a.status, 404);
    assert.equal((await ask(officer, 'GET', `/uploads/${id}`)).json.offset, 700_000);
    await piece(officer, 700_000, 700_000);
    assert.equal((await ask(officer, 'PUT', `/uploads/${id}?offset=1400000`, Buffer.alloc(700_000))).json.field, 'body'); // beyond the size
    const whole = (await piece(officer, 1_400_000, 700_000)).json;
    assert.deepEqual([whole.sha256, whole.type, whole.offset], [createHash('sha256').update(content).digest('hex'), 'application/pdf', content.length]);
    for (const size_bytes of [0, -1, 2 ** 40, '9', null]) assert.equal((await ask(officer, 'POST', '/uploads', { name: 'x', size_bytes })).json.field, 'size_bytes');
    for (const name of ['', 'ы'.repeat(300), 5]) assert.equal((await ask(officer, 'POST', '/uploads', { name, size_bytes: 5 })).json.field, 'name');
    const codes = [];
    for (let i = 0; i < 17; i++) codes.push((await ask(officer, 'POST', '/uploads', { name: 'x', size_bytes: 5 })).status);
    assert.deepEqual([codes[0], codes.at(-1)], [201, 429]);
});

test('health and metrics say how the roles are', async () => {
    const health = await ask(c.client(), 'GET', '/health');
    assert.equal(health.json.status, 'ok');
    assert.deepEqual(Object.keys(health.json.roles).sort(), ['desk', 'detect', 'index', 'ingest', 'keys']);
    const metrics = (await c.client().request('GET', '/metrics')).bytes.toString();
    assert.match(metrics, /^saqshy_portal_requests_total\{class="2xx"\} [1-9]/m);
    assert.match(metrics, /^saqshy_ingest_/m);
    assert.match(metrics, /^saqshy_desk_open_cases \d+/m);
    assert.match(metrics, /^saqshy_desk_rows_waiting 0$/m);
    assert.match(metrics, /^saqshy_desk_findings_waiting 0$/m);
});

/** Bytes over a raw TLS connection, until it ends. */
function raw(text) {
    return new Promise((done, fail) => {
        const s = tls.connect({ host: '127.0.0.1', port: c.ports.portal, ca: c.ca });
        let out = '';
        s.on('data', (d) => (out += d));
        s.on('error', (e) => (out ? done(out) : fail(e)));
        s.on('close', () => done(out));
        s.write(text);
    });
}

test('odd requests get one answer, with the security headers, and the end of the connection', async () => {
    const H = 'Host: 127.0.0.1\r\n';
    for (const [name, text, status] of [
        ['two lengths', `POST /api/v1/session HTTP/1.1\r\n${H}Content-Length: 0\r\nContent-Length: 40\r\n\r\nGET /health HTTP/1.1\r\n${H}\r\n`, 400],
        ['chunks and a length', `POST /api/v1/session HTTP/1.1\r\n${H}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n${H}\r\n`, 501],
        ['a bare line feed', `GET / HTTP/1.1\r\n${H}X: y\nZ: z\r\n\r\n`, 400],
        ['a folded header', `GET / HTTP/1.1\r\n${H}X: y\r\n z\r\n\r\n`, 400],
        ['too long a head', `GET / HTTP/1.1\r\n${H}X: ${'y'.repeat(17000)}\r\n\r\n`, 431],
        ['too long a body', `POST /api/v1/session HTTP/1.1\r\n${H}Content-Length: 1048577\r\n\r\n{`, 413],
        ['no HTTP at all', 'hello\r\n\r\n', 400],
    ]) {
        const answer = await raw(text);
        assert.equal(Number(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1]), status, `${name}: ${answer.slice(0, 200)}`);
        assert.equal(answer.match(/HTTP\/1\.1 \d+ /g).length, 1, name);
        assert.ok(answer.includes("Content-Security-Policy: default-src 'self'"), name);
    }
});
