// main.test.mjs - the main job: a real attack in a real log becomes a notified, answered and closed case.
//
// The tests run in order and share one centre: each continues the story of the one before.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import https from 'node:https';
import { centre, saqshy, until, sendSyslog, run, bin, root } from './lib/centre.mjs';
import { smtp } from './lib/smtp.mjs';

let c, mail, analyst, officer, theCase, live;
const changes = [];
const clock = (x, id) => x.clocks.find((k) => k.obligation === id);
const minutes = (k) => (Date.parse(k.due) - Date.parse(k.from)) / 60000;
const show = async (client = analyst) => (await client.get(`/cases/${theCase}`)).json;
async function act(client, name, body = {}) {
    const a = await client.post(`/cases/${theCase}/actions/${name}`, body);
    assert.equal(a.status, 200, `${name}: ${a.status} ${a.bytes}`);
    return a.json;
}

/** A live stream, as the page keeps one. */
function listen(client) {
    const r = https.request({ host: '127.0.0.1', port: client.port, path: '/api/v1/stream', ca: client.ca, agent: false, headers: { Cookie: client.cookie } }, (a) => {
        let text = '';
        a.on('data', (d) => {
            text += d;
            for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2))
                for (const line of text.slice(0, end).split('\n')) if (line.startsWith('data:')) changes.push(JSON.parse(line.slice(5)));
        });
        a.on('error', () => {});
    });
    r.on('error', () => {});
    r.end();
    return r;
}

before(async () => {
    mail = await smtp();
    c = await centre({ demo: true, smtp: mail.port });
    await c.start();
    c.startAgent();
    analyst = await c.signedIn('centre_analyst');
    live = listen(analyst);
});
after(async () => {
    live?.destroy();
    await c?.remove();
    await mail?.stop();
});

test('R-10.1-04 lines that a real sshd wrote are collected by the agent, parsed, stored and found', async (t) => {
    const attack = await saqshy(['demo', 'attack', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(attack.code, 0, attack.out + attack.err);
    const found = await until('twelve failed logins are found', async () => {
        const e = await c.events('"Failed password" source.ip:127.0.0.1');
        return e.length >= 12 ? e : null;
    }).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    assert.ok(found.every((e) => e['saqshy.parser'] === 'sshd' && e['saqshy.class'] === 'os-unix'));
    assert.ok(found.every((e) => e['event.original'].includes('Failed password')));
    const accepted = await until('the login that succeeded', async () => (await c.events('Accepted source.ip:127.0.0.1'))[0]);
    assert.equal(accepted['event.outcome'], 'success');
    t.diagnostic(`${found.length} failed logins`);
});

test('R-10.1-06 D-05 the findings open a case whose thirty minutes run from detection, and the page is told at once', async () => {
    const found = await until('a case of a login after brute force', async () => (await analyst.get('/cases')).json.items.find((x) => /success|brute|подбор|таңдау|сәтті/i.test(JSON.stringify([x.rule.name, x.title])) && x.object), 60)
        .catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    theCase = found.id;
    const x = await show();
    assert.equal(x.state, 'detected');
    assert.equal(minutes(clock(x, 'D-05')), 30);
    assert.equal(Date.parse(clock(x, 'D-05').from), Date.parse(x.detected_at));
    assert.ok(clock(x, 'D-05').arithmetic.length > 0);
    assert.ok(x.findings.length > 0 && x.findings[0]['event.original'].length > 0);
    await until('the stream told of the case', () => changes.some((k) => k.type === 'case' && k.id === theCase));
    const clocks = (await analyst.get('/clocks')).json.items;
    assert.ok(clocks.some((k) => k.case_id === theCase && k.obligation === 'D-05'));
    const dues = clocks.map((k) => Date.parse(k.due));
    assert.deepEqual(dues, [...dues].sort((a, b) => a - b));
});

test('an owner does not see the case before the notice, and a stranger never', async () => {
    const x = await show();
    const officers = Object.values(c.accounts).filter((a) => a.role === 'owner_officer');
    assert.ok(officers.length >= 2, 'the demonstration has officers of two organisations');
    for (const a of officers) {
        const one = await c.signedIn(a.login);
        const me = (await one.get('/session')).json.user;
        assert.equal((await one.get(`/cases/${theCase}`)).status, 404);
        if (me.org_id === x.org.id) officer = one;
    }
    assert.ok(officer, 'the organisation of the object has an officer');
});

test('R-10.1-07 R-10.1-08 R-10.1-09 R-10.1-10 D-05 the notice of Annex 7 with first recommendations goes out by mail and inbox, with proof', async () => {
    let x = await act(analyst, 'analyse', { note: 'брутфорс, кейін сәтті кіру' });
    assert.equal(x.state, 'primary_analysis');
    assert.equal(x.annex7.source_ip, '127.0.0.1');
    assert.ok(x.annex7.device_name && x.annex7.event_name && x.annex7.owner_or_possessor && x.annex7.object);
    assert.ok(x.recommendations);
    x = await act(analyst, 'notify', { detection_kind: 'incident', annex7: x.annex7, recommendations: x.recommendations });
    assert.equal(x.state, 'notified');
    assert.equal(clock(x, 'D-05').state, 'fulfilled');
    const document = x.documents.find((d) => d.kind === 'annex7');
    const letter = await until('the letter arrived', () => mail.letters[0]);
    assert.ok(letter.to.length >= 1);
    assert.match(letter.text, /application\/pdf/i);
    x = await until('the proof is kept', async () => { const y = await show(); return y.notices.some((n) => n.channel === 'email' && n.state === 'sent') ? y : null; });
    const sent = x.notices.find((n) => n.channel === 'email' && n.state === 'sent');
    assert.equal(sent.message_id.replace(/[<>]/g, ''), letter.headers['message-id'].replace(/[<>]/g, ''));
    assert.match(sent.smtp_reply, /accepted as TEST/);
    assert.equal(sent.sha256, document.sha256);
    assert.ok(x.notices.some((n) => n.channel === 'inbox'));
    const pdf = await analyst.get(`/documents/${document.sha256}`);
    assert.equal(pdf.bytes.subarray(0, 5).toString(), '%PDF-');
    const { createHash } = await import('node:crypto');
    assert.equal(createHash('sha256').update(pdf.bytes).digest('hex'), document.sha256);
    const text = await run('pdftotext', ['-layout', '-', '-'], { input: pdf.bytes });
    const flat = text.out.replace(/\s+/g, ' ');
    assert.ok(flat.includes('Анықтау күні мен уақыты'), 'R-A7-03 stands in Kazakh');
    assert.ok(flat.includes('Дата и время выявления'), 'and in Russian');
    assert.ok(flat.includes('127.0.0.1'));
    const json = await analyst.get(`/documents/${document.sha256}?format=json`);
    assert.equal(json.status, 200);
    assert.ok(JSON.stringify(json.json).includes('127.0.0.1'));
});

test('D-10 D-11 the owner sees the notice, confirms receipt; seventy-two hours run from the notification', async () => {
    const inbox = (await officer.get('/inbox')).json.items;
    const item = inbox.find((i) => i.case_id === theCase);
    assert.ok(item);
    assert.equal((await officer.post(`/inbox/${item.id}/read`, {})).status < 300, true);
    let x = await show(officer);
    assert.equal(x.state, 'notified');
    assert.ok(x.actions.some((a) => a.name === 'confirm_incident') && !x.actions.some((a) => a.name === 'accept_elimination'));
    x = await act(officer, 'acknowledge');
    const answer = clock(x, 'D-11') ?? clock(x, 'D-10');
    assert.equal(minutes(answer), 72 * 60);
    assert.equal(Date.parse(answer.from), Date.parse(x.notified_at));
    const other = await c.signedIn(Object.values(c.accounts).filter((a) => a.role === 'owner_officer').map((a) => a.login).find((l) => l !== (officer.login ?? '')) ?? 'owner_officer');
    if ((await other.get('/session')).json.user.org_id !== x.org.id) {
        assert.equal((await other.get(`/cases/${theCase}`)).status, 404);
        assert.equal((await other.post(`/cases/${theCase}/actions/acknowledge`, {})).status, 404);
        assert.equal((await other.get(`/documents/${x.documents[0].sha256}`)).status, 404);
    }
    assert.equal((await officer.post(`/cases/${theCase}/actions/accept_elimination`, {})).status >= 403, true);
});

test('R-12-13 D-06 D-31 a confirmed incident of undefined level starts the elimination and review clocks from confirmation', async () => {
    const confirmed = new Date(c.now()).toISOString();
    const x = await act(officer, 'confirm_incident', { confirmed_at: confirmed, level: 'undefined', note: 'расталды' });
    assert.equal(x.state, 'incident_confirmed');
    assert.equal(minutes(clock(x, 'D-06')), 72 * 60);
    assert.equal(minutes(clock(x, 'D-31')), 48 * 60);
    assert.equal(Date.parse(clock(x, 'D-06').from), Date.parse(confirmed));
    assert.equal(Date.parse(clock(x, 'D-11').from), Date.parse(x.notified_at));
});

test('R-12-13 D-11 D-31 the level is reviewed and the Annex 2 report is filed in time, as PDF in the form', async () => {
    let x = await act(officer, 'review_level', { level: 'medium', reason: 'қызмет шектелді' });
    assert.equal(clock(x, 'D-31').state, 'fulfilled');
    const at = new Date(c.now()).toISOString();
    const annex2 = { ...(x.annex2 ?? {}), registered_on: at.slice(0, 10), level: 'medium', incident_type: 'authentication_means_compromise', scale: 'single', occurred_at: x.detected_at,
        confirmed_at: x.confirmed_at, recurrence: 'new', iocs: [{ type: 'ip', value: '127.0.0.1' }], sign: 'valid', contour: 'internal_lan', nature: 'Құпиясөзді іріктеу', consequences: ['none'],
        affected_object: x.object.name, elimination_actions: 'Құпиясөздер ауыстырылды; ключи отозваны', note: null };
    x = await act(officer, 'report_measures', { annex2 });
    assert.equal(x.state, 'measures_reported');
    assert.equal(clock(x, 'D-11').state, 'fulfilled');
    assert.equal(clock(x, 'D-06').state, 'running');
    const document = x.documents.find((d) => d.kind === 'annex2');
    const pdf = await analyst.get(`/documents/${document.sha256}`);
    const text = (await run('pdftotext', ['-layout', '-', '-'], { input: pdf.bytes })).out.replace(/\s+/g, ' ');
    assert.ok(text.includes('Құпиясөздер ауыстырылды'));
});

test('R-10.1-13 D-06 after seventy-two hours without elimination the KNB notice is raised, and an outage only delays it', async () => {
    await c.daemon.stop();
    c.daemon = null;
    c.advance(73 * 3600);
    await c.start();
    analyst = await c.signedIn('centre_analyst');
    const x = await until('D-06 is overdue and the KNB notice can be sent', async () => {
        const y = await show();
        return clock(y, 'D-06').state === 'overdue' && y.actions.some((a) => a.name === 'notify_knb') ? y : null;
    }).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
    assert.ok(x.timeline.some((e) => e.kind === 'clock_overdue' && e.obligation === 'D-06'));
    const y = await act(analyst, 'notify_knb', { note: 'жойылмады' });
    assert.equal(y.state, 'escalated_knb');
    const document = y.documents.find((d) => d.kind === 'knb_notice');
    assert.equal((await analyst.get(`/documents/${document.sha256}`)).bytes.subarray(0, 5).toString(), '%PDF-');
});

test('the owner declares elimination, the centre accepts it, the case closes; each step has three times and an author', async () => {
    const account = Object.values(c.accounts).find((a) => a.role === 'owner_officer');
    for (const a of Object.values(c.accounts).filter((k) => k.role === 'owner_officer')) {
        const one = await c.signedIn(a.login);
        if ((await one.get(`/cases/${theCase}`)).status === 200) officer = one;
    }
    assert.ok(account);
    let x = await act(officer, 'eliminate', { causes_at: new Date(c.now() - 60000).toISOString(), causes: 'әлсіз құпиясөз', consequences_at: new Date(c.now() - 60000).toISOString(), consequences: 'жоқ', note: '' });
    assert.ok(x.elimination_declared_at);
    x = await act(analyst, 'accept_elimination', { note: 'тексерілді' });
    assert.equal(x.state, 'eliminated');
    x = await act(analyst, 'close', { note: '' });
    assert.equal(x.state, 'closed');
    assert.ok(x.clocks.every((k) => k.state !== 'running'));
    const kinds = x.timeline.map((e) => e.kind);
    for (const k of ['detected', 'analyse', 'notify', 'notice_sent', 'acknowledge', 'confirm_incident', 'report_measures', 'notify_knb', 'eliminate', 'accept_elimination', 'close'])
        assert.ok(kinds.includes(k), `${k} stands in the timeline`);
    for (const e of x.timeline) assert.ok(e.happened_at && e.recorded_at && 'due_at' in e && 'author' in e);
    assert.ok(x.timeline.filter((e) => ['notify', 'confirm_incident', 'close'].includes(e.kind)).every((e) => e.author));
});

test('every act stands in an audit trail that only the administrator reads', async () => {
    const admin = await c.signedIn('administrator');
    const audit = (await admin.get('/audit?limit=500')).json.items;
    assert.ok(audit.length > 10);
    assert.equal((await analyst.get('/audit')).status, 403);
    assert.equal((await admin.post(`/cases/${theCase}/actions/comment`, { text: 'x' })).status >= 403, true);
});

test('syslog over TCP and UDP in both framings and both formats, and what nobody understands, is stored', async () => {
    const octets = (m) => `${Buffer.byteLength(m)} ${m}`;
    await sendSyslog(c.ports.syslog, ['<34>Nov 24 10:15:03 fw-1 kernel: [1.0] DROP IN=eth0 OUT= SRC=198.51.100.9 DST=192.0.2.1 LEN=60 PROTO=TCP SPT=4444 DPT=22',
        'complete nonsense \u0001 that nobody understands zzqqxx', '<165>1 2026-11-24T10:15:04.003Z app-1 evntslog 4711 ID47 [ex@32473 iut="3"] five-four-two-four works zzqq5424']);
    const net = await import('node:net');
    await new Promise((done) => { const s = net.connect(c.ports.syslog, '127.0.0.1', () => s.end(octets('<13>Nov 24 10:15:05 h1 app: octet\ncounted zzqqoctet') + octets('<13>Nov 24 10:15:05 h1 app: second zzqqsecond'))); s.on('close', done); s.resume(); });
    const dgram = await import('node:dgram');
    await new Promise((done) => { const u = dgram.createSocket('udp4'); u.send('<13>Nov 24 10:15:06 h2 app: over udp zzqqudp', c.ports.syslog, '127.0.0.1', () => { u.close(); done(); }); });
    for (const word of ['zzqqxx', 'zzqq5424', 'zzqqoctet', 'zzqqsecond', 'zzqqudp'])
        await until(`${word} is found`, async () => (await c.events(word)).length === 1);
    const drop = await until('the dropped packet is found', async () => (await c.events('source.ip:198.51.100.0/24'))[0]);
    assert.equal(drop['destination.port'], '22');
    assert.equal((await c.events('zzqqxx'))[0]['saqshy.parse'], 'failed');
});

test('search in the portal: words, phrases, fields, NOT, time range, newest first, histogram', async () => {
    const q = (text, more = '') => analyst.get(`/events?q=${encodeURIComponent(text)}${more}`);
    const all = (await q('"Failed password"')).json.items;
    assert.ok(all.length >= 12);
    const times = all.map((e) => Date.parse(e['@timestamp']));
    assert.deepEqual(times, [...times].sort((a, b) => b - a));
    assert.equal((await q('"Failed password" NOT source.ip:127.0.0.1')).json.items.length, 0);
    assert.equal((await q('"password Failed"')).json.items.length, 0);
    assert.ok((await q('(Failed OR Accepted) source.ip:127.*')).json.items.length > 12);
    const bad = await q('(unclosed');
    assert.equal(bad.status, 400);
    assert.equal(bad.json.code, 'bad_query');
    const from = new Date(Math.min(...times) - 1000).toISOString(), to = new Date(Math.max(...times) + 1000).toISOString();
    const h = (await analyst.get(`/events/histogram?q=${encodeURIComponent('"Failed password"')}&from=${from}&to=${to}&buckets=10`)).json;
    assert.equal(h.total, all.length);
    assert.equal(h.buckets.reduce((a, b) => a + b.count, 0), h.total);
    const seen = (await officer.get('/events?q=zzqqudp')).json.items;
    assert.equal(seen.length, 0, 'an officer does not see events of sources outside their objects');
});

test('metrics, health, and our own structured log as events in our own store', async () => {
    const health = await analyst.request('GET', '/health');
    assert.equal(health.status, 200);
    const metrics = (await analyst.request('GET', '/metrics')).bytes.toString();
    for (const name of ['saqshy_ingest', 'saqshy_index', 'saqshy_detect']) assert.match(metrics, new RegExp(`^${name}\\w* ?`, 'm'), name);
    const own = await until('own lines are events', async () => { const e = await c.events('event.module:saqshy "role started"'); return e.length ? e : null; });
    assert.equal(own[0]['saqshy.class'], 'app');
    const audit = await until('audit lines are events of class sec', async () => { const e = await c.events('saqshy.class:sec event.module:saqshy'); return e.length ? e : null; });
    assert.ok(audit.length > 0);
});

test('a broken rule stops nothing, and is named with its place', async () => {
    const a = await saqshy(['rules', 'check', join(root, 'content/rules'), '--json']);
    assert.equal(a.code, 0, a.out + a.err);
    assert.equal(JSON.parse(a.out.trim().split('\n').pop()).broken.length, 0);
    const samples = await saqshy(['rules', 'test', join(root, 'content/rules')]);
    assert.equal(samples.code, 0, samples.out + samples.err);
});

test('a broken configuration is refused with exit code 2, its place and what is expected', async () => {
    const { writeFileSync } = await import('node:fs');
    const file = join(c.data, 'broken.yaml');
    writeFileSync(file, 'data: .\nportal:\n  listne: "127.0.0.1:1"\n');
    const a = await run(bin('saqshyd'), ['--config', file]);
    assert.equal(a.code, 2);
    assert.match(a.err, /broken\.yaml:3:3: unknown setting "listne"/);
});

test('a release has no clock that anybody can move', { skip: existsSync(join(root, 'build/release/saqshyd')) ? false : 'build/release is not built' }, () => {
    for (const name of ['saqshyd', 'saqshy', 'saqshy-agent'])
        assert.equal(readFileSync(join(root, 'build/release', name)).includes('SAQSHY_TEST_CLOCK'), false, name);
});

test('nothing secret is readable by others, and stopping is clean', async () => {
    const walk = (d) => readdirSync(d, { withFileTypes: true }).flatMap((f) => (f.isDirectory() ? walk(join(d, f.name)) : [join(d, f.name)]));
    for (const f of walk(c.data).filter((x) => /\.key$|SIGN-IN|desk\.db/.test(x))) assert.equal(statSync(f).mode & 0o007, 0, f);
    await c.stopAgent();
    const end = await c.daemon.stop();
    c.daemon = null;
    assert.deepEqual(end, { code: 0, signal: null });
    const verdict = await saqshy(['verify', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(verdict.code, 0, verdict.out + verdict.err);
    assert.match(verdict.out, /^audit +whole: \d+ rows, chain [0-9a-f]{64}$/m);
});
