// requests.test.mjs - what the centre asks of owners and owners declare: through the real API, with a clock that is moved.
//
// One centre with the demonstration registry and a person of each role. Every answer is compared with docs/openapi.yaml. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { api, user } from './lib/api.mjs';
import { centre, sendSyslog, until } from './lib/centre.mjs';

let c, admin, p = {};
const HOUR = 3600, DAY = 24 * HOUR;
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const now = () => at(c.now());
/** The day at Almaty (UTC+5), some days from now. */
const day = (days = 0) => new Date(c.now() + (days * DAY + 5 * HOUR) * 1000).toISOString().slice(0, 10);

const { ask, get } = api();
const open = async (who, kind, objects, values) => {
    const a = await ask(who, 'POST', '/requests', { kind, object_ids: [objects].flat(), values });
    assert.equal(a.status, 201, `${kind}: ${a.bytes}`);
    return Array.isArray(objects) ? a.json.items : get(who, `/requests/${a.json.items[0].id}`);
};
const act = async (who, request, name, body = {}) => {
    const a = await ask(who, 'POST', `/requests/${request.id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const refused = async (who, request, name, body, status, field) => {
    const a = await ask(who, 'POST', `/requests/${request.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    if (field) assert.equal(a.json.field, field, `${name}: ${a.bytes}`);
    return a.json;
};
const attach = async (who, request, role, name, content, more = {}) => {
    const up = await who.upload(name, Buffer.from(content));
    assert.ok(up.status < 300, up.bytes.toString());
    const a = await ask(who, 'POST', `/requests/${request.id}/files`, { upload_id: up.json.id, role, ...more });
    assert.equal(a.status, 201, a.bytes.toString());
    return a.json;
};
const clock = (request, obligation) => request.clocks.filter((k) => k.obligation === obligation).at(-1);
const state = (request, obligation) => clock(request, obligation)?.state;
const due = async (obligation, from) => (await p.lead.get(`/obligations/${obligation}/due?from=${encodeURIComponent(from)}`)).json.due;
const same = (a, b) => assert.equal(Date.parse(a), Date.parse(b));

const PEOPLE = { admin: 'admin', analyst: 'analyst', owner: 'registry', city: 'city' };

async function person(name, role, org) { PEOPLE[name] = await user(c, admin, name, role, org); }
async function signIn() {
    for (const [name, login] of Object.entries(PEOPLE)) p[name] = await c.signedIn(c.accounts[login]);
    admin = p.admin;
}
/** Time goes on; the sessions have ended meanwhile. */
async function later(seconds) {
    c.advance(seconds);
    await signIn();
}

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    admin = await c.signedIn('administrator');
    for (const [name, role, org] of [['lead', 'centre_lead', 'sts'], ['lead2', 'centre_lead', 'sts'], ['surveyor', 'surveyor', 'sts'], ['documents', 'document_auditor', 'sts'],
        ['list', 'authorised_body', 'knb'], ['audit', 'auditor', null], ['cii', 'cii_responsible', 'registry-centre'], ['owneradmin', 'owner_administrator', 'registry-centre']])
        await person(name, role, org);
    await signIn();
});
after(async () => { await c?.remove(); });

const OBJECT = 'state-register', OTHER = 'city-portal';

test('R-8-01, R-8-03, D-01: the notice of putting into operation is kept only when the letter and the electronic part are both recorded', async () => {
    let r = await open(p.owner, 'commissioning', OBJECT, { commissioned_on: day(-1) });
    assert.equal(r.state, 'awaited');
    same(clock(r, 'D-01').due, await due('D-01', day(-1)));
    assert.ok(clock(r, 'D-01').arithmetic.length > 2);
    await refused(p.owner, r, 'send_information', { confirmed: false }, 400, 'confirmed');
    r = await act(p.owner, r, 'send_information', { confirmed: true });
    assert.equal(state(r, 'D-01'), 'running');
    assert.match(r.values.information_sha256, /^[0-9a-f]{64}$/);
    assert.equal(r.values.information.official_name ?? r.values.information.name, 'Мемлекеттік тізілім ақпараттық жүйесі');
    const lacks = (await p.owner.get(`/registry/objects/${OBJECT}/annex1`)).json.missing;
    assert.deepEqual(r.values.information_missing, lacks, 'what the form wants and the registry lacks is said');
    const sent = (await p.owner.get(`/notices/${r.notices.at(-1).id}`)).json;
    assert.equal(sent.form?.id ?? null, lacks.length ? null : 'annex1', 'without gaps it goes out on the form of Annex 1');
    await refused(p.owner, r, 'record_paper', { letter_number: '1-2/3', letter_date: day(), letter_received_on: day() }, 403);
    await refused(p.analyst, r, 'record_paper', { letter_number: '1-2/3', letter_date: day(), letter_received_on: day(-1) }, 400, 'letter_received_on');
    r = await act(p.analyst, r, 'record_paper', { letter_number: '1-2/3', letter_date: day(), letter_received_on: day() });
    assert.deepEqual([r.state, r.ended, state(r, 'D-01')], ['complete', true, 'fulfilled']);
    same(clock(r, 'D-01').fulfilled_at, r.values.information_sent_at);
    assert.ok(r.timeline.some((t) => t.kind === 'record_paper' && t.values.letter_number === '1-2/3'));
    const inRegistry = (await p.owner.get(`/registry/objects/${OBJECT}`)).json;
    assert.equal(inRegistry.value.commissioned_on, day(-1));
});

test('a foreign organisation neither sees a request nor opens one about another’s object', async () => {
    const [mine] = (await get(p.owner, '/requests?side=all')).items;
    assert.equal((await ask(p.city, 'GET', `/requests/${mine.id}`)).status, 404);
    assert.equal((await ask(p.city, 'POST', `/requests/${mine.id}/actions/send_information`, { confirmed: true })).status, 404);
    const a = await ask(p.city, 'POST', '/requests', { kind: 'commissioning', object_ids: [OBJECT], values: { commissioned_on: day() } });
    assert.deepEqual([a.status, a.json.field], [400, 'object_ids']);
    assert.deepEqual((await get(p.city, '/requests?side=all')).items, []);
});

test('R-8-02, R-8-03, D-02: the end of operation, the letter first; too late is shown by the clock', async () => {
    let r = await open(p.city, 'termination', OTHER, { terminated_on: day(-40), reason: 'taken out of use' });
    assert.equal(state(r, 'D-02'), 'overdue');
    r = await act(p.analyst, r, 'record_paper', { letter_number: '77', letter_date: day(-2), letter_received_on: day(-1) });
    assert.equal(state(r, 'D-02'), 'overdue');
    assert.equal(r.state, 'awaited');
    r = await act(p.city, r, 'send_information', { confirmed: true });
    assert.deepEqual([r.state, state(r, 'D-02')], ['complete', 'fulfilled']);
    assert.ok(Date.parse(clock(r, 'D-02').fulfilled_at) > Date.parse(clock(r, 'D-02').due));
    r = await act(p.analyst, r, 'archive', { note: 'out of the list' });
    assert.deepEqual([r.state, r.ended, r.actions.length], ['archived', true, 0]);
});

test('R-15-01, R-15-02, R-15-03, D-03: one request to many owners; the term runs from its receipt; what is incomplete is returned', async () => {
    const sent = await open(p.analyst, 'information', [OBJECT, OTHER], { text: 'To form the list of ISM objects.' });
    assert.equal(sent.length, 2);
    const inbox = (await p.owner.get('/inbox')).json.items;
    assert.ok(inbox.length > 0, 'the owner has it in the inbox');
    const again = await ask(p.analyst, 'POST', '/requests', { kind: 'information', object_ids: [OBJECT], values: { text: 'x' } });
    assert.deepEqual([again.status, again.json.field], [409, 'object_ids']);
    let mine = await get(p.owner, `/requests/${sent[0].id}`), theirs = await get(p.city, `/requests/${sent[1].id}`);
    assert.equal(mine.batch, theirs.batch);
    assert.ok(mine.batch);
    assert.deepEqual([mine.clocks.length, mine.waits], [0, 'owner']);
    mine = await act(p.owner, mine, 'receive');
    same(clock(mine, 'D-03').due, await due('D-03', mine.values.received_at));
    await refused(p.analyst, theirs, 'record_receipt', { received_at: at(c.now() - DAY * 1000), proof: 'a stamp' }, 400, 'received_at');
    theirs = await act(p.analyst, theirs, 'record_receipt', { received_at: now(), proof: 'a stamp of the registry' });
    mine = await act(p.owner, mine, 'send_information', { confirmed: true });
    assert.equal(state(mine, 'D-03'), 'fulfilled');
    mine = await act(p.analyst, mine, 'return', { reason: 'no list of components' });
    assert.equal(state(mine, 'D-03'), 'running');
    same(clock(mine, 'D-03').due, await due('D-03', mine.values.received_at));
    mine = await act(p.owner, mine, 'send_information', { confirmed: true });
    mine = await act(p.analyst, mine, 'register', {});
    assert.deepEqual([mine.state, state(mine, 'D-03')], ['registered', 'fulfilled']);
    await later(20 * DAY);
    const late = (await get(p.city, '/requests?side=mine')).items.find((x) => x.id === theirs.id);
    assert.deepEqual([late.overdue, late.next_due.obligation], [true, 'D-03']);
    assert.equal(state(await get(p.lead, `/requests/${theirs.id}`), 'D-03'), 'overdue');
    theirs = await act(p.analyst, theirs, 'withdraw', { reason: 'the object is out of operation' });
    assert.deepEqual([theirs.ended, state(theirs, 'D-03')], [true, 'cancelled']);
});

const contact = { person_name: 'Болат Ахметов', person_phone: '+7 000 000 00 09', person_email: 'ahmetov@registry.example', person_language: 'kk' };

test('R-16-01, D-04: 48 hours from the change that the owner declares; a check that fails asks for it', async () => {
    const changed = at(c.now() - 47 * HOUR * 1000);
    let r = await open(p.owner, 'contact_change', OBJECT, { changed_at: changed });
    assert.deepEqual([r.state, state(r, 'D-04')], ['changed', 'running']);
    assert.equal(Date.parse(clock(r, 'D-04').due) - Date.parse(changed), 48 * HOUR * 1000);
    r = await act(p.owner, r, 'send_contacts', contact);
    assert.deepEqual([r.state, state(r, 'D-04'), r.waits], ['sent', 'fulfilled', 'centre']);
    r = await act(p.analyst, r, 'record', {});
    assert.equal(r.state, 'recorded');
    const at_once = await open(p.owner, 'contact_change', OBJECT, { changed_at: at(c.now() - 60 * HOUR * 1000), ...contact });
    assert.deepEqual([at_once.state, state(at_once, 'D-04')], ['sent', 'fulfilled']);
    assert.ok(Date.parse(clock(at_once, 'D-04').fulfilled_at) > Date.parse(clock(at_once, 'D-04').due), 'sent minus changed shows that it was late');
    const future = await ask(p.owner, 'POST', '/requests', { kind: 'contact_change', object_ids: [OBJECT], values: { changed_at: at(c.now() + DAY * 1000) } });
    assert.deepEqual([future.status, future.json.field], [400, 'changed_at']);
    const reach = (await p.owner.get(`/objects/${OBJECT}`)).json.contacts;
    assert.ok(reach.some((x) => x.name === contact.person_name && x.email === contact.person_email), 'the registry has the new person');
});

test('R-16-01, D-04: each month the centre checks that contacts can be reached; who cannot be reached is asked, and no clock runs before they say when', async () => {
    const tasks = async () => (await get(p.analyst, '/requests?kind=contact_check&side=mine&limit=1000')).items;
    const due = await until('the tasks of the month are there', async () => { const t = await tasks(); return t.some((x) => x.object.id === OBJECT) && t; });
    assert.equal((await p.owner.get(`/requests/${due[0].id}`)).status, 404, 'the work of the centre');
    let mine = await get(p.analyst, `/requests/${due.find((x) => x.object.id === OBJECT).id}`);
    mine = await act(p.analyst, mine, 'record_failed', { reason: 'the number does not answer' });
    assert.deepEqual([mine.state, mine.ended], ['failed', true]);
    const asked = (await get(p.owner, '/requests?kind=contact_change&side=mine')).items.find((x) => x.number === mine.values.raised);
    let r = await get(p.owner, `/requests/${asked.id}`);
    assert.deepEqual([r.state, r.clocks.length, r.values.check], ['suspected', 0, mine.number]);
    r = await act(p.owner, r, 'declare', { changed_at: at(c.now() - 10 * HOUR * 1000) });
    assert.deepEqual([r.state, state(r, 'D-04')], ['changed', 'running']);
    r = await act(p.owner, r, 'send_contacts', { ...contact, person_name: 'Сәуле Қасым' });
    r = await act(p.analyst, r, 'record', {});
    assert.deepEqual([r.state, state(r, 'D-04')], ['recorded', 'fulfilled']);
    const others = await tasks();
    const ok = await act(p.analyst, others[0], 'record_ok', { reached_by: 'telephone' });
    assert.equal(ok.state, 'ok');
    assert.ok(!(await tasks()).some((x) => x.id === ok.id));
    const [third] = await tasks();
    const inPage = await p.analyst.post(`/registry/contacts/${(await get(p.analyst, `/requests/${third.id}`)).values.contact_id}/checks`, { ok: true, note: 'met in person' });
    assert.ok(inPage.status < 300, inPage.bytes.toString());
    await until('a check in the registry’s page does the task', async () => !(await tasks()).some((x) => x.id === third.id));
    const last = Math.max(...others.map((x) => Number(x.id)));
    await later(32 * DAY);
    await until('the tasks of the next month are there', async () => (await tasks()).some((x) => Number(x.id) > last && x.object.id === OBJECT));
});

const GOOD = '23:04:2025 09:05:00;srv1;user root logged in\n23:04:2025 09:05:01;srv1;"a; b"\n', BAD = '23.04.2025 09:05:00;srv1;user root logged in\n';

test('R-12-07, R-12-08, D-07: a planned change of logging, five business days before, with formats and description; then before and after', async () => {
    const change = at(c.now() + 20 * DAY * 1000);
    let r = await open(p.owner, 'logging_change', OBJECT, { planned: true, change_at: change, log_class: 'os-unix', text: 'rsyslog instead of syslog-ng' });
    same(clock(r, 'D-07').due, await due('D-07', change));
    await refused(p.owner, r, 'notify', {}, 400, 'files.formats');
    r = await attach(p.owner, r, 'formats', 'formats.txt', 'date;host;text');
    await refused(p.owner, r, 'notify', {}, 400, 'files.format_description');
    r = await attach(p.owner, r, 'format_description', 'description.txt', 'the date is dd:mm:yyyy');
    assert.equal(r.files[1].sha256, createHash('sha256').update('the date is dd:mm:yyyy').digest('hex'));
    r = await act(p.owner, r, 'notify', {});
    assert.deepEqual([r.state, state(r, 'D-07'), r.values.notice_late ?? false], ['notified', 'fulfilled', false]);
    const letter = (await p.analyst.get(`/notices/${r.notices.at(-1).id}`)).json;
    assert.deepEqual(letter.files.map((f) => f.sha256), r.files.map((f) => f.sha256), 'formats and description travel with the notice');
    assert.equal(letter.form.id ?? letter.form.form, 'logging_change');
    assert.match(letter.pdf_sha256, /^[0-9a-f]{64}$/);
    const near = at(c.now() + DAY * 1000);
    r = await act(p.owner, r, 'move', { change_at: near, reason: 'the supplier comes earlier' });
    assert.equal(r.values.notice_late, true);
    r = await act(p.owner, r, 'move', { change_at: change, reason: 'the supplier comes later after all' });
    assert.equal(r.values.notice_late, false);
    r = await act(p.owner, r, 'made', { made_at: now() });
    r = await act(p.analyst, r, 'compare', { before: GOOD, after: BAD });
    assert.deepEqual([r.state, r.values.comparison.verdict, r.values.comparison.before.remarks], ['non_conforming', 'non_conforming', 0]);
    assert.equal(r.values.comparison.after.first[0].row, 'R-A4-DT1');
    r = await act(p.owner, r, 'compare', { before: GOOD, after: GOOD });
    assert.deepEqual([r.state, r.values.comparison.verdict, r.ended], ['verified', 'conforming', true]);
    const file = await p.owner.request('GET', `/api/v1/requests/${r.id}/files/${r.files[0].id}`);
    assert.deepEqual([file.status, file.bytes.toString(), file.headers['content-disposition'].split(';')[0]], [200, 'date;host;text', 'attachment']);
    assert.equal((await p.city.request('GET', `/api/v1/requests/${r.id}/files/${r.files[0].id}`)).status, 404);
    const inNotice = await p.analyst.request('GET', `/api/v1/notices/${letter.id}/files/${letter.files[0].sha256}`);
    assert.equal(inNotice.bytes.toString(), 'date;host;text');
    const taken = (await admin.get('/audit?q=document.read')).json.items.map((x) => `${x.login} ${x.target} ${x.detail}`);
    for (const row of [`registry request/${r.id} ${r.files[0].sha256}`, `analyst notice/${letter.id} ${r.files[0].sha256}`])
        assert.ok(taken.includes(row), `a file that was taken out is in the audit trail: ${row}`);
});

test('R-12-07, D-07: too late a notice is taken and said; a change without a plan has no timer', async () => {
    let r = await open(p.owner, 'logging_change', OBJECT, { planned: true, change_at: at(c.now() + DAY * 1000), log_class: 'os-unix', text: 'audit rules' });
    assert.equal(state(r, 'D-07'), 'overdue');
    r = await act(p.owner, r, 'made', { made_at: now() });
    await refused(p.owner, r, 'compare', { before: GOOD, after: GOOD }, 409);
    for (const role of ['formats', 'format_description']) r = await attach(p.owner, r, role, `${role}.txt`, role);
    r = await act(p.owner, r, 'notify', {});
    assert.deepEqual([r.state, r.values.notice_late, state(r, 'D-07')], ['made', true, 'fulfilled']);
    assert.ok(r.timeline.some((t) => t.kind === 'late_notice' && t.obligation === 'D-07'));
    const missing = await ask(p.owner, 'POST', '/requests', { kind: 'logging_change', object_ids: [OBJECT], values: { planned: false, change_at: now(), log_class: 'db', text: 'x' } });
    assert.deepEqual([missing.status, missing.json.field], [400, 'values.reason']);
    const bare = await open(p.owner, 'logging_change', OBJECT, { planned: false, change_at: now(), log_class: 'db', text: 'the disk failed', reason: 'an accident' });
    assert.deepEqual([bare.state, bare.clocks.length], ['made', 0]);
});

test('R-11-01, R-11-02, R-11-03, R-11-04, R-11-05, R-11-07, R-11-08, R-11-09, R-11-10: access as a check-list with evidence and own lines', async () => {
    let r = await open(p.analyst, 'access', OBJECT, {});
    assert.deepEqual(r.items.map((i) => i.row), ['R-11-02', 'R-11-03', 'R-11-04', 'R-11-05', 'R-11-06', 'R-11-07', 'R-11-08', 'R-11-09', 'R-11-10']);
    assert.ok(r.items.every((i) => i.state === 'required' && i.title.length > 20));
    await refused(p.owner, r, 'set_item', { item: 'R-11-04', state: 'provided', count: 1 }, 400, 'count');
    r = await act(p.owner, r, 'set_item', { item: 'R-11-04', state: 'provided', count: 2, note: 'room 12' });
    await refused(p.owner, r, 'set_item', { item: 'R-11-05', state: 'provided' }, 409);
    await act(p.analyst, r, 'record_test', { tested_at: now(), workplace: 1, result: 'ok' });
    await act(p.surveyor, r, 'record_test', { tested_at: now(), workplace: 2, result: 'failed', note: 'no route at 03:00' });
    await refused(p.owner, r, 'set_item', { item: 'R-11-05', state: 'provided' }, 409);
    await act(p.surveyor, r, 'record_test', { tested_at: now(), workplace: 2, result: 'ok' });
    r = await act(p.owner, r, 'set_item', { item: 'R-11-05', state: 'provided' });
    assert.equal(r.values.tests.length, 3);
    const up = await p.surveyor.upload('rack.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]));
    const bare = await ask(p.surveyor, 'POST', `/requests/${r.id}/files`, { upload_id: up.json.id, role: 'photo', item: 'R-11-08' });
    assert.deepEqual([bare.status, bare.json.field], [400, 'captured_at']);
    const placed = await ask(p.surveyor, 'POST', `/requests/${r.id}/files`, { upload_id: up.json.id, role: 'photo', item: 'R-11-08', captured_at: now(), place: 'server room 3, rack 7' });
    assert.deepEqual([placed.status, placed.json.files[0].place, placed.json.files[0].item], [201, 'server room 3, rack 7', 'R-11-08']);
    r = await act(p.surveyor, r, 'record_visit', { visited_at: now(), place: 'server room 3', visitors: 'Surveyor', accompanied_by: 'Айгүл Сейтқали' });
    assert.equal(r.values.visits[0].accompanied_by, 'Айгүл Сейтқали');
    r = await act(p.analyst, r, 'add_item', { title: 'A badge for the night' });
    await refused(p.analyst, r, 'settle', {}, 409);
    for (const i of r.items.filter((x) => x.state === 'required'))
        r = await act(p.owner, r, 'set_item', { item: i.code, state: i.code === 'R-11-10' ? 'refused' : 'provided', note: 'said by the owner' });
    r = await act(p.analyst, r, 'settle', {});
    assert.deepEqual([r.state, r.values.refused], ['settled', 1]);
});

test('R-11-06: the centre’s role at the owner’s collector is granted, tested, and each use of it stands in the audit trail', async () => {
    let r = await open(p.analyst, 'collector_access', OBJECT, { text: 'A role with all operations, by paragraph 11.' });
    r = await act(p.owner, r, 'grant', { host: 'lcs.registry.example', role_name: 'sts_all', configured_in: '/etc/graylog/roles.yaml: sts_all, permissions "*"', granted_on: day() });
    await refused(p.analyst, r, 'record_use', { used_at: now(), operation: 'x', reason: 'y' }, 409);
    r = await act(p.analyst, r, 'record_test', { tested_at: now(), result: 'ok', operations: 'read, search, export, delete of a test index' });
    r = await act(p.analyst, r, 'record_use', { used_at: now(), operation: 'export of the night of 12 May', reason: 'case 2026-000001' });
    assert.equal(r.values.uses[0].operation, 'export of the night of 12 May');
    const trail = (await admin.get('/audit?q=request.record_use')).json.items;
    assert.ok(trail.some((x) => x.target === `request/${r.id}` && x.outcome === 'ok'));
    r = await act(p.owner, r, 'revoke', { revoked_on: day(), reason: 'end of the test' });
    assert.ok(r.ended);
});

test('R-4-03, R-4-04, R-4-05: an exclusion is proposed with its ground and approved by somebody else', async () => {
    const values = { ground: 'state_secret_resource', basis: 'letter 5-k of 2026', reason: 'holds state secrets' };
    let r = await open(p.lead, 'exclusion', OTHER, values);
    assert.equal((await ask(p.city, 'GET', `/requests/${r.id}`)).status, 404);
    await refused(p.lead, r, 'approve', {}, 403);
    await refused(p.analyst, r, 'approve', {}, 403);
    r = await act(p.lead2, r, 'approve', {});
    assert.deepEqual([r.state, r.values.approved_by], ['excluded', 'centre_lead lead2']);
    assert.equal((await get(p.city, `/requests/${r.id}`)).state, 'excluded');
    r = await act(p.lead, r, 'end', { ended_on: day(), reason: 'the register was moved' });
    assert.ok(r.ended);
});

test('R-19-01, R-19-02, R-19-03, R-20-01, R-20-02, R-20-03, D-21, D-22: the CII list, 90 days to connect and to designate, the connection confirmed by the OCIB', async () => {
    const ocib = (await admin.post('/organisations', { name: 'АҚЖО', kind: 'ocib', bin: null, email: null })).json;
    const plant = await admin.post('/registry/objects', { value: { name: 'Жылу станциясы', org_id: 'registry-centre', ocib_id: ocib.id, is_ego: false }, reason: 'a test' });
    assert.equal(plant.status, 201, plant.bytes.toString());
    const [ID] = [plant.json.id];
    await person('ocib', 'ocib_analyst', ocib.id);
    await signIn();
    const values = { included_on: day(-5), basis: 'order 77 of the authorised body' };
    const ego = await ask(p.list, 'POST', '/requests', { kind: 'cii_connection', object_ids: [OBJECT], values });
    assert.deepEqual([ego.status, ego.json.field], [400, 'object_ids'], 'an object of e-government is not for chapter 3');
    let r = await open(p.list, 'cii_connection', ID, values);
    for (const d of ['D-21', 'D-22']) same(clock(r, d).due, await due(d, day(-5)));
    assert.ok(clock(r, 'D-22').arithmetic.some((x) => x.includes('Q-26')), 'the reading is said');
    await refused(p.cii, r, 'choose_mode', { mode: 'third_party' }, 400, 'contractor');
    r = await act(p.cii, r, 'choose_mode', { mode: 'third_party', contractor: 'Security LLP', contract_number: '17', contract_date: day(-1) });
    r = await act(p.cii, r, 'designate', { designated_on: day(), ...contact });
    assert.deepEqual([state(r, 'D-22'), state(r, 'D-21'), r.state], ['fulfilled', 'running', 'listed']);
    const named = (await get(p.cii, `/registry/objects/${ID}/contacts`)).items.filter((x) => x.value.role === 'responsible_person');
    assert.deepEqual(named.map((x) => x.person.name), [contact.person_name], 'who was designated stands in the registry and is notified from now on');
    const connection = { connected_at: now(), cii_monitoring_system: 'SIEM of the plant', ocib_technical_means: 'collector 3' };
    r = await act(p.cii, r, 'declare_connection', connection);
    assert.deepEqual([r.state, state(r, 'D-21')], ['declared', 'running']);
    r = await act(p.ocib, r, 'decline_connection', { reason: 'no events arrive' });
    assert.equal(r.state, 'listed');
    r = await act(p.cii, r, 'declare_connection', connection);
    await refused(p.cii, r, 'confirm_connection', {}, 403);
    r = await act(p.ocib, r, 'confirm_connection', {});
    assert.deepEqual([r.state, state(r, 'D-21')], ['connected', 'fulfilled']);
    r = await act(p.ocib, r, 'disconnect', { disconnected_at: now(), reason: 'the contract ended' });
    r = await act(p.ocib, r, 'declare_connection', { ...connection, connected_at: now() });
    await refused(p.ocib, r, 'confirm_connection', {}, 403);
    r = await act(p.analyst, r, 'confirm_connection', {});
    assert.equal(r.state, 'connected', 'what the operational centre declared the centre confirms');
    r = await act(p.cii, r, 'say_no_provider', { since_at: now(), reason: 'nobody offers it here' });
    assert.equal(r.state, 'no_ocib_provider');
    assert.deepEqual((await get(p.list, '/requests?side=all')).items.map((x) => x.id), [r.id], 'the authorised body sees its list and nothing else');
    r = await act(p.list, r, 'delist', { delisted_on: day(), delisting_basis: 'order 80', reason: 'closed' });
    assert.ok(r.ended);
    r = await open(p.list, 'cii_connection', ID, { ...values, included_on: day(-100) });
    assert.equal(state(r, 'D-21'), 'overdue');
    r = await act(p.list, r, 'delist', { delisted_on: day(), delisting_basis: 'order 81', reason: 'by mistake' });
    assert.deepEqual([state(r, 'D-21'), state(r, 'D-22')], ['cancelled', 'cancelled']);
});

test('R-14-01, R-14-02, R-14-04, D-16: notice before a document survey; copies signed and sealed, or said to be missing', async () => {
    const past = await ask(p.documents, 'POST', '/requests', { kind: 'document_survey', object_ids: [OBJECT], values: { survey_from: day(-1) } });
    assert.deepEqual([past.status, past.json.field], [400, 'values.survey_from'], 'the notice goes before the survey');
    let r = await open(p.documents, 'document_survey', OBJECT, { survey_from: day(30) });
    assert.equal(r.items.length, 27);
    assert.equal((await ask(p.owner, 'GET', `/requests/${r.id}`)).status, 404, 'not before the notice is sent');
    r = await act(p.documents, r, 'send_notice', { text: 'The survey begins in a month.' });
    r = await act(p.owner, r, 'receive', {});
    same(clock(r, 'D-16').due, await due('D-16', r.values.received_at));
    await refused(p.owner, r, 'send_copies', { confirmed: true }, 409);
    for (const i of r.items) r = await act(p.owner, r, 'set_item', { item: i.code, state: i.code === 'cable_journal' ? 'missing' : 'provided', approved: true, signed: i.code !== 'is_policy', sealed: true });
    await refused(p.owner, r, 'send_copies', { confirmed: true }, 400, 'items');
    r = await act(p.owner, r, 'set_item', { item: 'is_policy', state: 'provided', approved: true, signed: true, sealed: false, version: '3 of 2025' });
    // A mark alone is no copy: each has a file, or the centre says how it was handed over.
    await refused(p.owner, r, 'send_copies', { confirmed: true }, 400, 'files.document');
    const attach = async (code) => {
        const up = await p.owner.upload(`${code}.pdf`, Buffer.from(`%PDF-1.4 ${code}`));
        const a = await p.owner.post(`/requests/${r.id}/files`, { upload_id: up.json.id, role: 'document', item: code });
        assert.equal(a.status, 201, a.bytes.toString());
    };
    const [first, second, ...rest] = r.items.filter((i) => i.code !== 'cable_journal').map((i) => i.code);
    for (const code of rest) await attach(code);
    await refused(p.owner, r, 'send_copies', { confirmed: true }, 400, 'files.document');
    const paper = { item: second, received_by: 'A. Serikova', received_at: now(), number: 'in. 17', reason: 'For official use: paper on the spot alone.' };
    await refused(p.owner, r, 'record_copy', paper, 403);
    await refused(p.documents, r, 'record_copy', { ...paper, number: undefined }, 400, 'number');
    await refused(p.documents, r, 'record_copy', { ...paper, received_at: at(c.now() + 3_600_000) }, 400, 'received_at');
    await refused(p.documents, r, 'record_copy', { ...paper, item: 'no_such' }, 400, 'item');
    r = await act(p.documents, r, 'record_copy', paper);
    const kept = (i) => r.items.find((x) => x.code === i).values;
    assert.deepEqual([kept(second).paper_number, kept(second).paper_received_by, kept(second).paper_reason, kept(second).signed], ['in. 17', 'A. Serikova', paper.reason, true]);
    await refused(p.owner, r, 'set_item', { item: first, state: 'provided', approved: true, signed: true, paper_number: 'in. 18' }, 400);
    r = await act(p.owner, r, 'set_item', { item: second, state: 'provided', approved: true, signed: true });
    assert.equal(kept(second).paper_number, 'in. 17', 'what the centre recorded is not undone by a mark');
    await refused(p.owner, r, 'send_copies', { confirmed: true }, 400, 'files.document');
    assert.equal(state(r, 'D-16'), 'running');
    await attach(first);
    r = await act(p.owner, r, 'send_copies', { confirmed: true });
    assert.deepEqual([r.state, r.values.missing, r.values.complete, state(r, 'D-16')], ['td_received', 1, false, 'fulfilled']);
    assert.equal(r.items[0].row, 'R-A3.1-01');
});

test('R-23-01, D-26: vulnerabilities of a critical object, 30 calendar days from the receipt, until the correction stands', async () => {
    let r = await open(p.analyst, 'vulnerability_notice', OBJECT, { sender: 'sts', title: 'CVE-2026-0001', text: 'remote code execution' });
    r = await act(p.cii, r, 'receive', {});
    same(clock(r, 'D-26').due, await due('D-26', r.values.received_at));
    r = await act(p.cii, r, 'correct', { corrected_at: now(), actions: 'updated' });
    assert.equal(state(r, 'D-26'), 'fulfilled');
    r = await act(p.analyst, r, 'dispute', { reason: 'the old version answers' });
    assert.equal(state(r, 'D-26'), 'running');
    same(clock(r, 'D-26').due, await due('D-26', r.values.received_at));
    r = await act(p.cii, r, 'correct', { corrected_at: now(), actions: 'updated and restarted' });
    r = await act(p.analyst, r, 'confirm', {});
    assert.ok(r.ended);
});

test('R-7-02: data of conformity testing are taken in with their protocol and handed over into a passport', async () => {
    let r = await open(p.analyst, 'testing_data', OBJECT, { tested_kind: 'information_system', protocol_number: '17', protocol_date: day(-100) });
    assert.equal((await ask(p.owner, 'GET', `/requests/${r.id}`)).status, 404, 'the work of the centre');
    await refused(p.analyst, r, 'hand_over', { passport_version: 1 }, 400, 'files.document');
    r = await attach(p.analyst, r, 'document', 'protocol.pdf', '%PDF-1.4 test');
    await refused(p.analyst, r, 'hand_over', { passport_version: 1 }, 400, 'passport_version');
    const passport = await p.analyst.post(`/objects/${OBJECT}/passports`, { source: 'conformity_testing', tested_kind: 'information_system', reference: r.number,
        received_on: day(), note: null, items: [{ kind: 'software', host: 'web-1', name: 'nginx', version: '1.26' }] });
    assert.equal(passport.status, 201, passport.bytes.toString());
    r = await act(p.analyst, r, 'hand_over', { passport_version: passport.json.version });
    assert.ok(r.ended);
});

test('R-10.2-09: a consultation is asked and given outside of cases', async () => {
    let r = await open(p.owner, 'consultation', OBJECT, { title: 'TLS of the portal', text: 'Which versions may stay?' });
    assert.equal((await get(p.surveyor, '/requests?side=mine')).items[0].id, r.id);
    r = await act(p.surveyor, r, 'give', { answer: '1.2 and 1.3' });
    assert.deepEqual([r.ended, r.values.answer], [true, '1.2 and 1.3']);
});

/** One step of the onboarding of the object. */
const step = async (who, name, body = {}) => {
    const a = await ask(who, 'POST', `/objects/${OBJECT}/onboarding/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const noStep = async (who, name, body, status, field) => {
    const a = await ask(who, 'POST', `/objects/${OBJECT}/onboarding/actions/${name}`, body);
    assert.deepEqual([a.status, a.json.field], [status, field], `${name}: ${a.bytes}`);
};
const done = (o, row) => { const s = o.steps.find((x) => x.row === row); return s.of > 0 && s.done === s.of; };
const ids = (o, want) => o.sources.filter(want).map((x) => x.id);

test('R-10.1-01, R-10.1-02, R-10.1-03: the list of logs is proposed by component, changed and approved; where each agent goes is said', async () => {
    let o = await get(p.analyst, `/objects/${OBJECT}/onboarding`);
    assert.deepEqual([o.sources.length, o.collector, o.sending], [0, null, null]);
    await p.analyst.post(`/objects/${OBJECT}/passports`, { source: 'owner', tested_kind: null, reference: null, received_on: day(), note: null, items: [
        { kind: 'hardware', name: 'registry-web-1', host: 'registry-web-1', version: 'Debian GNU/Linux 12' },
        { kind: 'software', name: 'PostgreSQL', host: 'registry-db-1', version: '16' }, { kind: 'software', name: 'saltstack', host: 'registry-web-1' },
        { kind: 'hardware', name: 'Сапфир', host: 'waf-1', protection: true }] });
    o = await step(p.owner, 'collector', { name: 'Graylog', host: 'lcs.registry.example', contour: 'internal', same_network: true, kept_days: 1100 });
    assert.deepEqual(o.warnings, ['other_contour'], 'the object stands in the external contour');
    await noStep(p.owner, 'propose', {}, 403, undefined);
    o = await step(p.analyst, 'propose');
    const known = (component) => o.sources.filter((x) => x.component === component).map((x) => `${x.class} ${x.log} ${x.agent} ${x.rule}`);
    assert.deepEqual(known('registry-web-1'), ['os-unix audit server unix', 'os-unix messages lcs unix', 'os-unix secure lcs unix']);
    assert.deepEqual(known('PostgreSQL'), ['db postgresql lcs postgresql']);
    assert.deepEqual(known('Сапфир'), ['sec events lcs protection']);
    assert.deepEqual(known('saltstack'), [], '"alt" is no word of "saltstack"');
    const count = o.sources.length;
    assert.equal((await step(p.analyst, 'propose')).sources.length, count, 'a second proposal adds nothing');
    o = await step(p.analyst, 'add', { component: 'portal', host: 'registry-web-1', class: 'app', log: 'portal', path: '/var/log/portal.log', agent: 'server', protection: false });
    const [added] = ids(o, (x) => x.log === 'portal');
    o = await step(p.analyst, 'edit', { source: added, host: 'registry-web-1', path: '/var/log/portal/app.log', agent: 'lcs', protection: false, note: 'moved' });
    assert.equal(o.sources.find((x) => x.id === added).path, '/var/log/portal/app.log');
    assert.ok(!done(o, 'R-10.1-01'));
    o = await step(p.analyst, 'retire', { sources: ids(o, (x) => x.component === 'registry-db-1' || x.log === 'portal') });
    o = await step(p.lead, 'approve', { sources: ids(o, (x) => x.state === 'proposed') });
    assert.ok(done(o, 'R-10.1-01'));
    assert.ok(o.sources.filter((x) => x.state === 'identified').every((x) => x.approved_by === 'centre_lead lead'));
    await noStep(p.lead, 'approve', { sources: ids(o, (x) => x.state === 'identified') }, 409, 'sources.0');
});

test('R-12-02, R-12-03, R-12-04, R-12-05, R-12-06: the owner organises logging, collection and transfer, log by log', async () => {
    let o = await get(p.owner, `/objects/${OBJECT}/onboarding`);
    assert.ok(done(o, 'R-12-04') && !done(o, 'R-12-02') && !done(o, 'R-12-03'));
    await noStep(p.owner, 'to_lcs', { sources: ids(o, (x) => x.state === 'identified') }, 409, 'sources.0');
    o = await step(p.owner, 'logging_organised', { sources: ids(o, (x) => x.state === 'identified' && !x.protection) });
    assert.ok(done(o, 'R-12-02') && !done(o, 'R-12-03'));
    o = await step(p.owner, 'logging_organised', { sources: ids(o, (x) => x.state === 'identified') });
    o = await step(p.owner, 'to_lcs', { sources: ids(o, (x) => x.state === 'logging_organised') });
    assert.ok(done(o, 'R-12-03') && done(o, 'R-12-05') && done(o, 'R-12-06'));
    assert.equal((await p.city.get(`/objects/${OBJECT}/onboarding`)).status, 404);
});

test('R-12-09: conditions of sending are proposed by one side and agreed by the other', async () => {
    const conditions = { address: 'siem.sts.example', port: 4318, protocol: 'otlp_https', credentials_reference: 'certificate of agent-1' };
    await step(p.owner, 'sending', conditions);
    await noStep(p.owner, 'agree', { version: 1, agreed_on: day() }, 403, undefined);
    let o = await step(p.analyst, 'sending', { ...conditions, port: 443 });
    await noStep(p.owner, 'agree', { version: 1, agreed_on: day() }, 409, 'version');
    assert.ok(!done(o, 'R-12-09'));
    o = await step(p.owner, 'agree', { version: 2, agreed_on: day() });
    assert.ok(done(o, 'R-12-09'));
    assert.deepEqual([o.sending.values.port, o.sending.agreed_on], [443, day()]);
});

test('R-10.1-04, R-10.1-05: the list is laid beside what arrives: arriving, silent, and what nobody listed', async () => {
    let o = await get(p.analyst, `/objects/${OBJECT}/onboarding`);
    o = await step(p.analyst, 'agent_installed', { sources: ids(o, (x) => x.state === 'to_lcs') });
    assert.ok(o.sources.filter((x) => x.stored === 'agent_installed').every((x) => x.state === 'silent'), 'nothing has come yet');
    await sendSyslog(c.ports.syslog, ['registry-web-1', 'registry-db-1'].map((host) => `<38>1 ${now()} ${host} sshd 4000 - - Accepted password for ann from 192.0.2.7 port 40000 ssh2`));
    o = await until('what arrives is seen', async () => {
        const x = await get(p.analyst, `/objects/${OBJECT}/onboarding`);
        return x.sources.some((s) => s.state === 'to_siem') && x.unlisted.length ? x : null;
    }).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    const arriving = o.sources.filter((s) => s.state === 'to_siem');
    assert.deepEqual([...new Set(arriving.map((s) => `${s.host} ${s.class}`))], ['registry-web-1 os-unix']);
    assert.ok(o.unlisted.some((s) => s.host === 'registry-db-1'));
    await later(2 * HOUR);
    o = await get(p.analyst, `/objects/${OBJECT}/onboarding`);
    assert.ok(o.sources.filter((s) => s.stored === 'agent_installed').every((s) => s.state === 'silent'));
});

test('bad bodies name the field, and nothing is half-saved', async () => {
    const count = async () => (await get(p.analyst, '/requests?side=all&limit=1000')).items.length;
    const was = await count();
    for (const [body, field] of [[{}, 'kind'], [{ kind: 'nonsense', object_ids: [OBJECT], values: {} }, 'kind'], [{ kind: 'access', object_ids: [], values: {} }, 'object_ids'],
        [{ kind: 'access', object_ids: [OBJECT, OBJECT], values: {} }, 'object_ids'], [{ kind: 'access', object_ids: [OTHER], values: { stray: 1 } }, 'values.stray'],
        [{ kind: 'access', object_ids: [OTHER, 'nowhere'], values: {} }, 'object_ids'], [{ kind: 'access', object_ids: [OTHER], values: {}, more: 1 }, 'more'],
        [{ kind: 'information', object_ids: [OTHER], values: { text: '' } }, 'values.text'], [{ kind: 'access', object_ids: OTHER, values: {} }, 'object_ids'],
        ...['0001-01-01', '1899-12-31', '9999-12-31'].map((d) => [{ kind: 'commissioning', object_ids: [OTHER], values: { commissioned_on: d } }, 'values.commissioned_on']),
        [{ kind: 'contact_check', object_ids: [OTHER], values: { month: 'spring', contact_id: 'nobody' } }, 'values.contact_id'],
        [{ kind: 'access', object_ids: [7], values: {} }, 'object_ids'], [{ kind: 'access', object_ids: [OTHER], values: [] }, 'values']]) {
        const a = await ask(p.analyst, 'POST', '/requests', body);
        assert.deepEqual([a.status, a.json.field], [400, field], JSON.stringify(body));
    }
    assert.equal(await count(), was);
    assert.equal((await ask(p.audit, 'POST', '/requests', { kind: 'access', object_ids: [OTHER], values: {} })).status, 403);
    const [told] = (await admin.get('/audit?limit=1')).json.items;
    assert.deepEqual([told.login, told.outcome, told.target], ['t-audit', 'refused', 'POST /api/v1/requests'], 'what a role does not have is refused, and told');
});

test('pages of requests follow one another', async () => {
    const all = (await get(p.analyst, '/requests?side=all&limit=1000')).items.map((x) => x.id);
    const seen = [];
    for (let before = ''; before !== null;) {
        const page = await get(p.analyst, `/requests?side=all&limit=3${before && `&before=${before}`}`);
        seen.push(...page.items.map((x) => x.id));
        before = page.next;
    }
    assert.deepEqual(seen, all);
});
