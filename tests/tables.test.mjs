// tables.test.mjs - the registry as tables and the quarterly summaries, through the real API: what is shown is written, what goes out comes back,
// and each quarter ends in a report that can be opened to its rows.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, saqshy, until, sendSyslog } from './lib/centre.mjs';
import { openapi } from './portal/openapi.mjs';

const spec = openapi();
let c, admin, analyst, officer, owner;

/** Ask, and compare the answer with its description. */
async function ask(client, method, path, body) {
    const a = await client.request(method, `/api/v1${path}`, body);
    if (a.json) {
        const p = spec.problems(method, path, a.status, a.json);
        assert.deepEqual(p.filter((x) => !x.includes('is not described')), [], `${method} ${path} → ${a.status} ${a.bytes.toString().slice(0, 300)}`);
    }
    return a;
}
const rss = async () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${(await c.roles()).desk.pid}/status`, 'utf8'))[1]);

/** Upload a table, read its headings, make the dry run with the fields that they seem to mean. */
async function dryRun(client, kind, content, more = {}) {
    const up = await client.upload(`${kind}.table`, Buffer.from(content));
    assert.ok(up.status < 300, up.bytes.toString());
    const read = await ask(client, 'POST', '/imports', { upload_id: up.json.id, kind });
    assert.equal(read.status, 201, read.bytes.toString());
    const columns = read.json.headings.map(({ heading, field }) => ({ heading, field }));
    return ask(client, 'POST', `/imports/${read.json.id}/check`, { columns, ...more });
}
const write = (client, i) => ask(client, 'POST', `/imports/${i.id}/apply`, { checked: i.checked });

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    [admin, analyst, officer] = [await c.signedIn('administrator'), await c.signedIn('centre_analyst'), await c.signedIn('owner_officer')];
    owner = (await officer.get('/session')).json.user.org_id;
});
after(async () => { await c?.remove(); });

test('thousands of objects arrive as one table, and arrive once', async () => {
    const lines = Array.from({ length: Number(process.env.SAQSHY_OBJECTS ?? 1500) }, (_, i) =>
        `Жүйе ${i};${owner};${['жоғары', 'средний', 'low'][i % 3]};${String(1 + (i % 28)).padStart(2, '0')}.03.2026;host-${i};да;${i + 1};Мбит/с`);
    const table = ['Ресми атауы;Меншік иесі;Маңыздылық деңгейі;Өнеркәсіптік пайдалануға енгізілген күні;Журнал көздерінің тораптары;Интернетке қосылған;'
        + 'Интернет арнасының өткізу қабілеті;Интернет өлшем бірлігі', ...lines].join('\r\n');
    const begun = Date.now();
    const shown = await dryRun(analyst, 'object', table, { mapping: 'portal' });
    assert.deepEqual(shown.json.counts, { create: lines.length, change: 0, same: 0, error: 0 });
    const checked = Date.now();
    const written = await write(analyst, shown.json);
    assert.equal(written.status, 200, written.bytes.toString());
    if (process.env.SAQSHY_OBJECTS) console.log(`dry run ${checked - begun} ms, written in ${Date.now() - checked} ms, peak of the desk ${await rss()} KiB`);
    const again = await dryRun(analyst, 'object', table);
    assert.deepEqual(again.json.counts, { create: 0, change: 0, same: lines.length, error: 0 });
    assert.equal((await ask(analyst, 'GET', '/import-mappings?kind=object')).json.items[0].name, 'portal');
});

test('what is taken out as a workbook comes back unchanged; strangers may not', async () => {
    for (const kind of ['organisation', 'object', 'component', 'person', 'contact']) {
        const out = await analyst.request('GET', `/api/v1/export?kind=${kind}&format=xlsx`);
        assert.equal(out.status, 200, out.bytes.toString());
        assert.equal(out.bytes.subarray(0, 2).toString(), 'PK');
        const back = await dryRun(analyst, kind, out.bytes, { empty: 'clear' });
        assert.equal(back.status, 200, `${kind}: ${back.bytes}`);
        assert.deepEqual([back.json.counts.create, back.json.counts.change, back.json.counts.error], [0, 0, 0], kind);
    }
    assert.equal((await officer.get('/export?kind=person')).status, 403);
    assert.ok((await officer.get('/export?kind=object&format=csv')).bytes.toString().startsWith('\ufeff'));
    assert.equal((await ask(officer, 'POST', '/imports', { upload_id: 'x', kind: 'object' })).status, 403);
});

test('a wrong cell has its place and words in the language of the reader; a registry that moved is not written over', async () => {
    const wrong = (await dryRun(analyst, 'object', 'Official name;Owner;Criticality\r\nA;nobody;huge\r\n')).json;
    const row = (await ask(analyst, 'GET', `/imports/${wrong.id}/rows?action=error`)).json.items[0];
    assert.deepEqual(row.errors.map((e) => [e.column, e.code]), [['B', 'unknown_reference'], ['C', 'unknown_value']]);
    assert.ok(row.errors.every((e) => e.text.includes(e.value)));
    assert.equal((await write(analyst, wrong)).status, 409);
    const one = (await dryRun(analyst, 'object', 'id;city\r\nstate-register;Алматы\r\n')).json, two = (await dryRun(analyst, 'object', 'id;city\r\nstate-register;Ақтау\r\n')).json;
    assert.equal((await write(analyst, two)).status, 200);
    const late = await write(analyst, one);
    assert.deepEqual([late.status, late.json.code, late.json.field], [409, 'conflict', 'rows.2']);
});

/** saqshy(1) as the analyst, against the running centre. */
function command(...args) {
    const { login, password } = Object.values(c.accounts).find((x) => x.role === 'centre_analyst');
    return saqshy([...args, '--server', `https://127.0.0.1:${c.ports.portal}`, '--cacert', join(c.data, 'pki/ca.pem')],
        { env: { ...process.env, ...c.env, SAQSHY_USER: login, SAQSHY_PASSWORD: password } });
}

test('saqshy registry: a table is shown, written when asked, taken out and shown to change nothing', async () => {
    const table = join(c.data, 'in.csv'), out = join(c.data, 'out.xlsx');
    writeFileSync(table, 'name;kinds\r\nКомандная строка;owner\r\n');
    const shown = await command('registry', 'import', '--kind', 'organisation', table);
    assert.deepEqual([shown.code, /1 new, 0 changed/.test(shown.out)], [0, true], shown.err);
    const written = await command('registry', 'import', '--kind', 'organisation', '--apply', table);
    assert.deepEqual([written.code, /written/.test(written.out)], [0, true], written.err);
    assert.equal((await command('registry', 'export', '--kind', 'organisation', out)).code, 0);
    const same = await command('registry', 'import', '--kind', 'organisation', '--clear', out);
    assert.deepEqual([same.code, /^0 new, 0 changed/m.test(same.out)], [0, true], same.out + same.err);
    writeFileSync(table, 'name;kinds\r\nX;wizard\r\n');
    const wrong = await command('registry', 'import', '--kind', 'organisation', '--apply', '--json', table);
    assert.equal(wrong.code, 1);
    assert.equal(JSON.parse(wrong.out).errors[0].column, 'B');
    const unknown = await command('registry', 'import', '--kind', 'Wizards!', table);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /--kind/);
});

test('R-7-01 R-7-03 the passport through the API: a version, what is seen beside it, a decision', async () => {
    const made = await ask(analyst, 'POST', '/objects/state-register/passports', { source: 'architecture_portal', reference: 'AP-1',
        items: [{ kind: 'hardware', name: 'Web', host: 'registry-web-1' }, { kind: 'software', name: 'nginx', host: 'registry-web-1', version: '1.22' }] });
    assert.equal(made.status, 201, made.bytes.toString());
    await ask(officer, 'POST', '/objects/state-register/passports', { source: 'owner', items: [{ kind: 'hardware', name: 'Web', host: 'registry-web-1' }] });
    const changes = (await ask(officer, 'GET', '/changes?object=state-register')).json.items;
    assert.deepEqual(changes.map((x) => [x.what, x.state, x.before.name]), [['missing', 'recorded', 'nginx']]);
    assert.equal((await ask(analyst, 'GET', '/objects/state-register/passports')).json.items.length, 2);
    assert.equal((await ask(analyst, 'GET', '/objects/state-register/observed')).status, 200);
    assert.equal((await ask(officer, 'POST', '/changes/decisions', { decision: 'accept', ids: ['1'] })).status, 403);
    assert.equal((await ask(analyst, 'POST', '/changes/decisions', { decision: 'accept', ids: [changes[0].id] })).status, 409);
    assert.equal((await ask(analyst, 'POST', '/objects/state-register/passports', { source: 'owner', items: [{ kind: 'poem' }] })).json.field, 'items.0.kind');
});

test('F-05 D-19 the summary of a quarter begins by itself, is sent after its end and opens to its rows', async () => {
    await sendSyslog(c.ports.syslog, Array.from({ length: 14 }, (_, i) =>
        `<38>1 ${new Date(c.now() + i).toISOString()} registry-web-1 sshd ${4000 + i} - - Failed password for root from 203.0.113.7 port ${40000 + i} ssh2`));
    await until('a case is open', async () => (await ask(analyst, 'GET', '/cases')).json.items.length > 0);
    const first = await until('the quarter has its report', async () => (await ask(analyst, 'GET', '/reports?paragraph=17')).json.items[0]);
    assert.equal(first.state, 'collecting');
    c.advance((Date.parse(first.to) - c.now()) / 1000 + 60);
    // Sessions have ended in the meantime.
    [analyst, admin] = [await c.signedIn('centre_analyst'), await c.signedIn('administrator')];
    const draft = await until('the quarter has ended', async () => {
        const r = (await ask(analyst, 'GET', `/reports/${first.id}`)).json;
        return r.state === 'draft' ? r : null;
    });
    assert.deepEqual(draft.actions, ['comment', 'send']);
    const events = draft.figures.find((f) => f.id === 'events.state');
    assert.equal(events.total, 1);
    const rows = (await ask(analyst, 'GET', `/figures/events.state/rows?paragraph=17&quarter=${first.quarter}&part=${events.parts[0].value}`)).json.items;
    assert.equal(rows.length, 1);
    assert.equal((await ask(analyst, 'GET', `/cases/${rows[0].id}`)).status, 200);
    assert.equal((await ask(analyst, 'POST', `/reports/${first.id}/actions/send`, {})).json.state, 'sent');
    for (const [format, head] of [['pdf', '%PDF'], ['xlsx', 'PK'], ['json', '{']]) {
        const file = await analyst.request('GET', `/api/v1/reports/${first.id}/file?format=${format}`);
        assert.ok(file.status === 200 && file.bytes.toString('latin1').startsWith(head), format);
    }
    // As of a moment, every form of it is the same byte for byte, whatever happened since; and what was sent is not touched by it.
    const as_of = draft.counted_as_of, drawn = {};
    for (const format of ['pdf', 'xlsx', 'json']) drawn[format] = (await analyst.request('GET', `/api/v1/reports/${first.id}/file?format=${format}&as_of=${as_of}`)).bytes;
    c.advance(600);
    for (const [format, bytes] of Object.entries(drawn))
        assert.ok((await analyst.request('GET', `/api/v1/reports/${first.id}/file?format=${format}&as_of=${as_of}`)).bytes.equals(bytes), format);
    assert.equal(JSON.parse(drawn.json).as_of, as_of);
    assert.equal((await ask(analyst, 'GET', `/reports/${first.id}/file?as_of=yesterday`)).json.field, 'as_of');
    assert.ok((await admin.get('/audit?q=document.read')).json.items.some((x) => x.target === `report/${first.id}` && x.detail === 'pdf'), 'a summary that was taken out is in the audit trail');
    const past = await command('report', 'quarter', first.quarter, '--format', 'xlsx', '--as-of', as_of, join(c.data, 'past.xlsx'));
    assert.equal(past.code, 0, past.err);
    assert.ok(readFileSync(join(c.data, 'past.xlsx')).equals(drawn.xlsx));
    const pdf = await command('report', 'quarter', first.quarter, '--format', 'pdf', join(c.data, 'report.pdf'));
    assert.equal(pdf.code, 0, pdf.err);
    assert.ok(readFileSync(join(c.data, 'report.pdf')).subarray(0, 4).equals(Buffer.from('%PDF')));
    assert.equal(JSON.parse((await command('report', 'quarter', '2001Q1', '--format', 'json')).out).quarter, '2001Q1');
    assert.equal((await command('report', 'quarter', '2001Q1', '--format', 'pdf')).code, 1);
    const empty = (await ask(analyst, 'GET', `/figures?paragraph=17&quarter=2001Q1`)).json;
    assert.ok(empty.figures.length > 8 && empty.figures.every((f) => f.total === 0));
    assert.equal((await ask(analyst, 'GET', '/figures?paragraph=17&quarter=spring')).json.field, 'quarter');
});
