// schedule.test.mjs - a year's plan through the real API: teams and closed days, laid out, edited, agreed with KNB, amended, plan against done.
//
// One centre with the demonstration registry and a person of each role. Every answer is compared with docs/openapi.yaml. The tests run in order.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { api, user } from './lib/api.mjs';
import { listen } from './lib/stream.mjs';
import { centre, run, until } from './lib/centre.mjs';

let c, admin, p = {}, plan, team;
const OBJECT = 'state-register', MODES = ['pentest_auto', 'update_config', 'source_code', 'pentest_manual'];
const YEAR = 2027;   // the calendar of working days has it whole, whatever day it is today

const { ask, get } = api();
const post = async (who, path, body, status = 201) => {
    const a = await ask(who, 'POST', path, body);
    assert.equal(a.status, status, `${path}: ${a.bytes}`);
    return a.json;
};
const act = async (who, name, body = {}, status = 200) => {
    const a = await ask(who, 'POST', `/schedule/plans/${plan.id}/actions/${name}`, body);
    assert.equal(a.status, status, `${name}: ${a.bytes}`);
    return a.json;
};
/** What an answer names: the version that lies there and its digest. */
const seen = () => ({ version: plan.version, sha256: plan.versions[0].sha256 });
const lines = async (who, query = '') => (await get(who, `/schedule/plans/${plan.id}/lines?limit=1000${query}`)).items;

const PEOPLE = { admin: 'admin', analyst: 'analyst', owner: 'registry', city: 'city' };
async function person(name, role, org) { PEOPLE[name] = await user(c, admin, name, role, org); }

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    admin = await c.signedIn('administrator');
    for (const [name, role, org] of [['lead', 'centre_lead', 'sts'], ['surveyor', 'surveyor', 'sts'], ['stranger', 'surveyor', 'sts'], ['documents', 'document_auditor', 'sts'], ['knb', 'knb', 'knb'],
        ['audit', 'auditor', null], ['list', 'authorised_body', 'knb']])
        await person(name, role, org);
    for (const [name, login] of Object.entries(PEOPLE)) p[name] = await c.signedIn(c.accounts[login]);
    admin = p.admin;
    for (const to of ['commissioned', 'information_received', 'listed'])
        assert.equal((await p.analyst.post(`/registry/objects/${OBJECT}/state`, { to, reason: 'for the schedule' })).status, 200, to);
});
after(async () => { await c?.remove(); });

test('teams and closed days: who may, and what is refused at its field', async () => {
    const people = (await get(p.lead, '/schedule/teams')).people, surveyor = people.find((x) => x.name.includes('surveyor surveyor'));
    const body = { name: 'Team 1', at_once: 2, days_week: 20, modes: [...MODES, 'document'], active: true, member_ids: [surveyor.id],
        absences: [{ from_on: `${YEAR}-08-02`, to_on: `${YEAR}-08-15`, less: 0, reason: 'holidays' }] };
    assert.equal((await ask(p.analyst, 'POST', '/schedule/teams', body)).status, 403);
    team = await post(p.lead, '/schedule/teams', body);
    assert.equal((await ask(p.lead, 'POST', '/schedule/teams', body)).status, 409);
    const wrong = await ask(p.lead, 'PUT', `/schedule/teams/${team.id}`, { ...body, absences: [{ from_on: `${YEAR}-08-15`, to_on: `${YEAR}-08-02`, less: 0, reason: 'x' }] });
    assert.deepEqual([wrong.status, wrong.json.field], [400, 'absences.0.to_on']);
    assert.equal((await ask(p.lead, 'PUT', `/schedule/teams/${team.id}`, { ...body, member_ids: ['999999'] })).status, 400);
    await post(p.analyst, '/schedule/blackouts', { object_id: OBJECT, from_on: `${YEAR}-06-01`, to_on: `${YEAR}-06-30`, reason: 'national testing' });
    const gone = await post(p.analyst, '/schedule/blackouts', { from_on: `${YEAR}-05-03`, to_on: `${YEAR}-05-04`, reason: 'a mistake' });
    await post(p.analyst, `/schedule/blackouts/${gone.id}/remove`, {}, 204);
    assert.equal((await ask(p.analyst, 'POST', '/schedule/blackouts', { object_id: 'none', from_on: `${YEAR}-05-03`, to_on: `${YEAR}-05-04`, reason: 'x' })).status, 400);
    assert.equal((await get(p.owner, '/schedule/blackouts')).items.length, 1);
    assert.equal((await get(p.city, '/schedule/blackouts')).items.length, 0);
});

test('R-9-01, F-01, F-02, F-03, F-04: a plan is laid out with the counts of the edition; nothing stands on closed days', async () => {
    const short = await ask(p.analyst, 'POST', '/schedule/plans', { year: 2199, documents: 1 });
    assert.deepEqual([short.status, short.json.code, short.json.field], [400, 'no_calendar', 'year']);
    plan = await post(p.analyst, '/schedule/plans', { year: YEAR, documents: 1 });
    assert.deepEqual([plan.state, plan.from_on, plan.version], ['draft', `${YEAR}-01-01`, 0]);
    assert.equal((await ask(p.analyst, 'POST', '/schedule/plans', { year: YEAR, documents: 1 })).status, 409);
    plan = await act(p.analyst, 'generate', { scope: 'all' });
    assert.equal(plan.counts.unplaced, 0);
    const all = await lines(p.analyst);
    for (const f of plan.frequencies.filter((x) => x.obligation)) {
        const mine = all.filter((l) => l.mode === f.mode);
        assert.deepEqual([mine.filter((l) => l.kind === 'main').length, mine.filter((l) => l.kind === 'control').length], [f.main, f.control], f.obligation);
    }
    assert.equal(all.length, 17);
    for (const l of all) assert.ok(l.to_on < `${YEAR}-06-01` || l.from_on > `${YEAR}-06-30`, `${l.from_on}`);
    const object = await get(p.analyst, `/schedule/plans/${plan.id}/objects/${OBJECT}`);
    assert.equal(object.lines.length, 17);
    assert.ok(object.owed.find((o) => o.mode === 'pentest_auto').arithmetic.length > 0);
    const again = await act(p.analyst, 'generate', { scope: 'all' });
    assert.equal(again.counts.draft_lines, 17);
    assert.deepEqual((await lines(p.analyst)).map((l) => [l.mode, l.from_on]), all.map((l) => [l.mode, l.from_on]), 'the same data give the same plan');
});

test('lines are filtered, paged and told as a calendar', async () => {
    const first = await get(p.analyst, `/schedule/plans/${plan.id}/lines?limit=5`), second = await get(p.analyst, `/schedule/plans/${plan.id}/lines?limit=5&before=${first.next}`);
    assert.equal(new Set([...first.items, ...second.items].map((l) => l.id)).size, 10);
    assert.equal((await lines(p.analyst, '&mode=update_config&kind=main')).length, 1);
    const one = first.items[0];
    assert.ok((await lines(p.analyst, `&on=${one.to_on}`)).some((l) => l.id === one.id));
    assert.ok((await lines(p.analyst, `&month=${one.from_on.slice(0, 7)}`)).every((l) => l.from_on.startsWith(one.from_on.slice(0, 7))));
    assert.equal((await lines(p.analyst, `&team=${team.id}`)).length, 17);
    assert.equal((await ask(p.analyst, 'GET', `/schedule/plans/${plan.id}/lines?month=x`)).status, 400);
    const year = await get(p.analyst, `/schedule/plans/${plan.id}/calendar`);
    assert.equal(year.months.reduce((n, m) => n + m.begin, 0), 17);
    assert.equal(year.weeks.reduce((n, w) => n + w.begin, 0), 17);
    assert.ok(year.days.find((d) => d.day === one.from_on).works >= 1);
    assert.ok(year.off.includes(`${YEAR}-01-01`));
    for (const [format, head] of [['xlsx', 'PK'], ['pdf', '%PDF'], ['csv', '\ufeff']]) {
        const file = await p.analyst.get(`/schedule/plans/${plan.id}/export?format=${format}`);
        assert.equal(file.status, 200, format);
        assert.ok(file.bytes.toString('utf8').startsWith(head) || format === 'csv', format);
        if (format === 'pdf') assert.match((await run('pdftotext', ['-raw', '-', '-'], { input: file.bytes })).out.slice(0, 600), new RegExp(`, ${YEAR}\\b`), 'the title names the year');
    }
    assert.equal((await ask(p.analyst, 'GET', `/schedule/plans/${plan.id}/export?format=doc`)).status, 400);
});

test('by hand: a conflict is told with its rule, a soft one is accepted with a reason, and laying out anew leaves what was set', async () => {
    const [line] = await lines(p.analyst, '&mode=document'), path = `/schedule/plans/${plan.id}/lines/${line.id}`;
    const soft = await ask(p.analyst, 'PUT', path, { from_on: `${YEAR}-06-07` });
    assert.deepEqual([soft.status, soft.json.code], [409, 'schedule_conflict']);
    const said = soft.json.errors.find((x) => x.code === 'blackout');
    assert.match(said.detail, /national testing/);
    const hard = await ask(p.analyst, 'PUT', path, { from_on: `${YEAR + 1}-01-11`, accept: true, reason: 'x' });
    assert.deepEqual([hard.status, hard.json.code, hard.json.errors[0].code], [400, 'schedule_refused', 'year']);
    assert.match(hard.json.errors[0].detail, new RegExp(`${YEAR}\\D+92`));
    assert.equal((await ask(p.owner, 'PUT', path, { from_on: `${YEAR}-06-07` })).status, 403);
    const put = await ask(p.analyst, 'PUT', path, { from_on: `${YEAR}-06-07`, accept: true, reason: 'the owner asked for it' });
    assert.deepEqual([put.status, put.json.from_on, put.json.fixed, put.json.reason], [200, `${YEAR}-06-07`, true, 'the owner asked for it']);
    await act(p.analyst, 'generate', { scope: 'all' });
    assert.equal((await lines(p.analyst, '&mode=document'))[0].from_on, `${YEAR}-06-07`);
    const [control] = await lines(p.analyst, '&mode=source_code&kind=control');
    await post(p.analyst, `/schedule/plans/${plan.id}/lines/${control.id}/remove`, {}, 204);
    const wrong = await get(p.analyst, `/schedule/plans/${plan.id}/mismatches`);
    assert.deepEqual([wrong.total, wrong.items[0].mode, wrong.items[0].control, wrong.items[0].due_control], [1, 'source_code', 1, 2]);
    const refused = await act(p.lead, 'send', {}, 409);
    assert.equal(refused.code, 'counts_differ');
    assert.match(refused.errors[0].detail, /F-03\D+ 2 \D+ 2 \D+ 2 \D+ 1\D*$/);
    const added = await ask(p.analyst, 'POST', `/schedule/plans/${plan.id}/lines`, { object_id: OBJECT, mode: 'source_code', kind: 'control', from_on: control.from_on, team_id: team.id });
    assert.deepEqual([added.status, added.json.ordinal, added.json.pair_id], [201, control.ordinal, control.pair_id], added.bytes.toString());
    assert.equal((await get(p.analyst, `/schedule/plans/${plan.id}/mismatches`)).total, 0);
});

test('R-9-02: KNB gets the letter with its form and the whole table, returns the plan with remarks and agrees the next version', async () => {
    assert.equal((await ask(p.knb, 'GET', `/schedule/plans/${plan.id}`)).status, 404);
    assert.equal((await ask(p.analyst, 'POST', `/schedule/plans/${plan.id}/actions/send`, {})).status, 403);
    plan = await act(p.lead, 'send', { note: 'for 2027' });
    assert.deepEqual([plan.state, plan.version, plan.versions[0].lines], ['sent_for_agreement', 1, 17]);
    const notice = (await p.knb.get(`/notices/${plan.versions[0].notice_id}`)).json;
    assert.equal(notice.form.form, 'works_schedule');
    assert.deepEqual(notice.files.map((f) => f.name.split('.').slice(1).join('.')).sort(), ['json', 'kk.pdf', 'ru.pdf', 'xlsx'], 'the table on paper in both languages');
    assert.equal(notice.files.find((f) => f.name.endsWith('.json')).sha256, plan.versions[0].sha256, 'the form names the text that is frozen');
    assert.equal((await p.knb.get(`/notices/${notice.id}/pdf`)).bytes.subarray(0, 4).toString(), '%PDF');
    assert.equal((await lines(p.knb)).length, 17);
    assert.equal((await ask(p.owner, 'GET', `/schedule/plans/${plan.id}`)).status, 404, 'not agreed yet');
    assert.equal((await ask(p.analyst, 'POST', `/schedule/plans/${plan.id}/actions/generate`, { scope: 'all' })).status, 409);
    const first = seen();
    assert.equal((await act(p.knb, 'return', { remarks: 'x' }, 400)).field, 'version');
    plan = await act(p.knb, 'return', { ...first, remarks: 'Please add nothing in July.' });
    assert.equal(plan.state, 'returned');
    plan = await act(p.analyst, 'rework');
    plan = await act(p.lead, 'send');
    /* KNB has the first version open still: it agrees to nothing with that. */
    const other = await act(p.knb, 'agree', { ...first, note: 'agreed' }, 409);
    assert.deepEqual([other.code, other.field], ['another_version', 'version']);
    assert.equal((await act(p.knb, 'agree', { ...seen(), sha256: '0'.repeat(64) }, 409)).field, 'sha256');
    plan = await act(p.knb, 'agree', { ...seen(), note: 'agreed' });
    assert.deepEqual([plan.state, plan.agreed_version, plan.versions.length], ['agreed', 2, 2]);
    assert.deepEqual(plan.versions.map((v) => v.decision), ['agreed', 'returned']);
    assert.match(plan.versions[1].remarks, /July/);
    const told = (await p.lead.get('/notices?limit=20')).json.items.filter((n) => n.kind === 'works_schedule_answer');
    assert.equal(told.length, 2);
    const letter = (await p.lead.get(`/notices/${told[0].id}`)).json;
    assert.ok(letter.text.includes(plan.versions[0].sha256), 'the letter names the digest');
    const trail = (await p.audit.get('/audit?limit=50')).json.items.find((r) => r.action === 'schedule.agree' && r.outcome === 'ok');
    assert.ok(trail.detail.endsWith(`version 2, sha256 ${plan.versions[0].sha256}`), trail.detail);
});

test('once agreed the owner sees the works of their objects, a team its own, and nobody those of others', async () => {
    assert.equal((await lines(p.owner)).length, 17);
    assert.equal((await lines(p.city)).length, 0);
    assert.equal((await lines(p.surveyor)).length, 17);
    assert.equal((await lines(p.stranger)).length, 0);
    assert.equal((await get(p.owner, `/schedule/plans/${plan.id}/objects/${OBJECT}`)).lines.length, 17);
    assert.equal((await ask(p.city, 'GET', `/schedule/plans/${plan.id}/objects/${OBJECT}`)).status, 404);
    assert.equal((await ask(p.owner, 'GET', `/schedule/plans/${plan.id}/lines?set=draft`)).status, 404);
    assert.equal((await ask(p.list, 'GET', `/schedule/plans/${plan.id}`)).status, 403);
    assert.equal((await get(p.analyst, `/schedule/plans/${plan.id}/mismatches`)).total, 0, 'between amendments nothing is missing');
    assert.equal((await get(p.owner, `/schedule/plans/${plan.id}`)).counts, null);
    assert.equal((await get(p.owner, `/schedule/plans/${plan.id}`)).versions.length, 1);
    await until('the object stands in the schedule', async () => ['scheduled', 'monitored'].includes((await p.analyst.get(`/registry/objects/${OBJECT}`)).json.state));
});

test('an amendment: a new object gets its works, what is agreed stays meanwhile, differences are told', async () => {
    const streams = await Promise.all([p.analyst, p.owner, p.list].map((who) => listen(who, '/stream')));
    const told = (s) => s.messages.some((m) => m.data.type === 'plan' && m.data.id === plan.id);
    plan = await act(p.analyst, 'amend', { reason: 'a new object' });
    await until('open pages of the centre and of the owner hear of it', () => told(streams[0]) && told(streams[1]));
    assert.ok(!told(streams[2]), 'a role without schedules hears nothing');
    for (const s of streams) s.close();
    assert.equal(plan.state, 'amendment_draft');
    const object = (await p.analyst.get('/registry/objects/city-portal')).json;
    const put = await p.analyst.put('/registry/objects/city-portal', { version: object.version, reason: 'protection too', value: { ...object.value, work_types: ['incident_response', 'protection'] } });
    assert.equal(put.status, 200, put.bytes.toString());
    plan = (await act(p.analyst, 'generate', { scope: 'missing' }));
    assert.equal(plan.counts.left_out, 1, 'an object outside the list is told of and not planned');
    for (const to of ['commissioned', 'information_received', 'listed'])
        assert.equal((await p.analyst.post('/registry/objects/city-portal/state', { to, reason: 'for the schedule' })).status, 200, to);
    const before = await lines(p.analyst, `&set=draft&object=${OBJECT}`);
    plan = await act(p.analyst, 'generate', { scope: 'missing' });
    assert.equal((await ask(p.analyst, 'POST', `/schedule/plans/${plan.id}/actions/generate`, { scope: 'all' })).status, 400);
    assert.deepEqual([plan.counts.draft_lines, plan.counts.unplaced, plan.counts.agreed_lines], [33, 0, 17]);
    assert.deepEqual(await lines(p.analyst, `&set=draft&object=${OBJECT}`), before, 'the others stay where they are');
    assert.equal((await lines(p.city)).length, 0);
    const [line] = await lines(p.analyst, '&set=draft&mode=pentest_manual&kind=main');
    const moved = await ask(p.analyst, 'PUT', `/schedule/plans/${plan.id}/lines/${line.id}`, { from_on: line.from_on, to_on: line.to_on, team_id: null, accept: true, reason: 'outsourced' });
    assert.equal(moved.status, 200, moved.bytes.toString());
    assert.equal((await lines(p.owner)).find((l) => l.id === line.id).team.id, team.id, 'what was agreed stays');
    const draft = await get(p.analyst, `/schedule/plans/${plan.id}/changes`);
    assert.deepEqual(draft.items.filter((x) => x.change === 'moved').map((x) => x.line_id), [line.id]);
    assert.equal(draft.items.filter((x) => x.change === 'added' && x.object.id === 'city-portal').length, 16);
    plan = await act(p.lead, 'send');
    assert.deepEqual((await get(p.knb, `/schedule/plans/${plan.id}/changes?version=${plan.version}`)).items, draft.items);
    plan = await act(p.lead, 'record_agreement', { ...seen(), letter_number: '7-12/1', letter_date: `${YEAR - 1}-12-20` });
    assert.equal(plan.agreed_version, 3);
    assert.equal((await lines(p.owner)).find((l) => l.id === line.id).team, null);
    assert.equal((await lines(p.city)).length, 16);
});

test('plan against done by mode, month and object', async () => {
    const modes = (await get(p.analyst, `/schedule/plans/${plan.id}/progress`)).items;
    assert.deepEqual(modes.map((m) => [m.key, m.planned]).sort(), [['document', 1], ['pentest_auto', 16], ['pentest_manual', 4], ['source_code', 8], ['update_config', 4]]);
    assert.equal((await get(p.analyst, `/schedule/plans/${plan.id}/progress?by=month`)).items.reduce((n, m) => n + m.planned, 0), 33);
    const objects = await get(p.owner, `/schedule/plans/${plan.id}/progress?by=object`);
    assert.deepEqual(objects.items.map((o) => [o.key, o.planned]), [[OBJECT, 17]]);
    assert.equal((await ask(p.analyst, 'GET', `/schedule/plans/${plan.id}/progress?by=moon`)).status, 400);
    assert.equal((await act(p.lead, 'complete', {}, 409)).code, 'wrong_state');
});
