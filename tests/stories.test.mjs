// stories.test.mjs - one whole life of a case for each machine of the Rules (requirements 7.1, 7.2, 7.3), through the real API with a clock that
// is moved, ending in the right documents. Every answer is compared with docs/openapi.yaml. The tests of a story run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { centre, until, sendSyslog, run } from './lib/centre.mjs';
import { smtp } from './lib/smtp.mjs';
import { openapi } from './portal/openapi.mjs';

const spec = openapi();
const HOUR = 3600, MINUTE = 60;
const p = {}, PEOPLE = {};
let c, mail;
const at = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const now = (seconds = 0) => at(c.now() + seconds * 1000);

async function ask(who, method, path, body) {
    const a = await who.request(method, `/api/v1${path}`, body);
    let problems = spec.problems(method, path.split('?')[0], a.status, a.json);
    if (problems.some((x) => x.includes('is not described')) && a.status >= 400) problems = spec.schemaProblems('Error', a.json);
    problems = problems.filter((x) => !/\.(clocks|notices)\[\d+\]\.\w+: not in the schema/.test(x)); // the rooms of duties and notices grow
    assert.deepEqual(problems, [], `${method} ${path} → ${a.status} ${a.bytes.toString().slice(0, 400)}`);
    return a;
}
async function make(who, path, body) {
    const a = await ask(who, 'POST', path, body);
    assert.equal(a.status, 201, `${path}: ${a.bytes}`);
    return a.json;
}
const open = (who, body) => make(who, '/cases', body);
const show = async (who, x) => {
    const a = await ask(who, 'GET', `/cases/${x.id}`);
    assert.equal(a.status, 200, a.bytes.toString());
    return a.json;
};
const act = async (who, x, name, body = {}) => {
    const a = await ask(who, 'POST', `/cases/${x.id}/actions/${name}`, body);
    assert.ok(a.status === 200 || a.status === 204, `${name}: ${a.status} ${a.bytes}`);
    return a.json;
};
const refused = async (who, x, name, body, status, more = {}) => {
    const a = await ask(who, 'POST', `/cases/${x.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.status} ${a.bytes}`);
    for (const [k, v] of Object.entries(more)) assert.equal(a.json[k], v, `${name}: ${a.bytes}`);
};
const clock = (x, id) => x.clocks.filter((k) => k.obligation === id).at(-1);
const state = (x, id) => clock(x, id)?.state ?? 'none';
const minutes = (k) => (Date.parse(k.due) - Date.parse(k.from)) / 60000;
const same = (a, b) => assert.equal(Date.parse(a), Date.parse(b));
const offered = (x) => x.actions.map((a) => a.name);
const listed = async (who, query) => (await ask(who, 'GET', `/cases?${query}`)).json.items.map((x) => x.id);

async function person(name, role, org) {
    const login = `t-${name.toLowerCase()}`, password = 'a long password for tests 1';
    const a = await p.admin.post('/users', { login, name: `${role} ${name}`, role, org_id: org, language: 'en', email: null, password });
    assert.equal(a.status, 201, a.bytes.toString());
    c.accounts[login] = { login, password, role };
    PEOPLE[name] = login;
}
async function signIn() {
    for (const [name, login] of Object.entries(PEOPLE)) p[name] = await c.signedIn(c.accounts[login]);
}
/** Time goes on; the sessions have ended meanwhile. */
async function later(seconds) {
    c.advance(seconds);
    await signIn();
}
/** The text of a document in one line. */
async function pdf(who, sha256) {
    const a = await who.get(`/documents/${sha256}`);
    assert.equal(a.status, 200, a.bytes.toString().slice(0, 200));
    return (await run('pdftotext', ['-layout', '-', '-'], { input: a.bytes })).out.replace(/\s+/g, ' ');
}
const measures = (x, more = {}) => ({
    ...x.annex2, registered_on: x.confirmed_at.slice(0, 10), level: 'high', incident_type: 'ransomware', scale: 'mass', sign: 'valid', contour: ['internal_lan', 'external_lan'],
    nature: 'Файлдар шифрланды', consequences: ['operability_breach', 'integrity_breach'], affected_object: x.object.name, recurrence: 'new',
    elimination_actions: 'Тораптар қайта орнатылды', note: null, ...more,
});

before(async () => {
    mail = await smtp();
    c = await centre({ demo: true, smtp: mail.port });
    await c.start();
    p.admin = await c.signedIn('administrator');
    Object.assign(PEOPLE, { admin: 'admin', analyst: 'analyst', owner: 'registry', city: 'city' });
    const ocib = await make(p.admin, '/registry/organisations', { value: { name: 'АҚЖО (сынақ)', kinds: ['ocib'], email: 'duty@ocib.example' }, reason: 'test' });
    const plant = await make(p.admin, '/registry/organisations', { value: { name: 'Жылу электр орталығы (сынақ)', kinds: ['owner'], email: 'is@plant.example' }, reason: 'test' });
    const cii = async (name, ocib_id) => (await make(p.admin, '/registry/objects', { value: { name, org_id: plant.id, ocib_id, is_ego: false, is_cii: true, cii_sector: 'electricity', active: true,
        contour: 'internal', criticality: 'high' }, reason: 'test' })).id;
    Object.assign(p, { ocib: null, served: await cii('Турбина басқару жүйесі', ocib.id), alone: await cii('Қазандық басқару жүйесі', null) });
    for (const [name, role, org] of [['lead', 'centre_lead', 'sts'], ['knb', 'knb', 'knb'], ['ocib', 'ocib_analyst', ocib.id], ['unit', 'owner_officer', plant.id],
        ['responsible', 'cii_responsible', plant.id], ['admin2', 'owner_administrator', 'registry-centre']])
        await person(name, role, org);
    await signIn();
});
after(async () => { await c?.remove(); await mail?.stop(); });

/* --- 7.1 --- */

let first, second;
const attack = async (from, host = 'registry-web-1') => {
    await sendSyslog(c.ports.syslog, Array.from({ length: 14 }, (_, i) =>
        `<38>1 ${new Date(c.now() + i).toISOString()} ${host} sshd ${4000 + i} - - Failed password for root from ${from} port ${40000 + i} ssh2`));
};

test('7.1 R-10.1-06 R-10.1-07 D-05 the centre detects, analyses, keeps a draft of Annex 7, and the indicators of the events stand in the case', async () => {
    await attack('203.0.113.7');
    const found = await until('a case is open', async () => (await p.analyst.get('/cases')).json.items.find((x) => x.object?.id === 'state-register'), 60).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    first = await show(p.analyst, found);
    assert.deepEqual([first.machine, first.detector, first.state, first.tlp], ['sts', 'centre', 'detected', 'amber']);
    assert.equal(minutes(clock(first, 'D-05')), 30);
    assert.ok(first.indicators.some((i) => i.type === 'ip' && i.value === '203.0.113.7' && !i.own && i.origin === 'event'), JSON.stringify(first.indicators));
    first = await act(p.analyst, first, 'analyse', { note: 'brute force' });
    first = await act(p.analyst, first, 'take');
    assert.deepEqual(await listed(p.analyst, 'mine=true'), [first.id]);
    first = await act(p.analyst, first, 'save_draft', { form: 'annex7', annex7: { ...first.annex7, note: 'to be finished' } });
    assert.equal((await show(p.lead, first)).annex7.note, 'to be finished');
    assert.equal((await ask(p.owner, 'GET', `/cases/${first.id}`)).status, 404, 'a draft is not a notice');
});

test('7.1 R-10.1-08 R-10.1-09 R-10.1-10 D-05 D-10 D-11 the notice with Annex 7 goes out within thirty minutes with first recommendations', async () => {
    first = await act(p.analyst, first, 'notify', { annex7: { ...first.annex7, note: null }, recommendations: 'Мекенжайды бұғаттаңыз / Заблокируйте адрес', detection_kind: 'incident' });
    assert.deepEqual([first.state, state(first, 'D-05'), state(first, 'D-10'), state(first, 'D-11')], ['notified', 'fulfilled', 'running', 'running']);
    same(clock(first, 'D-11').from, first.notified_at);
    assert.ok((await pdf(p.owner, first.documents.find((d) => d.kind === 'annex7').sha256)).includes('203.0.113.7'));
    await until('the letter to the responsible person arrives', () => mail.letters.length > 0);
    first = await act(p.analyst, first, 'recommend', { recommendations: 'Қосымша: құпиясөздерді ауыстырыңыз' });
    assert.ok(first.timeline.some((l) => l.kind === 'recommend'));
});

test('7.1 Q-05 R-12-12 a rejection that the centre disputes leaves the case open with the same seventy-two hours', async () => {
    let x = await act(p.owner, first, 'reject', { reason: 'Біздің сканер' });
    assert.deepEqual([x.state, state(x, 'D-11')], ['rejected', 'cancelled']);
    await refused(p.owner, first, 'dispute_rejection', { reason: 'x' }, 403);
    x = await act(p.lead, first, 'dispute_rejection', { reason: 'Мекенжай сізге тиесілі емес' });
    assert.deepEqual([x.state, state(x, 'D-10'), state(x, 'D-11')], ['notified', 'running', 'running']);
    same(clock(x, 'D-11').from, x.notified_at);
    assert.ok(x.facts.disputed_at);
});

test('7.1 R-12-12 R-12-13 D-06 D-11 D-31 an event is confirmed, becomes an incident of undefined level, which is reviewed', async () => {
    let x = await act(p.owner, first, 'confirm_event');
    assert.deepEqual([x.state, state(x, 'D-10'), state(x, 'D-11')], ['event_confirmed', 'running', 'cancelled']);
    await later(HOUR);
    x = await act(p.owner, first, 'confirm_incident', { confirmed_at: now(), level: 'undefined' });
    assert.deepEqual([x.state, state(x, 'D-10'), state(x, 'D-11'), state(x, 'D-06'), state(x, 'D-31')], ['incident_confirmed', 'cancelled', 'running', 'running', 'running']);
    same(clock(x, 'D-11').from, x.notified_at);
    same(clock(x, 'D-06').from, x.confirmed_at);
    await later(49 * HOUR);
    x = await until('the level is overdue', async () => { const y = await show(p.analyst, first); return state(y, 'D-31') === 'overdue' && y.timeline.some((l) => l.kind === 'clock_overdue' && l.obligation === 'D-31') ? y : null; });
    assert.ok((await listed(p.owner, 'overdue=true')).includes(first.id));
    x = await act(p.owner, first, 'review_level', { level: 'undefined', reason: 'әсері әлі анықталмады' });
    assert.equal(state(x, 'D-31'), 'fulfilled');
    x = await act(p.lead, first, 'review_level', { level: 'high', reason: 'сервис тоқтады' });
    assert.equal(x.level, 'high');
});

test('7.1 R-12-13 R-A2-04 R-A2-11 R-A2-13 D-11 measures are filed with every choice of Annex 2, from a draft that was kept', async () => {
    let x = await show(p.owner, first);
    x = await act(p.owner, first, 'save_draft', { form: 'annex2', annex2: measures(x) });
    assert.equal((await show(p.owner, first)).annex2.nature, 'Файлдар шифрланды');
    assert.notEqual((await show(p.analyst, first)).annex2?.nature, 'Файлдар шифрланды', 'the centre does not read the owner’s draft');
    await refused(p.owner, first, 'report_measures', { annex2: measures(x, { consequences: ['none', 'integrity_breach'] }) }, 400, { field: 'annex2.consequences' });
    x = await act(p.owner, first, 'report_measures', { annex2: measures(await show(p.owner, first)) });
    assert.deepEqual([x.state, state(x, 'D-11'), state(x, 'D-06'), x.incident_type], ['measures_reported', 'fulfilled', 'running', 'ransomware']);
    const text = await pdf(p.analyst, x.documents.find((d) => d.kind === 'annex2').sha256);
    for (const words of ['Файлдар шифрланды', 'Шифрлаушы', 'Жаппай', 'Ішкі шеңбердің жергілікті желісі', 'Сыртқы шеңбердің жергілікті желісі', 'Тұтастығының бұзылуы']) assert.ok(text.includes(words), words);
});

test('7.1 R-10.1-13 D-06 causes are eliminated in time, consequences are not: KNB is told after seventy-two hours from the confirmation', async () => {
    let x = await act(p.owner, first, 'eliminate', { causes_at: now(), causes: 'әлсіз құпиясөз ауыстырылды' });
    assert.ok(x.facts.causes_at && !x.facts.consequences_at);
    await refused(p.analyst, first, 'accept_elimination', { what: 'consequences' }, 400, { field: 'what' });
    x = await act(p.analyst, first, 'accept_elimination', { what: 'causes' });
    assert.deepEqual([x.state, state(x, 'D-06'), Boolean(x.facts.causes_accepted_at)], ['measures_reported', 'running', true]);
    assert.equal((await ask(p.knb, 'GET', `/cases/${first.id}`)).status, 404, 'KNB sees what it was told of');
    await refused(p.analyst, first, 'notify_knb', {}, 409, { code: 'wrong_state' });
    await later(24 * HOUR);
    x = await until('D-06 is overdue', async () => { const y = await show(p.analyst, first); return state(y, 'D-06') === 'overdue' ? y : null; });
    x = await act(p.analyst, first, 'notify_knb', { note: 'жойылмады' });
    assert.equal(x.state, 'escalated_knb');
    assert.ok((await pdf(p.analyst, x.documents.find((d) => d.kind === 'knb_notice').sha256)).length > 200);
});

test('7.1 R-10.1-11 R-10.1-12 KNB decides that an employee must go; the centre sends one, who comes back with a report; the owner is advised', async () => {
    let x = await show(p.knb, first);
    assert.ok(offered(x).includes('decide_visit') && !offered(x).includes('close'));
    assert.deepEqual(x.documents.map((d) => d.kind), ['knb_notice']);
    assert.ok((await pdf(p.knb, x.documents[0].sha256)).length > 200, 'KNB reads what it was sent');
    x = await act(p.knb, first, 'decide_visit', { reason: 'Дереу жіберілсін' });
    assert.deepEqual([x.visits[0].decided_by, x.visits[0].state], ['knb', 'need_determined']);
    x = await act(p.analyst, first, 'send_employee', { employee: 'А. Қызметкер', sent_at: now() });
    x = await act(p.analyst, first, 'visit_return', { report: 'Тораптар тексерілді' });
    assert.deepEqual([x.visits[0].employee, x.visits[0].state, x.visits[0].report], ['А. Қызметкер', 'returned_with_report', 'Тораптар тексерілді']);
    assert.equal((await show(p.owner, first)).visits[0].report, null, 'the report is the centre’s');
    await act(p.owner, first, 'consult_request', { text: 'Көшірмені қалай тексереміз?' });
    x = await act(p.analyst, first, 'consult_give', { text: 'Оқшауланған ортада' });
    assert.deepEqual(x.consultations.map((k) => [k.state, k.answer]), [['given', 'Оқшауланған ортада']]);
});

test('7.1 R-10.1-13 after the escalation the consequences are eliminated, KNB is informed, the case closes', async () => {
    const letters = mail.letters.length;
    let x = await act(p.owner, first, 'eliminate', { consequences_at: now(), consequences: 'деректер қалпына келтірілді' });
    x = await act(p.analyst, first, 'return_elimination', { what: 'consequences', reason: 'тексеру өтпеді' });
    assert.equal(x.facts.consequences_at, null);
    const done = now();
    x = await act(p.owner, first, 'eliminate', { consequences_at: done, consequences: 'бәрі қалпына келтірілді' });
    x = await act(p.analyst, first, 'accept_elimination', {});
    assert.deepEqual([x.state, state(x, 'D-06')], ['eliminated', 'fulfilled']);
    same(clock(x, 'D-06').fulfilled_at, done);
    assert.ok(Date.parse(clock(x, 'D-06').fulfilled_at) > Date.parse(clock(x, 'D-06').due), 'late, and told so');
    await until('KNB is informed', () => mail.letters.slice(letters).some((l) => JSON.stringify(l.to).includes('knb.example')));
    x = await act(p.analyst, first, 'close');
    assert.equal(x.state, 'closed');
    assert.ok(x.clocks.every((k) => k.state !== 'running' && k.state !== 'overdue'));
});

test('7.1 R-A7-12 R-A2-08 the same attack again opens a new case, suggested as a repetition, which a person decides', async () => {
    await attack('203.0.113.7');
    second = await until('the new case', async () => (await p.analyst.get('/cases?open=true')).json.items.find((x) => x.object?.id === 'state-register' && x.id !== first.id && x.title === first.title));
    second = await show(p.analyst, second);
    assert.deepEqual([second.suggested?.number, second.recurrence, second.annex7.registration_kind], [first.number, null, 'repeated']);
    second = await act(p.analyst, second, 'decide_recurrence', { recurrence: 'repeated' });
    assert.deepEqual([second.previous.number, second.recurrence], [first.number, 'repeated']);
    assert.ok(second.indicators.find((i) => i.value === '203.0.113.7').seen_in >= 1, 'seen in the case before');
    const found = await listed(p.analyst, 'indicator=203.0.113.7');
    assert.ok(found.includes(first.id) && found.includes(second.id));
});

/* --- 7.2 --- */

test('R-3-01 R-3-02 monitoring is conducted by STS through this system: nobody else analyses, notifies or reviews, and the notice says who sent it', async () => {
    const sent = (await ask(p.lead, 'GET', `/notices?case=${first.id}`)).json.items.filter((n) => n.direction === 'out');
    assert.ok(sent.length > 0 && sent.every((n) => n.number), JSON.stringify(sent[0]));
    for (const n of sent.filter((x) => x.kind === 'annex7')) assert.match((await ask(p.owner, 'GET', `/notices/${n.id}`)).json.sender.name, /МТҚ/);
    for (const who of [p.owner, p.city, p.ocib, p.unit, p.responsible, p.knb])
        for (const [name, body] of [['analyse', { note: 'x' }], ['notify', { annex7: first.annex7, recommendations: 'x', detection_kind: 'incident' }], ['review_level', { level: 'low', note: 'x' }]]) {
            const a = await ask(who, 'POST', `/cases/${first.id}/actions/${name}`, body);
            assert.ok([403, 404, 409].includes(a.status), `${name}: ${a.status} ${a.bytes}`);
        }
    assert.equal((await show(p.lead, first)).timeline.filter((l) => l.kind === 'notify').length, 1);
});

test('R-12-01 owner, possessor and the operational centre that serves them may each do the duties of paragraph 12; nobody else may', async () => {
    const shared = (await make(p.admin, '/registry/objects', { value: { name: 'Ортақ жүйе (сынақ)', org_id: 'registry-centre', possessor_id: 'heat-networks', ocib_id: 'guard-ocib', is_ego: true,
        active: true, contour: 'external', criticality: 'medium', commissioned_on: '2026-01-05', work_types: ['incident_response'] }, reason: 'test' })).id;
    await person('possessor', 'owner_officer', 'heat-networks');
    await person('guard', 'ocib_analyst', 'guard-ocib');
    await signIn();
    const body = { object: shared, title: 'Өзі анықтаған', detected_at: now(-10 * MINUTE), confirmed_at: now(-2 * MINUTE), description: 'сынақ', contact: '+7 000 000 00 00', notice: true };
    for (const who of [p.owner, p.possessor, p.guard]) {
        const x = await open(who, body);
        assert.deepEqual([x.state, state(x, 'D-08'), state(x, 'D-09')], ['sts_notified', 'fulfilled', 'running']);
        const done = await act(who, x, 'report_measures', { annex2: measures(x) });
        assert.equal(state(done, 'D-09'), 'fulfilled');
    }
    for (const who of [p.city, p.ocib, p.unit]) assert.equal((await ask(who, 'POST', '/cases', body)).status, 404);
});

let own;
test('7.2 R-12-10 D-08 D-09 D-06 D-31 what the owner’s side detects is opened, confirmed and told to STS in one act', async () => {
    const detected_at = now(-20 * MINUTE), confirmed_at = now(-5 * MINUTE);
    assert.equal((await ask(p.city, 'POST', '/cases', { object: 'state-register', title: 'x', detected_at })).status, 404, 'not their object');
    assert.equal((await ask(p.owner, 'POST', '/cases', { object: 'state-register', title: 'x', detected_at: now(HOUR) })).json.field, 'detected_at');
    assert.equal((await ask(p.owner, 'POST', '/cases', { object: 'state-register', title: 'x', detected_at, notice: true })).json.field, 'confirmed_at');
    own = await open(p.owner, { object: 'state-register', title: 'Шифрлаушы бағдарлама', detected_at, confirmed_at, description: 'Үш сервер шифрланды', contact: '+7 000 000 00 01', notice: true });
    assert.deepEqual([own.machine, own.state, own.level, own.rule, own.annex7], ['self', 'sts_notified', 'undefined', null, null]);
    assert.equal(minutes(clock(own, 'D-08')), 15);
    assert.deepEqual(['D-08', 'D-09', 'D-06', 'D-31', 'D-05'].map((id) => state(own, id)), ['fulfilled', 'running', 'running', 'running', 'none']);
    for (const id of ['D-08', 'D-09', 'D-06', 'D-31']) same(clock(own, id).from, confirmed_at);
    assert.ok(Date.parse(clock(own, 'D-08').fulfilled_at) <= Date.parse(clock(own, 'D-08').due));
    const seen = await show(p.analyst, own);
    assert.ok(seen.timeline.some((l) => l.kind === 'notify_incident'));
    assert.ok((await p.analyst.get('/inbox')).json.items.some((i) => i.case_id === own.id), 'the centre has it in its inbox');
    assert.equal((await ask(p.city, 'GET', `/cases/${own.id}`)).status, 404);
});

test('7.2 R-12-10 a case that is only suspected starts no clock, and not confirmed it is rejected and closed', async () => {
    let x = await open(p.admin2, { object: 'state-register', title: 'Күдікті файл', detected_at: now(-MINUTE) });
    assert.deepEqual([x.state, x.clocks.length], ['self_detected', 0]);
    x = await act(p.owner, x, 'reject', { reason: 'таза файл' });
    assert.equal((await act(p.analyst, x, 'close')).state, 'closed');
});

test('7.2 details follow as numbered updates that nobody changes', async () => {
    let x = await act(p.owner, own, 'update', { text: 'Төртінші сервер де шифрланған', level: 'high', incident_type: 'ransomware' });
    assert.deepEqual([x.level, state(x, 'D-31'), x.incident_type], ['high', 'fulfilled', 'ransomware']);
    await act(p.owner, own, 'add_indicator', { type: 'domain', value: 'Evil[.]Example' });
    x = await act(p.analyst, own, 'update', { text: 'Дискілерді сақтаңыз' });
    assert.deepEqual(x.updates.map((u) => [u.no, u.side]), [[1, 'party'], [2, 'centre']]);
    assert.ok(x.indicators.some((i) => i.value === 'Evil[.]Example' && i.origin === 'person'));
    assert.deepEqual(await listed(p.owner, 'indicator=evil.example'), [own.id]);
    assert.deepEqual(await listed(p.city, 'indicator=evil.example'), []);
    x = await act(p.owner, own, 'remove_indicator', { type: 'domain', value: 'evil.example', reason: 'қате' });
    assert.ok(!x.indicators.some((i) => i.type === 'domain'));
    assert.ok(x.recommendations === null || x.recommendations.length > 0);
});

test('7.2 R-12-11 D-09 D-06 Annex 2 is due seventy-two hours from the confirmation; elimination is another fact', async () => {
    let x = await act(p.owner, own, 'report_measures', { annex2: measures(await show(p.owner, own)) });
    assert.deepEqual([x.state, state(x, 'D-09'), state(x, 'D-06')], ['measures_reported', 'fulfilled', 'running']);
    const text = await pdf(p.analyst, x.documents.find((d) => d.kind === 'annex2').sha256);
    assert.ok(text.includes('Шифрлаушы') && text.includes('Тораптар қайта орнатылды'));
    assert.ok((await pdf(p.owner, x.documents.find((d) => d.kind === 'annex2').sha256)).includes('TLP:AMBER'), 'who sent it reads it, with its label');
    x = await act(p.owner, own, 'eliminate', { causes_at: now(), causes: 'осалдық жабылды', consequences_at: now(), consequences: 'көшірмеден қалпына келтірілді' });
    x = await act(p.lead, own, 'accept_elimination', { what: 'both' });
    assert.deepEqual([x.state, state(x, 'D-06')], ['eliminated', 'fulfilled']);
    assert.equal((await act(p.analyst, own, 'close')).state, 'closed');
});

test('7.2 R-A2-08 a closed case that comes back is a new one, linked to it', async () => {
    const x = await open(p.owner, { object: 'state-register', title: 'Шифрлаушы қайтып келді', detected_at: now(-MINUTE), previous: own.number });
    assert.deepEqual([x.previous.number, x.recurrence, x.state], [own.number, 'repeated', 'self_detected']);
});

/* --- 7.3 --- */

let cii;
const request = async (who, id, name, body) => {
    const a = await who.post(`/requests/${id}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.bytes}`);
    return a.json;
};

test('7.3 R-22-01 R-25-01 the OCIB detects nothing on an object that is not connected; chapter 2 does not bind it', async () => {
    const body = { object: p.served, title: 'Контроллердегі бөтен команда', detected_at: now(-MINUTE) };
    const a = await ask(p.ocib, 'POST', '/cases', body);
    assert.deepEqual([a.status, a.json.code], [409, 'not_connected']);
    assert.deepEqual([(await ask(p.analyst, 'POST', '/cases', body)).status, (await ask(p.analyst, 'POST', '/cases', body)).json.field], [400, 'object']);
    const day = at(c.now() + 5 * HOUR * 1000).slice(0, 10);
    const opened = await p.analyst.post('/requests', { kind: 'cii_connection', object_ids: [p.served], values: { included_on: day, basis: 'бұйрық 1' } });
    assert.equal(opened.status, 201, opened.bytes.toString());
    const id = opened.json.items[0].id;
    await request(p.unit, id, 'declare_connection', { connected_at: now(), cii_monitoring_system: 'SIEM', ocib_technical_means: 'коллектор' });
    assert.equal((await request(p.ocib, id, 'confirm_connection', {})).state, 'connected');
    cii = await open(p.ocib, body);
    assert.deepEqual([cii.machine, cii.detector, cii.state, cii.clocks.length], ['cii', 'ocib', 'detected_by_ocib', 0]);
});

test('7.3 R-22-02 R-22-03 D-23 D-24 D-25 D-31 the OCIB tells STS and the owner: two facts with a moment each', async () => {
    const confirmed_at = now();
    let x = await act(p.ocib, cii, 'confirm_incident', { confirmed_at, level: 'undefined' });
    assert.deepEqual([x.state, minutes(clock(x, 'D-23')), minutes(clock(x, 'D-24')), minutes(clock(x, 'D-25')), minutes(clock(x, 'D-31'))], ['confirmed', 15, 15, 72 * 60, 48 * 60]);
    await refused(p.unit, cii, 'notify_incident', { what: 'x', contact: 'y' }, 403);
    x = await act(p.ocib, cii, 'notify_incident', { what: 'Бөтен команда', contact: 'АҚЖО кезекшісі', to: ['sts'] });
    assert.deepEqual([x.state, state(x, 'D-23'), state(x, 'D-24')], ['confirmed', 'fulfilled', 'running']);
    await later(20 * MINUTE);
    x = await act(p.ocib, cii, 'notify_incident', { what: 'Бөтен команда', contact: 'АҚЖО кезекшісі' });
    assert.deepEqual([x.state, state(x, 'D-23'), state(x, 'D-24')], ['notified', 'fulfilled', 'fulfilled']);
    assert.ok(Date.parse(clock(x, 'D-24').fulfilled_at) > Date.parse(clock(x, 'D-24').due), 'the owner was told late, and it shows');
    assert.ok((await p.responsible.get('/inbox')).json.items.some((i) => i.case_id === cii.id), 'the owner has it');
    assert.ok((await p.analyst.get('/inbox')).json.items.some((i) => i.case_id === cii.id), 'STS has it');
});

test('7.3 R-22-04 D-25 the OCIB files Annex 2, the level is reviewed, no KNB notice exists in chapter 3, STS closes', async () => {
    let x = await show(p.analyst, cii);
    for (const name of ['notify', 'notify_knb', 'decide_visit', 'accept_elimination']) assert.ok(!offered(x).includes(name), name);
    await later(73 * HOUR);
    await refused(p.analyst, cii, 'notify_knb', {}, 403);
    assert.equal(state(await show(p.analyst, cii), 'D-06'), 'none');
    x = await act(p.ocib, cii, 'report_measures', { annex2: measures(await show(p.ocib, cii), { incident_type: 'unauthorized_access_and_content_modification' }) });
    assert.deepEqual([x.state, state(x, 'D-25'), state(x, 'D-31')], ['measures_reported', 'fulfilled', 'fulfilled']);
    assert.ok(Date.parse(clock(x, 'D-25').fulfilled_at) > Date.parse(clock(x, 'D-25').due));
    assert.ok((await pdf(p.analyst, x.documents.find((d) => d.kind === 'annex2').sha256)).includes('Турбина басқару жүйесі'));
    assert.equal((await act(p.analyst, cii, 'close')).state, 'closed');
});

test('7.3 R-24-01 R-24-02 R-24-03 D-27 D-28 D-29 the unit detects, the responsible person tells STS and the OCIB, the OCIB files', async () => {
    let x = await open(p.unit, { object: p.served, title: 'Жұмыс станциясындағы зиянды БҚ', detected_at: now(-MINUTE) });
    assert.deepEqual([x.detector, x.state], ['unit', 'detected_by_unit']);
    await refused(p.unit, x, 'notify_incident', { what: 'w', contact: 'c', confirmed_at: now() }, 403);
    x = await act(p.responsible, x, 'notify_incident', { what: 'Зиянды БҚ табылды', contact: '+7 000', confirmed_at: now(), level: 'medium' });
    assert.deepEqual([x.state, state(x, 'D-27'), state(x, 'D-28'), state(x, 'D-29'), state(x, 'D-30'), state(x, 'D-31')], ['notified', 'fulfilled', 'fulfilled', 'running', 'none', 'none']);
    await refused(p.unit, x, 'report_measures', { annex2: measures(x) }, 409);
    x = await act(p.ocib, x, 'report_measures', { annex2: measures(await show(p.ocib, x), { level: 'medium' }) });
    assert.deepEqual([x.state, state(x, 'D-29')], ['measures_reported', 'fulfilled']);
});

test('7.3 R-24-04 D-27 D-30 without an OCIB the unit tells STS alone and files Annex 2 itself', async () => {
    let x = await open(p.responsible, { object: p.alone, title: 'Қазандық датчигі', detected_at: now(-MINUTE), confirmed_at: now(), level: 'low' });
    assert.deepEqual([x.state, state(x, 'D-27'), state(x, 'D-28'), state(x, 'D-29'), state(x, 'D-30')], ['confirmed', 'running', 'none', 'none', 'running']);
    x = await act(p.responsible, x, 'notify_incident', { what: 'Датчик', contact: '+7 000' });
    assert.deepEqual([x.state, state(x, 'D-27')], ['notified', 'fulfilled']);
    x = await act(p.unit, x, 'report_measures', { annex2: measures(await show(p.unit, x), { level: 'low' }) });
    assert.deepEqual([x.state, state(x, 'D-30')], ['measures_reported', 'fulfilled']);
    assert.equal((await ask(p.ocib, 'GET', `/cases/${x.id}`)).status, 404, 'the other OCIB has nothing to do with it');
});

/* --- what all three share --- */

test('TLP: strict stays with the organisation, red with named persons, and what breaks the label is refused with its reason', async () => {
    let x = await open(p.unit, { object: p.served, title: 'Белгі сынағы', detected_at: now(-MINUTE), tlp: 'amber+strict' });
    assert.equal((await ask(p.ocib, 'GET', `/cases/${x.id}`)).status, 404, 'another organisation');
    await refused(p.responsible, x, 'notify_incident', { what: 'w', contact: 'c', confirmed_at: now() }, 409, { code: 'tlp_forbids', field: 'tlp' });
    assert.equal((await show(p.unit, x)).state, 'detected_by_unit', 'nothing is half-done');
    await refused(p.unit, x, 'set_tlp', { tlp: 'amber', reason: 'r' }, 400, { field: 'tlp' });
    await refused(p.unit, x, 'set_tlp', { tlp: 'red', reason: 'r' }, 400, { field: 'persons' });
    const people = (await ask(p.unit, 'GET', `/cases/${x.id}/people`)).json.items, me = people.find((k) => k.name.includes('responsible'));
    x = await act(p.unit, x, 'set_tlp', { tlp: 'red', persons: [me.id], reason: 'тергеу' });
    const named = x.persons.map((k) => k.name);
    assert.ok(named.includes(me.name) && named.some((k) => k.includes('unit')) && named.some((k) => k.includes('lead')), `who is named, who named them, and the centre’s lead: ${named}`);
    assert.equal((await show(p.responsible, x)).tlp, 'red');
    await act(p.analyst, x, 'set_tlp', { tlp: 'amber', reason: 'тергеу аяқталды' });
    x = await act(p.responsible, x, 'notify_incident', { what: 'w', contact: 'c', confirmed_at: now() });
    assert.equal(x.state, 'notified');
});

test('two cases of one object are merged by the earliest clock, shown as one with the origin of each line, and split again', async () => {
    let a = await open(p.owner, { object: 'state-register', title: 'Бірінші', detected_at: now(-2 * HOUR), confirmed_at: now(-2 * HOUR), level: 'low' });
    let b = await open(p.owner, { object: 'state-register', title: 'Екінші', detected_at: now(-HOUR), confirmed_at: now(-HOUR), level: 'low' });
    const before = { a: clock(a, 'D-09').from, b: clock(b, 'D-09').from };
    await refused(p.owner, a, 'merge', { into: b.number, reason: 'r' }, 403);
    a = await act(p.analyst, a, 'merge', { into: b.number, reason: 'бір шабуыл' });
    assert.deepEqual([a.merged_into.number, state(a, 'D-09')], [b.number, 'cancelled']);
    b = await show(p.analyst, b);
    same(clock(b, 'D-09').from, before.a);
    assert.ok(b.timeline.some((l) => l.origin === a.number) && b.timeline.some((l) => l.origin === null));
    await refused(p.owner, a, 'notify_incident', { what: 'w', contact: 'c' }, 409);
    a = await act(p.lead, a, 'split', { reason: 'екі бөлек шабуыл' });
    same(clock(a, 'D-09').from, before.a);
    assert.equal(state(a, 'D-09'), 'running');
    b = await show(p.analyst, b);
    same(clock(b, 'D-09').from, before.b);
    assert.ok(!b.timeline.some((l) => l.origin === a.number));
});

test('lists by machine, state, level, type, object, organisation and words; recommendations for each of the ten types in three languages', async () => {
    assert.ok((await listed(p.analyst, 'machine=cii')).includes(cii.id) && !(await listed(p.analyst, 'machine=cii')).includes(own.id));
    assert.ok((await listed(p.analyst, 'type=ransomware&level=high')).includes(own.id));
    assert.deepEqual(await listed(p.analyst, `q=${encodeURIComponent('шифрлаушы бағдар')}&open=false`), [own.id]);
    assert.ok((await listed(p.analyst, 'object=state-register&state=closed')).includes(first.id));
    assert.ok((await listed(p.analyst, 'org=registry-centre')).includes(own.id) && !(await listed(p.analyst, 'org=registry-centre')).includes(cii.id));
    assert.equal((await ask(p.analyst, 'GET', '/cases?level=huge')).json.field, 'level');
    const all = await listed(p.analyst, 'limit=500'), paged = [];
    for (let before = ''; ;) {
        const page = (await ask(p.analyst, 'GET', `/cases?limit=3${before}`)).json;
        paged.push(...page.items.map((x) => x.id));
        if (page.next === null) break;
        before = `&before=${page.next}`;
    }
    assert.deepEqual(paged, all);
    const advice = (await ask(p.analyst, 'GET', '/recommendations')).json.items;
    assert.equal(advice.length, 10);
    for (const a of advice) for (const lang of ['kk', 'ru', 'en']) assert.ok(a.text[lang].length > 80, `${a.incident_type} ${lang}`);
});
