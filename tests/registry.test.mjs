// registry.test.mjs - an owner's officer, the centre and a stranger around one object: Annex 1, components, contacts, files, history, scope.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { centre } from './lib/centre.mjs';

let c, admin, analyst, officer, stranger;
before(async () => {
    c = await centre({ demo: true });
    await c.start();
    [admin, analyst, officer, stranger] = [await c.signedIn('admin'), await c.signedIn('analyst'), await c.signedIn('registry'), await c.signedIn('city')];
});
after(async () => { await c?.remove(); });

const O = '/registry/objects/state-register';

test('R-A1-01 R-A1-04 R-A1-07 R-A1-08 an officer corrects the data of Annex 1; the centre sees who, when and why; a stale writer is told', async () => {
    const o = (await officer.get(O)).json;
    assert.equal(o.may, 'own');
    const value = { ...o.value, street: 'Абай 10', internet_bandwidth: 2 };
    const put = await officer.put(O, { version: o.version, reason: 'a wider channel', value });
    assert.equal(put.status, 200, put.bytes.toString());
    const again = await officer.put(O, { version: o.version, reason: 'too late', value: { ...value, street: 'Абай 11' } });
    assert.deepEqual([again.status, again.json.code], [409, 'stale']);
    const wrong = await officer.put(O, { version: put.json.version, reason: 'x', value: { ...value, internet_unit: 'mb' } });
    assert.deepEqual([wrong.status, wrong.json.field], [400, 'value.internet_unit']);
    const theirs = await officer.put(O, { version: put.json.version, reason: 'x', value: { ...value, is_cii: true } });
    assert.deepEqual([theirs.status, theirs.json.field], [403, 'value.is_cii']);
    const [newest] = (await analyst.get('/registry/history/object/state-register')).json.items;
    assert.deepEqual([newest.author, newest.origin, newest.reason], ['registry', 'owner', 'a wider channel']);
    assert.deepEqual(newest.changes.map((x) => x.field).sort(), ['internet_bandwidth', 'street']);
});

test('R-A1-12 a component is found by its address, and is gone from the list and not from history when it is removed', async () => {
    const value = { name: 'Прокси', asset_class: 'ipt', purpose: 'сүзгі', ip_addresses: ['203.0.113.200'] };
    const made = await officer.post(`${O}/components`, { value });
    assert.equal(made.status, 201, made.bytes.toString());
    assert.equal((await analyst.get('/registry/objects?q=203.0.113.200')).json.items[0].id, 'state-register');
    assert.equal((await officer.post(`/registry/components/${made.json.id}/remove`, { version: 1, reason: 'written off' })).status, 204);
    assert.ok(!(await officer.get(`${O}/components`)).json.items.some((x) => x.id === made.json.id));
    assert.equal((await analyst.get(`/registry/history/component/${made.json.id}`)).json.items.length, 2);
});

test('R-A1-09 a diagram is brought, approved by name, given out as an attachment and never shown by the browser', async () => {
    const file = Buffer.from('%PDF-1.7 a diagram');
    const upload = await officer.upload('схема.pdf', file);
    const put = await officer.post('/registry/files/object/state-register', { upload_id: upload.json.id, kind: 'logical_diagram', approved_by: 'С. Басшы', approved_on: '2026-01-15', signed: true, sealed: false });
    assert.equal(put.status, 201, put.bytes.toString());
    const got = await analyst.get(`/registry/attachments/${put.json.id}`);
    assert.ok(got.bytes.equals(file));
    assert.match(got.headers['content-disposition'], /^attachment/);
    assert.equal(got.headers['x-content-type-options'], 'nosniff');
    assert.equal((await stranger.get(`/registry/attachments/${put.json.id}`)).status, 404);
});

test('R-A1-11 R-16-01 a contact is named, is among those to reach, and its reading is audited', async () => {
    const person = await officer.post('/registry/people', { value: { name: 'Нұрбол Кезекші', language: 'kk', channels: [{ kind: 'mobile', value: '+7 700 111 22 33' }] } });
    assert.equal(person.status, 201, person.bytes.toString());
    assert.equal((await officer.post(`${O}/contacts`, { value: { person_id: person.json.id, role: 'deputy', order: 5 } })).status, 201);
    const reach = (await analyst.get(`${O}/reach`)).json.items;
    assert.ok(reach.some((x) => x.name === 'Нұрбол Кезекші' && x.on_duty && x.channels[0].value === '+7 700 111 22 33'));
    const audit = (await admin.get('/audit?q=personal.read&limit=50')).json.items;
    assert.ok(audit.some((x) => x.login === 'analyst' && x.target === 'object/state-register'));
});

test('R-4-01 R-4-02 R-6-01 the demonstration shows an object of each chapter, with the reasons', async () => {
    const regimes = Object.fromEntries((await analyst.get('/registry/objects')).json.items.map((o) => [o.id, o.regime]));
    assert.deepEqual([regimes['state-register'], regimes['city-portal'], regimes['heat-dispatch']], ['A', 'B', 'C']);
    const o = (await analyst.get('/registry/objects/city-portal')).json;
    assert.ok(o.monitored && o.why.some((w) => w.code === 'contract' && w.paragraph === '6' && w.text.kk && w.text.ru && w.text.en));
});

test('R-4-03 R-4-05 one person excludes no object through the registry: the answer says how to ask', async () => {
    const o = (await admin.get(O)).json;
    for (const [patch, field] of [[{ exclusion: 'state_secret_resource', exclusion_ground: 'x' }, 'value.exclusion'], [{ national_bank: true }, 'value.national_bank']]) {
        const put = await admin.put(O, { version: o.version, reason: 'alone', value: { ...o.value, ...patch } });
        assert.deepEqual([put.status, put.json.code, put.json.field], [400, 'exclusion_by_request', field]);
        assert.match(put.json.title, /request|обращение|өтініш/);
    }
    assert.notEqual((await analyst.post(`${O}/state`, { to: 'excluded', reason: 'alone' })).status, 200);
    assert.deepEqual((await admin.get(O)).json.value, o.value);
});

test('what belongs to another organisation is not there', async () => {
    for (const path of [O, `${O}/contacts`, `${O}/components`, `${O}/reach`, `${O}/annex1`, '/registry/history/object/state-register', '/registry/files/object/state-register', '/registry/organisations/registry-centre'])
        assert.equal((await stranger.get(path)).status, 404, path);
    assert.deepEqual((await stranger.get('/registry/objects')).json.items.map((o) => o.id), ['city-portal']);
});
