// documents.test.mjs - the story of a survey of documents: through the real API, with a clock that is moved.
//
// One centre with the demonstration registry. An auditor, the owner of an object, somebody of another organisation. Every answer is compared with
// docs/openapi.yaml; every letter is fetched as PDF and read. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { api, user } from './lib/api.mjs';
import { listen } from './lib/stream.mjs';
import { centre, run, sendSyslog, until } from './lib/centre.mjs';

let c, admin, p = {};
const HOUR = 3600, DAY = 24 * HOUR;
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
/** The day at Almaty (UTC+5), some days from now. */
const day = (days = 0) => new Date(c.now() + (days * DAY + 5 * HOUR) * 1000).toISOString().slice(0, 10);

const { ask, get } = api();
const all = async (who, path) => {
    const items = [];
    for (let next = ''; next !== null;) {
        const page = await get(who, `${path}${path.includes('?') ? '&' : '?'}limit=40${next ? `&before=${next}` : ''}`);
        items.push(...page.items);
        next = page.next;
    }
    return items;
};
const act = async (who, survey, name, body = {}) => {
    const a = await ask(who, 'POST', `/document-surveys/${survey.id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const refused = async (who, survey, name, body, status, field) => {
    const a = await ask(who, 'POST', `/document-surveys/${survey.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    if (field) assert.equal(a.json.field, field, `${name}: ${a.bytes}`);
    return a.json;
};
const request = async (who, id, name, body = {}) => {
    const a = await who.request('POST', `/api/v1/requests/${id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};
const clock = (s, obligation) => s.clocks.filter((k) => k.obligation === obligation).at(-1);
const state = (s, obligation) => clock(s, obligation)?.state;
const due = async (obligation, from) => (await p.lead.get(`/obligations/${obligation}/due?from=${encodeURIComponent(from)}`)).json.due;
const same = (a, b) => assert.equal(Date.parse(a), Date.parse(b));
const survey = (who, s) => get(who, `/document-surveys/${s.id}`);
/** The words of a notice's PDF, as it was sent. */
async function paper(who, noticeId) {
    const a = await who.get(`/notices/${noticeId}/pdf`);
    assert.equal(a.status, 200, a.bytes.toString().slice(0, 300));
    assert.equal(a.bytes.subarray(0, 5).toString(), '%PDF-');
    return (await run('pdftotext', ['-raw', '-', '-'], { input: a.bytes })).out.replace(/\s+/g, ' ');
}

/** The values of a notice's form. */
const filled = async (who, noticeId) => Object.fromEntries((await who.get(`/notices/${noticeId}`)).json.form.fields.map((f) => [f.id, f.value]));

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
    for (const [name, role, org] of [['lead', 'centre_lead', 'sts'], ['auditor', 'document_auditor', 'sts'], ['knb', 'knb', 'knb']]) await person(name, role, org);
    await signIn();
});
after(async () => { await c?.remove(); });

const OBJECT = 'state-register';
let s, docs;

test('the register shows the 27 documents of Annex 3 with their levels, the missing ones too; the owner brings one at any time, and a version is never changed', async () => {
    docs = (await get(p.owner, `/objects/${OBJECT}/documents`)).items;
    assert.equal(docs.length, 27);
    assert.deepEqual([1, 2, 3, 4].map((n) => docs.filter((d) => d.level === n).length), [1, 12, 6, 8]);
    assert.ok(docs.every((d) => d.missing && d.newest === null));
    const up = await p.owner.upload('policy.pdf', Buffer.from('%PDF-1.4 policy, first edition'));
    const body = { document: 'is_policy', number: '12-A', dated_on: day(-400), edition: '1', approved_by: 'Директор', approved_on: day(-400), signed: true, sealed: true, certified: false,
        valid_until: day(-30), review_on: day(-30), files: [{ upload_id: up.json.id, dated_on: day(-400) }] };
    const future = await ask(p.owner, 'POST', `/objects/${OBJECT}/documents`, { ...body, dated_on: day(2), files: [] });
    assert.deepEqual([future.status, future.json.field], [400, 'dated_on']);
    const none = await ask(p.owner, 'POST', `/objects/${OBJECT}/documents`, { ...body, document: 'no_such', files: [] });
    assert.deepEqual([none.status, none.json.field], [400, 'document']);
    const before = c.now();
    const a = await ask(p.owner, 'POST', `/objects/${OBJECT}/documents`, body);
    assert.equal(a.status, 201, a.bytes.toString());
    const [v] = a.json.items;
    assert.deepEqual([v.version, v.number, v.expired, v.review_due, v.source], [1, '12-A', true, true, 'owner']);
    assert.equal(v.files[0].sha256, createHash('sha256').update('%PDF-1.4 policy, first edition').digest('hex'));
    assert.deepEqual([v.files[0].dated_on, v.dated_on], [day(-400), day(-400)]);
    assert.ok(Date.parse(v.files[0].added_at) >= before - 1000, 'the upload has the moment of our clock, whatever day stands on the document');
    const two = await ask(p.owner, 'POST', `/objects/${OBJECT}/documents`, { document: 'is_policy', number: '12-B', signed: true, certified: false, valid_until: day(300) });
    assert.equal(two.json.items[0].version, 2);
    const versions = await all(p.owner, `/objects/${OBJECT}/documents/is_policy`);
    assert.deepEqual(versions.map((x) => [x.version, x.number]), [[2, '12-B'], [1, '12-A']]);
    const file = await p.owner.get(`/objects/${OBJECT}/document-files/${versions[1].files[0].id}`);
    assert.equal(file.bytes.toString(), '%PDF-1.4 policy, first edition');
    const row = (await get(p.owner, `/objects/${OBJECT}/documents`)).items[0];
    assert.deepEqual([row.missing, row.newest.number, row.newest.expired], [false, '12-B', false]);
});

test('another organisation sees neither register nor survey, and whoever may not bring a document is refused', async () => {
    assert.equal((await ask(p.city, 'GET', `/objects/${OBJECT}/documents`)).status, 404);
    assert.equal((await ask(p.city, 'POST', `/objects/${OBJECT}/documents`, { document: 'is_policy', signed: true, certified: true })).status, 404);
    assert.equal((await p.knb.get(`/objects/${OBJECT}/documents`)).status, 403);
});

test('R-14-04: a survey by hand has a reason; its notice goes out as the request of paragraph 14 and the survey follows it', async () => {
    const bad = await ask(p.auditor, 'POST', '/document-surveys', { object_id: OBJECT, planned_from: day(20) });
    assert.deepEqual([bad.status, bad.json.field], [400, 'reason']);
    const [centres, owners] = await Promise.all([p.lead, p.owner].map((who) => listen(who, '/stream')));
    const told = (x) => x.messages.some((m) => m.data.type === 'doc' && m.data.id === s.id);
    const a = await ask(p.auditor, 'POST', '/document-surveys', { object_id: OBJECT, planned_from: day(20), planned_to: day(24), reason: 'A complaint.' });
    assert.equal(a.status, 201, a.bytes.toString());
    s = a.json;
    await until('pages of the centre hear of it', () => told(centres));
    assert.ok(!told(owners), 'what is only planned is not told to the owner');
    assert.deepEqual([s.state, s.waits, s.request, s.clocks.length], ['planned', 'centre', null, 0]);
    assert.equal((await ask(p.owner, 'GET', `/document-surveys/${s.id}`)).status, 404, 'the owner does not see what is only planned');
    const twice = await ask(p.auditor, 'POST', '/document-surveys', { object_id: OBJECT, planned_from: day(20), reason: 'Again.' });
    assert.deepEqual([twice.status, twice.json.field], [409, 'object_id']);
    await refused(p.auditor, s, 'start', {}, 409);
    await refused(p.owner, s, 'send_notice', { survey_from: day(20), text: 'x' }, 404);
    await refused(p.auditor, s, 'send_notice', { survey_from: day(-1), text: 'x' }, 400, 'survey_from');
    s = await act(p.auditor, s, 'send_notice', { survey_from: day(20), text: 'Please send certified copies.' });
    assert.deepEqual([s.state, s.waits, s.request.state], ['notice_sent', 'owner', 'notice_sent']);
    await until('now the owner hears of it', () => told(owners));
    for (const x of [centres, owners]) x.close();
    const r = (await p.owner.get(`/requests/${s.request.id}`)).json;
    assert.deepEqual([r.kind, r.items.length, r.values.survey_from], ['document_survey', 27, day(20)]);
    const text = await paper(p.owner, r.notices.at(-1).id);
    assert.ok(text.includes('политика информационной безопасности'), text.slice(0, 400));
    assert.equal((await get(p.owner, '/document-surveys')).items[0].id, s.id);
});

test('D-16, R-14-01, R-14-02: the copies that the owner sends with the request become versions of the register; the survey is at "copies received"', async () => {
    await request(p.owner, s.request.id, 'receive');
    s = await survey(p.auditor, s);
    assert.deepEqual([s.state, state(s, 'D-16')], ['notice_received', 'running']);
    same(clock(s, 'D-16').due, await due('D-16', clock(s, 'D-16').start ?? clock(s, 'D-16').from));
    const given = docs.slice(0, 25), missing = docs.slice(25);
    for (const d of given) await request(p.owner, s.request.id, 'set_item', { item: d.document, state: 'provided', approved: true, signed: true, sealed: true, version: '2026' });
    for (const d of missing) await request(p.owner, s.request.id, 'set_item', { item: d.document, state: 'missing', note: 'not kept' });
    const attach = async (item, text) => {
        const up = await p.owner.upload('copy.pdf', Buffer.from(`%PDF-1.4 ${text}`));
        const a = await p.owner.post(`/requests/${s.request.id}/files`, { upload_id: up.json.id, role: 'document', item });
        assert.equal(a.status, 201, a.bytes.toString());
    };
    for (const d of given.slice(2)) await attach(d.document, d.document);
    await attach('risk_assessment_methodology', 'certified copy');
    const bare = await p.owner.request('POST', `/api/v1/requests/${s.request.id}/actions/send_copies`, { confirmed: true });
    assert.deepEqual([bare.status, bare.json.field], [400, 'files.document'], 'the policy is marked, and nothing is behind the mark');
    s = await survey(p.auditor, s);
    assert.deepEqual([s.state, state(s, 'D-16')], ['notice_received', 'running']);
    await request(p.auditor, s.request.id, 'record_copy', { item: 'is_policy', received_by: 'A. Serikova', received_at: at(c.now()), number: 'in. 17', reason: 'Paper on the spot.' });
    await request(p.owner, s.request.id, 'send_copies', { confirmed: true });
    s = await survey(p.auditor, s);
    assert.deepEqual([s.state, s.waits, state(s, 'D-16'), s.request.provided, s.request.missing], ['td_received', 'centre', 'fulfilled', 25, 2]);
    const register = (await get(p.auditor, `/objects/${OBJECT}/documents`)).items;
    assert.deepEqual(register.filter((d) => d.missing).map((d) => d.document), missing.map((d) => d.document));
    const [policy, method] = register;
    assert.deepEqual([policy.newest.version, policy.newest.source, policy.newest.certified, policy.newest.sealed, policy.newest.request.id], [3, 'request', true, true, s.request.id]);
    assert.deepEqual(policy.newest.files, []);
    for (const word of ['in. 17', 'A. Serikova', 'Paper on the spot.']) assert.ok(policy.newest.note.includes(word), policy.newest.note);
    assert.equal(method.newest.files[0].sha256, createHash('sha256').update('%PDF-1.4 certified copy').digest('hex'));
});

let lines;
test('R-10.3-01: the check-list is made of the library; a verdict wants its reason or what is wrong; what Saqshy measures stands beside the requirement', async () => {
    sendSyslog(c.ports?.syslog ?? c.syslog, ['<13>Mar 20 10:00:00 reg-web-1 test: hello']);
    s = await act(p.auditor, s, 'start');
    assert.deepEqual([s.state, s.previous], ['in_progress', null]);
    lines = await all(p.auditor, `/document-surveys/${s.id}/checklist`);
    assert.equal(lines.length, s.documents.reduce((n, d) => n + d.total, 0));
    assert.deepEqual([...new Set(lines.map((l) => l.document))], docs.map((d) => d.document), 'every document of Annex 3, in its order');
    assert.ok(s.documents.every((d) => d.total >= 5 && d.total <= 12), 'five to twelve requirements for each');
    assert.ok(lines.every((l) => l.basis === null && l.text && l.look && l.recommendation.kk && l.recommendation.ru && l.recommendation.en));
    assert.equal((await ask(p.owner, 'GET', `/document-surveys/${s.id}/checklist`)).status, 404, 'the work of the centre');
    const measured = lines.find((l) => l.requirement === 'is_policy.monitoring').facts;
    assert.deepEqual(measured.map((f) => f.measure), ['log_coverage', 'retention', 'agents']);
    assert.ok(measured.every((f) => ['measured', 'not_measured'].includes(f.state) && f.text && f.by && Date.parse(f.measured_at) > 0));
    assert.ok(measured.every((f) => !/\d{4}-\d{2}-\d{2}/.test(f.text)), 'days as people here write them');
    const time = lines.find((l) => l.facts.some((f) => f.measure === 'time_sync')).facts.find((f) => f.measure === 'time_sync');
    assert.equal(time.state, 'not_measured', 'nobody measures it, and that is said');
    await refused(p.analyst, s, 'set_verdict', { requirement: lines[0].requirement, verdict: 'met' }, 403);
    await refused(p.auditor, s, 'set_verdict', { requirement: 'no.such', verdict: 'met' }, 400, 'requirement');
    await refused(p.auditor, s, 'set_verdict', { requirement: lines[0].requirement, verdict: 'not_applicable' }, 400, 'reason');
    await refused(p.auditor, s, 'set_verdict', { requirement: lines[0].requirement, verdict: 'not_met' }, 400, 'description');
    await refused(p.auditor, s, 'set_verdict', { requirement: lines[0].requirement, verdict: 'met', stray: 1 }, 400, 'stray');
    await refused(p.auditor, s, 'complete', {}, 409, 'checklist');
});

const WRONG = 'is_policy.roles', HALF = 'backup_regulation.restore';
test('R-10.3-01: verdicts with quote, page and photograph; a document that was not presented is one violation and its other requirements do not apply', async () => {
    s = await act(p.auditor, s, 'set_verdict', { requirement: WRONG, verdict: 'not_met', quote: 'The duty officer is appointed.', page: '4', description: 'Nobody is appointed by an order.',
        recommendation_en: 'Appoint one by name.' });
    s = await act(p.auditor, s, 'set_verdict', { requirement: HALF, verdict: 'partly', description: 'Described, never tried.' });
    const up = await p.auditor.upload('door.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]));
    const bad = await ask(p.auditor, 'POST', `/document-surveys/${s.id}/files`, { upload_id: up.json.id, role: 'photo', requirement: WRONG, captured_at: at(c.now()) });
    assert.deepEqual([bad.status, bad.json.field], [400, 'place']);
    const photo = await ask(p.auditor, 'POST', `/document-surveys/${s.id}/files`, { upload_id: up.json.id, role: 'photo', requirement: WRONG, captured_at: at(c.now()), place: 'Server room 2' });
    assert.equal(photo.status, 201, photo.bytes.toString());
    assert.deepEqual([photo.json.files[0].place, photo.json.files[0].requirement], ['Server room 2', WRONG]);
    for (const d of docs.slice(25)) s = await act(p.auditor, s, 'not_presented', { document: d.document, note: 'not kept' });
    for (const l of lines.filter((x) => ![WRONG, HALF].includes(x.requirement) && !docs.slice(25).some((d) => d.document === x.document)))
        s = await act(p.auditor, s, 'set_verdict', { requirement: l.requirement, verdict: 'met' });
    const power = s.documents[25];
    assert.deepEqual([power.not_met, power.not_applicable], [1, power.total - 1]);
    assert.equal(s.documents.reduce((n, d) => n + d.met + d.partly + d.not_met + d.not_applicable, 0), lines.length, 'all are judged');
    const judged = (await all(p.auditor, `/document-surveys/${s.id}/checklist?document=is_policy`)).find((l) => l.requirement === WRONG);
    assert.deepEqual([judged.verdict, judged.quote, judged.page, judged.recommendation.en, judged.looked_at.version], ['not_met', 'The duty officer is appointed.', '4', 'Appoint one by name.', 3]);
    assert.ok(judged.recommendation.kk && judged.judged_by && judged.judged_at);
});

test('D-17, R-10.3-02, R-10.3-03: completion starts ten business days; results and recommendations go out as one letter with all documents, violations and facts', async () => {
    s = await act(p.auditor, s, 'complete');
    assert.deepEqual([s.state, state(s, 'D-17')], ['completed', 'running']);
    same(clock(s, 'D-17').due, await due('D-17', s.completed_at));
    let found = (await get(p.auditor, `/document-violations?survey=${s.id}`)).items;
    assert.deepEqual(found.map((v) => v.state), ['found', 'found', 'found', 'found']);
    assert.equal((await get(p.owner, `/document-violations?object=${OBJECT}`)).items.length, 0, 'not before the letter');
    assert.equal((await survey(p.owner, s)).found, null);
    await later(5 * DAY);
    await refused(p.auditor, s, 'send_results', { confirmed: false }, 400, 'confirmed');
    s = await act(p.auditor, s, 'send_results', { confirmed: true });
    assert.deepEqual([s.state, s.waits, state(s, 'D-17')], ['results_sent', 'owner', 'fulfilled']);
    const letter = s.notices.at(-1), text = await paper(p.owner, letter.id);
    const packed = text.replace(/\s/g, '');
    for (const word of ['Nobodyisappointedbyanorder.', 'Described,nevertried.', 'Результатыобследования', 'нәтижелері', s.number]) assert.ok(packed.includes(word.replace(/\s/g, '')), word);
    const values = await filled(p.owner, letter.id);
    assert.deepEqual(values.documents.map((d) => d.document), docs.map((d) => d.document), 'all 27 documents stand in the letter');
    assert.equal(values.violations.length, 4);
    assert.ok(values.violations.every((v) => v.recommendation.length > 20 && v.requirement.includes('\n')), 'in Kazakh and Russian');
    assert.ok(values.facts.length >= 5);
    const sheet = await p.owner.get(`/notices/${letter.id}/table?format=xlsx`);
    assert.equal(sheet.bytes.subarray(0, 2).toString(), 'PK');
    found = (await get(p.owner, `/document-violations?object=${OBJECT}`)).items;
    assert.deepEqual(found.map((v) => v.state), ['sent', 'sent', 'sent', 'sent']);
    assert.ok((await all(p.owner, `/document-surveys/${s.id}/checklist`)).length === lines.length, 'now the owner sees it all');
});

test('D-18, R-14-03: receipt starts one month; the owner says a measure for each violation, with files, and one letter keeps the term', async () => {
    s = await act(p.owner, s, 'receive');
    assert.deepEqual([s.state, state(s, 'D-18')], ['results_received', 'running']);
    same(clock(s, 'D-18').due, await due('D-18', s.results_received_at));
    const found = (await get(p.owner, `/document-violations?survey=${s.id}`)).items;
    await refused(p.owner, s, 'send_measures', { confirmed: true }, 409, 'measures');
    await refused(p.owner, s, 'set_measure', { violation: '999999', measure: 'x' }, 400, 'violation');
    await refused(p.owner, s, 'set_measure', { violation: found[0].id, measure: 'x', done_on: day(3) }, 400, 'done_on');
    await refused(p.auditor, s, 'close', {}, 409);
    for (const v of found) s = await act(p.owner, s, 'set_measure', { violation: v.id, measure: `Done about ${v.number}.`, done_on: day(-1) });
    const up = await p.owner.upload('order.pdf', Buffer.from('%PDF-1.4 the order'));
    const file = await ask(p.owner, 'POST', `/document-surveys/${s.id}/files`, { upload_id: up.json.id, role: 'document', violation: found[0].id });
    assert.equal(file.status, 201, file.bytes.toString());
    await later(20 * DAY);
    s = await act(p.owner, s, 'send_measures', { confirmed: true });
    assert.deepEqual([s.state, s.waits, state(s, 'D-18')], ['measures_received', 'centre', 'fulfilled']);
    const letter = s.notices.at(-1), text = (await paper(p.auditor, letter.id)).replace(/\s/g, '');
    for (const v of found) assert.ok(text.includes(`Doneabout${v.number}.`), v.number);
    assert.ok(text.includes('order.pdf'));
    const one = await get(p.owner, `/document-violations/${found[0].id}`);
    assert.deepEqual(one.life.map((x) => x.state), ['found', 'sent', 'measure_reported']);
    s = await act(p.auditor, s, 'close', { note: 'to be looked at next time' });
    assert.deepEqual([s.state, s.ended, s.actions.length], ['closed', true, 0]);
});

test('the next survey shows "last time", finds one violation fixed and one persisting, and compares only what changed', async () => {
    let n = (await ask(p.auditor, 'POST', '/document-surveys', { object_id: OBJECT, planned_from: day(2), reason: 'A second look.' })).json;
    n = await act(p.auditor, n, 'send_notice', { survey_from: day(2), text: 'Copies again, please.' });
    n = await act(p.auditor, n, 'withdraw', { reason: 'The wrong week.' }) && n;
    assert.equal((await survey(p.owner, n)).state, 'withdrawn');
    n = (await ask(p.auditor, 'POST', '/document-surveys', { object_id: OBJECT, planned_from: day(3), reason: 'A second look.' })).json;
    n = await act(p.auditor, n, 'send_notice', { survey_from: day(3), text: 'Copies again, please.' });
    await request(p.owner, n.request.id, 'receive');
    n = await act(p.auditor, n, 'start');
    assert.equal(n.previous.id, s.id, 'a survey without copies may begin: its start follows the receipt of the notice');
    const list = await all(p.auditor, `/document-surveys/${n.id}/checklist`);
    const wrong = list.find((l) => l.requirement === WRONG);
    assert.deepEqual([wrong.verdict, wrong.last.verdict, wrong.last.quote, wrong.last.survey, wrong.open.state], [null, 'not_met', 'The duty officer is appointed.', s.number, 'measure_reported']);
    for (const l of list) n = l.requirement === WRONG ? await act(p.auditor, n, 'set_verdict', { requirement: WRONG, verdict: 'met', quote: 'Order 7.' })
        : await act(p.auditor, n, 'confirm_last', { requirement: l.requirement });
    n = await act(p.auditor, n, 'complete');
    const now = (await get(p.auditor, `/document-violations?survey=${n.id}`)).items;
    assert.deepEqual(now.map((v) => [v.requirement === WRONG, v.state]).sort().map((x) => x[1]), ['persisting', 'persisting', 'persisting', 'fixed']);
    const before = (await get(p.owner, `/document-violations?object=${OBJECT}`)).items;
    assert.ok(before.every((v) => v.state === 'measure_reported' && v.open), 'the owner still sees what they were told');
    const changes = (await get(p.auditor, `/document-surveys/${n.id}/comparison`)).items;
    assert.deepEqual(changes.map((x) => [x.requirement, x.was, x.became]), [[WRONG, 'not_met', 'met']]);
    n = await act(p.auditor, n, 'send_results', { confirmed: true });
    const values = await filled(p.owner, n.notices.at(-1).id);
    assert.deepEqual([values.violations.length, values.fixed.length], [3, 1]);
    assert.deepEqual((await get(p.owner, `/document-violations?object=${OBJECT}&open=true`)).items.map((v) => v.state), ['sent', 'sent', 'sent']);
    const one = await get(p.owner, `/document-violations/${now.find((v) => v.requirement === HALF).id}`);
    assert.deepEqual(one.life.map((x) => x.state), ['found', 'sent', 'measure_reported', 'persisting', 'sent']);
});

test('tables: the register, the check-list and violations as XLSX and CSV, for those who may see them', async () => {
    for (const [who, path] of [['owner', `register?of=${OBJECT}`], ['auditor', `checklist?of=${s.id}`], ['owner', `violations?of=${OBJECT}`], ['lead', 'violations']]) {
        const a = await p[who].get(`/document-tables/${path}`);
        assert.equal(a.status, 200, path);
        assert.equal(a.bytes.subarray(0, 2).toString(), 'PK', path);
    }
    const csv = (await p.owner.get(`/document-tables/register?of=${OBJECT}&format=csv`)).bytes.toString();
    assert.equal(csv.trim().split('\n').length, 28);
    assert.equal((await p.city.get(`/document-tables/checklist?of=${s.id}`)).status, 404);
});

test('the library: ours is marked as not prescribed; the administrator’s own file adds requirements, and a broken one is told with its place', async () => {
    const lib = await get(p.auditor, '/document-requirements');
    assert.equal(lib.problem, null);
    assert.equal(lib.items.length, lines.length);
    assert.ok(lib.items.every((x) => x.basis === null));
    const folder = join(c.data, 'requirements');
    const own = (id) => `version: 3\ndocuments:\n  - document: is_policy\n    requirements:\n      - id: ${id}\n        basis: 'Order 5 of the centre'\n        text: {kk: 'a', ru: 'b', en: 'c'}\n        look: {kk: 'a', ru: 'b', en: 'c'}\n        recommendation: {kk: 'a', ru: 'b', en: 'c'}\n`;
    writeFileSync(join(folder, 'own.yaml'), own('signed_by_head'));
    const more = await get(p.auditor, '/document-requirements?document=is_policy');
    const mine = more.items.find((x) => x.code === 'is_policy.signed_by_head');
    assert.deepEqual([mine.basis, mine.version, mine.shown], ['Order 5 of the centre', 3, 'c']);
    writeFileSync(join(folder, 'own.yaml'), own('Signed'));
    const broken = await get(p.auditor, '/document-requirements');
    assert.match(broken.problem, /own\.yaml:5:\d+: "id" must be/);
    rmSync(join(folder, 'own.yaml'));
});
