// year.test.mjs - a whole year of one object through the real API, by a clock that is moved: the schedule agreed with KNB, its sixteen surveys with
// their results, letters and measures, control surveys, the categories of Annex 6 with their end, and the summaries of the quarters.
//
// The year is 2027, whatever day it is: the clock is set before the centre starts. The tests run in order, each goes on where the one before stopped.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { conditions, user } from './lib/api.mjs';
import { centre, until } from './lib/centre.mjs';

const YEAR = 2027, OBJECT = 'state-register', DAY = 24 * 3600e3, HOST = '192.0.2.10';
const MODES = ['pentest_auto', 'update_config', 'source_code', 'pentest_manual'];
const p = {}, PEOPLE = { analyst: 'analyst', owner: 'registry' };
let c, plan, letters = [];

/** Noon at Almaty of a day "2027-03-01". */
const noon = (day) => Date.parse(`${day}T07:00:00Z`);
const dayOf = (ms) => new Date(ms + 5 * 3600e3).toISOString().slice(0, 10);
const later = (day, n) => dayOf(noon(day) + n * DAY);
async function signIn(...names) {
    for (const n of names) p[n] = await c.signedIn(c.accounts[PEOPLE[n]]);
}
async function on(day, ...names) {
    const ms = noon(day) - c.now();
    assert.ok(ms > 0, `the clock stands behind ${day} already`);
    c.advance(ms / 1000);
    await signIn(...names);
}
async function get(who, path) {
    const a = await p[who].get(path);
    assert.equal(a.status, 200, `${path}: ${a.bytes}`);
    return a.json;
}
async function post(who, path, body = {}) {
    const a = await p[who].post(path, body);
    assert.ok(a.status < 300, `${path}: ${a.bytes}`);
    return a.json;
}
const act = (who, s, name, body = {}) => post(who, `/surveys/${s.id}/actions/${name}`, body);
const state = (s) => get('surveyor', `/surveys/${s.id}`);
const clock = (s, obligation) => s.clocks.filter((k) => k.obligation === obligation).at(-1);

/** A report in the form that Nessus writes, of our own making; its policy says which plugins ran. */
const CHECKS = { PASSWORD: 900001, TLS: 900002, UPDATE: 900003, OLD: 900004 };
const FOUND = {
    PASSWORD: { port: 21, severity: 4, title: 'Default password of the file service' },
    TLS: { port: 443, severity: 2, title: 'TLS 1.0 is offered' },
    UPDATE: { port: 443, severity: 3, title: 'An old web server', cve: 'CVE-2027-10001' },
    OLD: { port: 8443, severity: 3, title: 'An old library', cve: 'CVE-2027-10002' },
};
const nessus = (...names) => `<?xml version="1.0"?>
<NessusClientData_v2><Policy><policyName>ours</policyName><Preferences><ServerPreferences>
<preference><name>plugin_set</name><value>${Object.values(CHECKS).join(';')};</value></preference></ServerPreferences></Preferences></Policy>
<Report name="ours"><ReportHost name="${HOST}"><HostProperties><tag name="host-ip">${HOST}</tag><tag name="HOST_END">${new Date(c.now()).toUTCString()}</tag></HostProperties>
${names.map((n) => `<ReportItem port="${FOUND[n].port}" svc_name="general" protocol="tcp" severity="${FOUND[n].severity}" pluginID="${CHECKS[n]}" pluginName="${FOUND[n].title}" pluginFamily="ours">
<description>${FOUND[n].title} was found.</description><solution>Correct it.</solution>${FOUND[n].cve ? `<cve>${FOUND[n].cve}</cve>` : ''}</ReportItem>`).join('\n')}
</ReportHost></Report></NessusClientData_v2>
`;
const sarif = (...rules) => JSON.stringify({
    version: '2.1.0',
    runs: [{
        tool: { driver: { name: 'Reader of sources', rules: [{ id: 'sql', shortDescription: { text: 'A query is put together from input' } }, { id: 'log', shortDescription: { text: 'A secret is logged' } }] } },
        results: rules.map((r) => ({ ruleId: r, level: 'error', message: { text: `rule ${r}` }, locations: [{ physicalLocation: { artifactLocation: { uri: 'src/app.c' }, region: { startLine: 7 } } }] })),
    }],
});
async function results(s, name, content) {
    const up = await p.surveyor.upload(name, Buffer.from(content));
    await post('surveyor', `/surveys/${s.id}/results`, { upload_id: up.json.id });
    return until('the results are read', async () => {
        const now = await state(s);
        const r = now.results[0];
        assert.notEqual(r.state, 'refused', JSON.stringify(r));
        return !now.busy && r.state === 'applied' ? now : null;
    }, 90);
}
/** One survey of the schedule from its first day to the owner's measures; how answers each vulnerability, or null: nothing was found. */
async function carry(s, content, how) {
    await on(s.from_on, 'surveyor', 'owner');
    s = await act('surveyor', s, 'start');
    assert.equal(s.state, 'in_progress', JSON.stringify(s.values));
    if (s.mode === 'pentest_manual') s = await act('surveyor', s, 'adjacent', { lan: 'absent', reason: 'the object stands alone in its network' });
    if (content && !s.scope.some((x) => x.hosts.includes(HOST))) s = await act('surveyor', s, 'scope_add', { name: 'web', hosts: [HOST] });
    if (content) await results(s, ...content);
    s = await act('surveyor', s, 'complete', content ? {} : { reason: 'nothing was found' });
    assert.equal(clock(s, 'D-12').state, 'running');
    s = await act('surveyor', s, 'send_results');
    assert.equal(clock(s, 'D-12').state, 'fulfilled');
    s = await act('owner', s, 'receive');
    assert.equal(clock(s, 'D-13').state, 'running');
    const found = (await get('owner', `/surveys/${s.id}/vulnerabilities`)).items;
    const body = found.length === 0 ? { nothing_to_fix: true } : how ? { items: found.map((f) => ({ vulnerability: f.id, ...how(f) })) } : { all: { answer: 'until', on: later(s.from_on, 30) } };
    s = await act('owner', s, 'send_measures', body);
    assert.deepEqual([s.state, clock(s, 'D-13').state], ['measures_received', 'fulfilled']);
    letters.push(s.values.results_notice, s.values.measures_notice);
    return { survey: s, found };
}
const line = (mode, kind, ordinal) => plan.lines.find((l) => l.mode === mode && l.kind === kind && l.ordinal === ordinal);
const survey = (mode, kind, ordinal) => get('surveyor', `/surveys/${plan.surveys.find((x) => x.mode === mode && x.kind === kind && x.ordinal === ordinal).id}`);
const named = async (title) => (await get('surveyor', `/vulnerabilities?object=${OBJECT}&closed=true`)).items.concat((await get('surveyor', `/vulnerabilities?object=${OBJECT}`)).items).find((v) => v.title === title);

before(async () => {
    c = await centre({ demo: true });
    c.advance((Date.UTC(YEAR - 1, 11, 1, 5) - c.now()) / 1000);
    await c.start();
    await c.signedIn('administrator').then(async (admin) => {
        for (const [name, role, org] of [['lead', 'centre_lead', 'sts'], ['surveyor', 'surveyor', 'sts'], ['knb', 'knb', 'knb']]) PEOPLE[name] = await user(c, admin, name, role, org);
    });
    await signIn(...Object.keys(PEOPLE));
    for (const to of ['commissioned', 'information_received', 'listed']) await post('analyst', `/registry/objects/${OBJECT}/state`, { to, reason: 'for the schedule' });
    await conditions(c, p.analyst, p.owner, OBJECT);
});
after(async () => { await c?.remove(); });

test('R-9-01, R-9-02: the schedule of the year is laid out, agreed with KNB, and becomes sixteen surveys', { timeout: 600000 }, async () => {
    const people = (await get('lead', '/schedule/teams')).people;
    await post('lead', '/schedule/teams', { name: 'Team 1', at_once: 2, days_week: 20, modes: [...MODES, 'document'], active: true,
        member_ids: [people.find((x) => x.name.includes('surveyor surveyor')).id], absences: [] });
    plan = await post('analyst', '/schedule/plans', { year: YEAR, documents: 0 });
    await post('analyst', `/schedule/plans/${plan.id}/actions/generate`, { scope: 'all' });
    const before = await post('lead', `/schedule/plans/${plan.id}/actions/send`);
    const sent = await post('knb', `/schedule/plans/${plan.id}/actions/agree`, { version: before.version, sha256: before.versions[0].sha256 });
    letters.push(sent.versions[0].notice_id);
    plan = { ...sent, lines: (await get('analyst', `/schedule/plans/${plan.id}/lines?limit=1000`)).items };
    assert.equal(plan.lines.length, 16);
    plan.surveys = await until('the surveys are planned', async () => {
        const all = (await get('surveyor', '/surveys?side=all&limit=100')).items;
        return all.length === 16 ? all : null;
    });
    for (const l of plan.lines) assert.ok(plan.surveys.some((s) => s.mode === l.mode && s.kind === l.kind && s.ordinal === l.ordinal && s.from_on === l.from_on), `${l.mode} ${l.kind} ${l.ordinal}`);
});

test('R-10.2-01 to R-10.2-08, R-13-01 to R-13-05, D-12, D-13, D-15: surveys, letters, measures and control surveys over the year', { timeout: 1800000 }, async (t) => {
    const order = [...plan.surveys].sort((a, b) => (a.from_on < b.from_on ? -1 : 1));
    let claimed = null, expiry = null;
    for (const [i, planned] of order.entries()) {
        const s = { ...planned }, first = s.ordinal === 1;
        /* Two works may begin on one day: the second one begins on the day after. */
        if (i > 0 && s.from_on <= order[i - 1].from_on) s.from_on = later(order[i - 1].from_on, 1);
        order[i].from_on = s.from_on;
        if (s.mode === 'pentest_auto' && s.kind === 'main' && first) {
            const { found } = await carry(s, ['first.nessus', nessus('PASSWORD', 'TLS', 'UPDATE')], (f) => (f.title === FOUND.PASSWORD.title ? { answer: 'fixed', on: s.from_on } : f.title === FOUND.UPDATE.title
                ? { answer: 'until', on: later(s.from_on, 30), comment: 'with the next release' } : { answer: 'claim' }));
            assert.deepEqual(found.map((f) => f.severity), ['critical', 'high', 'medium']);
            claimed = (await named(FOUND.TLS.title)).id;
            const body = { category: 'production_necessity', vulnerability_and_state_description: 'Old clients', measures_taken: 'An allow list', required_changes: 'New clients' };
            let a = await p.owner.post(`/vulnerabilities/${claimed}/actions/claim`, body);
            assert.deepEqual([a.status, a.json.field], [400, 'elimination_due_on']);
            a = await p.owner.post(`/vulnerabilities/${claimed}/actions/claim`, { ...body, elimination_due_on: later(s.from_on, 200) });
            assert.deepEqual([a.status, a.json.field], [400, 'elimination_due_on'], 'more than six months from the first detection');
            expiry = later(s.from_on, 150);
            const v = await post('owner', `/vulnerabilities/${claimed}/actions/claim`, { ...body, elimination_due_on: expiry });
            assert.equal(v.state, 'claimed_production_necessity');
        } else if (s.mode === 'pentest_auto' && s.kind === 'control' && first) {
            await carry(s, ['control.nessus', nessus('TLS', 'UPDATE')]);
            const seen = await until('the comparison is ready', async () => { const x = await get('surveyor', `/surveys/${s.id}/comparison`); return x.ready ? x : null; });
            assert.deepEqual([seen.counts.fixed, seen.counts.not_fixed, seen.counts.claimed, seen.counts.new, seen.counts.not_covered], [1, 1, 1, 0, 0], JSON.stringify(seen.counts));
            assert.equal((await named(FOUND.PASSWORD.title)).state, 'fixed');
        } else if (s.mode === 'pentest_auto' && s.ordinal === 2 && s.kind === 'main') {
            await carry(s, ['second.nessus', nessus('PASSWORD', 'OLD', 'TLS')]);
            const back = await get('surveyor', `/vulnerabilities/${(await named(FOUND.PASSWORD.title)).id}`);
            assert.equal(dayOf(Date.parse(back.first_detected_at)).slice(0, 4), String(YEAR));
            assert.ok(['reappeared', 'sent_to_owner', 'measures_reported'].includes(back.state), back.state);
            assert.ok(Date.parse(back.first_detected_at) < noon(s.from_on) - 20 * DAY, 'the first detection stays over the fixing');
        } else if (s.mode === 'source_code' && first) {
            await carry(s, ['sources.sarif', s.kind === 'main' ? sarif('sql', 'log') : sarif('log')], (f) => (s.kind === 'main' && /secret/.test(f.title) ? { answer: 'claim' } : { answer: 'fixed', on: s.from_on }));
            if (s.kind === 'main') {
                const log = (await named('A secret is logged')) ?? (await named('rule log'));
                let v = await post('owner', `/vulnerabilities/${log.id}/actions/claim`, { category: 'false_positive', characteristic_or_state_description: 'It is the name of a setting, not a secret' });
                assert.equal(v.state, 'claimed_false_positive');
                v = await post('surveyor', `/vulnerabilities/${log.id}/actions/accept_false_positive`, { note: 'seen in the source' });
                assert.equal(v.state, 'closed');
            }
        } else if (s.mode === 'pentest_auto') {
            await carry(s, ['more.nessus', nessus('TLS', 'OLD')]);
        } else {
            await carry(s, null);
        }
        t.diagnostic(`${s.from_on} ${s.mode} ${s.kind} ${s.ordinal}`);
    }
    await signIn('surveyor');
    const v = await get('surveyor', `/vulnerabilities/${claimed}`);
    const ended = v.acts.find((x) => x.kind === 'expire');
    assert.equal(dayOf(Date.parse(ended.at)), expiry, 'the claim ends on the day that the owner has named');
    const controls = v.surveys.filter((x) => x.control).map((x) => x.verdict);
    assert.deepEqual(controls, ['claimed', 'claimed', 'not_fixed', 'not_fixed'], 'a claim holds until it ends, and no longer');
    assert.equal(dayOf(Date.parse(v.first_detected_at)), order.find((s) => s.mode === 'pentest_auto').from_on);
    const d15 = v.clocks.find((k) => k.obligation === 'D-15');
    assert.equal(Date.parse(d15.from), Date.parse(v.first_detected_at));
    letters.push(v.notices.find((n) => n.kind === 'vulnerability_claim').id);
});

test('R-17-04, R-18-03, R-17-07: the summaries of the quarters count surveys, vulnerabilities, measures and claims', { timeout: 600000 }, async () => {
    await on(`${YEAR + 1}-01-12`, 'lead', 'surveyor', 'analyst', 'knb', 'owner');
    const figure = async (quarter, id) => (await get('lead', `/figures?paragraph=17&quarter=${YEAR}Q${quarter}`)).figures.find((f) => f.id === id).total;
    let surveys = 0, found = 0;
    for (const q of [1, 2, 3, 4]) {
        surveys += await figure(q, 'vulnerabilities.surveys');
        found += await figure(q, 'vulnerabilities.found');
    }
    assert.equal(surveys, 16);
    assert.equal(found, 6, 'four of the network and two of the source code');
    let claims = 0, fixed = 0;
    for (const q of [1, 2, 3, 4]) { claims += await figure(q, 'measures.claims'); fixed += await figure(q, 'vulnerabilities.fixed'); }
    assert.equal(claims, 2);
    assert.ok(fixed >= 1);
    const report = (await get('lead', '/reports?paragraph=17&limit=20')).items.find((x) => x.quarter === `${YEAR}Q4`);
    const pdf = await p.lead.get(`/reports/${report.id}/file?format=pdf`);
    assert.equal(pdf.bytes.subarray(0, 5).toString(), '%PDF-');
});

test('plan against done: all sixteen, and every letter of the year is a PDF', { timeout: 600000 }, async () => {
    const modes = (await get('analyst', `/schedule/plans/${plan.id}/progress`)).items;
    assert.equal(modes.reduce((n, m) => n + m.planned, 0), 16);
    assert.equal(modes.reduce((n, m) => n + m.in_time + m.late, 0), 16, JSON.stringify(modes));
    assert.equal(letters.length, 34);
    for (const id of letters) {
        const pdf = await p.lead.get(`/notices/${id}/pdf`);
        assert.equal(pdf.bytes.subarray(0, 5).toString(), '%PDF-', `notice ${id}: ${pdf.bytes.subarray(0, 200)}`);
    }
    assert.equal((await post('lead', `/schedule/plans/${plan.id}/actions/complete`)).state, 'completed');
});
