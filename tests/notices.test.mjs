// notices.test.mjs - a notice on its whole way: sent, read, signed by an official's key, corrected, put on paper, handed to a webhook, listed.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centre, root, saqshy, until } from './lib/centre.mjs';

let c, keys, hook, admin, analyst, officer, own, org, id;
const got = []; // what the webhook's receiver was handed
const sha = (b) => createHash('sha256').update(b).digest('hex');

const held = []; // requests to /hang, which are never answered

/** The receiver of a webhook: refuses the first, takes the next. */
function receiver() {
    execFileSync('sh', ['-c', `cd ${keys} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout hook.key -out hook.pem -days 30 -subj /CN=hook -addext subjectAltName=IP:127.0.0.1`], { stdio: 'ignore' });
    return new Promise((done) => {
        const s = https.createServer({ key: readFileSync(join(keys, 'hook.key')), cert: readFileSync(join(keys, 'hook.pem')) }, (q, a) => {
            if (q.url === '/hang') return held.push(a);
            const parts = [];
            q.on('data', (d) => parts.push(d));
            q.on('end', () => {
                got.push({ headers: q.headers, body: Buffer.concat(parts) });
                a.writeHead(got.length === 1 ? 503 : 204).end();
            });
        }).listen(0, '127.0.0.1', () => done(s));
    });
}

before(async () => {
    keys = mkdtempSync(join(tmpdir(), 'saqshy-keys-'));
    try { execFileSync('sh', [join(root, 'src/sign/testing_keys.sh'), keys], { stdio: 'ignore' }); } catch (e) { assert.equal(e.status, 3); } // 3: no GOST engine here
    hook = await receiver();
    c = await centre({ demo: true, config: `notices:\n  trust_anchors: ${keys}/trust\n  webhooks: private\n  webhook_ca: ${keys}/hook.pem\n` });
    await c.start();
    [admin, analyst, officer] = [await c.signedIn('administrator'), await c.signedIn('centre_analyst'), await c.signedIn('owner_officer')];
    own = (await officer.get('/objects')).json.items[0];
    org = (await officer.get('/session')).json.user.org_id;
});
after(async () => { hook?.close(); await c?.remove(); rmSync(keys, { recursive: true, force: true }); });

test('a webhook is set by the administrator; its key is told once', async () => {
    const set = await admin.put(`/organisations/${org}/webhook`, { url: `https://127.0.0.1:${hook.address().port}/in`, active: true });
    assert.equal(set.status, 200, set.bytes.toString());
    hook.secret = set.json.secret;
    assert.match(hook.secret, /^[0-9a-f]{64}$/);
    assert.equal((await admin.get(`/organisations/${org}/webhook`)).json.secret, null);
    assert.equal((await officer.get(`/organisations/${org}/webhook`)).status, 403);
    for (const url of ['http://a.example/', 'https://user@a.example/', 'ftp://a.example/', 'https://a.example/?x']) {
        const bad = await admin.put(`/organisations/${org}/webhook`, { url, active: true });
        assert.equal(bad.status, 400, url);
        assert.equal(bad.json.field, 'url');
    }
});

test('a notice with a form is sent, frozen and drawn in two languages', async () => {
    const file = await analyst.upload('formats.csv', Buffer.from('a;b\n1;2\n'));
    const a = await analyst.post('/notices', {
        kind: 'information_request', paragraph: '15', subject: { kind: 'object', id: own.id }, addressees: [org], form: 'information_request', tlp: 'amber+strict', files: [file.json.id],
        values: { object: own.name, owner_or_possessor: 'Иесі', requested: ['Архитектура сызбалары', '1-қосымша'], answer_by: '2027-01-15' },
    });
    assert.equal(a.status, 201, a.bytes.toString());
    id = a.json.id;
    assert.match(a.json.number, /^OUT-\d{4}-000001$/);
    assert.deepEqual(a.json.deliveries.map((d) => d.channel).sort(), ['email', 'inbox', 'webhook'].concat(a.json.deliveries.filter((d) => d.channel === 'email').slice(1).map(() => 'email')).sort());
    const frozen = await officer.get(`/notices/${id}/canonical`);
    assert.equal(sha(frozen.bytes), a.json.sha256);
    assert.deepEqual(frozen.json.values.requested, ['Архитектура сызбалары', '1-қосымша']);
    assert.equal(frozen.json.documents[0].sha256, sha('a;b\n1;2\n'));
    for (const layout of ['sent', 'kk', 'kk_ru']) {
        const pdf = await officer.get(`/notices/${id}/pdf?layout=${layout}`);
        assert.equal(pdf.status, 200, layout);
        writeFileSync(join(keys, `${layout}.pdf`), pdf.bytes);
        const text = execFileSync('pdftotext', ['-layout', join(keys, `${layout}.pdf`), '-'], { encoding: 'utf8' });
        assert.match(text, /TLP:AMBER\+STRICT/);
        assert.match(text, new RegExp(a.json.number));
        assert.match(text, /Сұрау салынатын/);
        assert.equal(/Запрашиваемые/.test(text), layout !== 'kk');
    }
    assert.equal(sha(readFileSync(join(keys, 'sent.pdf'))), a.json.pdf_sha256);
    const attached = await officer.get(`/notices/${id}/files/${sha('a;b\n1;2\n')}`);
    assert.equal(attached.bytes.toString(), 'a;b\n1;2\n');
    assert.match(attached.headers['content-disposition'], /^attachment/);
});

test('opening it in the inbox is a receipt', async () => {
    const item = (await officer.get('/inbox')).json.items.find((i) => i.notice_id === id);
    assert.equal((await officer.post(`/inbox/${item.id}/read`)).status, 200);
    const n = (await analyst.get(`/notices/${id}`)).json;
    assert.equal(n.receipts.filter((r) => r.kind === 'read').length, 1);
    assert.equal(n.deliveries.find((d) => d.channel === 'inbox').state, 'read');
});

test('the webhook is tried again after a refusal and can check the signature', async () => {
    await until('the first try', () => got.length >= 1);
    c.advance(60);
    const done = await until('the second try', async () => (await analyst.get(`/notices/${id}`)).json.deliveries.find((d) => d.channel === 'webhook' && d.state === 'sent'));
    assert.equal(done.attempts, 2);
    const [first, second] = got;
    assert.equal(first.headers['x-saqshy-delivery'], second.headers['x-saqshy-delivery']);
    assert.deepEqual(first.body, second.body);
    assert.equal(second.headers['x-saqshy-signature'], `sha256=${createHmac('sha256', hook.secret).update(second.body).digest('hex')}`);
    const said = JSON.parse(second.body);
    assert.equal(said.notice.number, (await analyst.get(`/notices/${id}`)).json.number);
    assert.ok((await analyst.get(`/notices/${id}`)).json.receipts.some((r) => r.kind === 'delivered' && r.channel === 'webhook'));
});

test('a receiver that hangs delays neither the others nor what comes later for them', async () => {
    const other = (await admin.get('/organisations')).json.items.find((o) => o.id !== org && o.kind === 'owner' && o.id !== own.org_id);
    const send = async (to) => (await analyst.post('/notices', { kind: 'letter', subject: { kind: 'organisation', id: to }, addressees: [to], title: 'x', text: 'y' })).json;
    assert.equal((await admin.put(`/organisations/${other.id}/webhook`, { url: `https://127.0.0.1:${hook.address().port}/hang`, active: true })).status, 200);
    const before = got.length;
    for (let i = 0; i < 3; i++) assert.ok((await send(other.id)).id);
    await until('the receiver hangs', () => held.length === 1);
    for (let i = 1; i <= 3; i++) {
        assert.ok((await send(org)).id);
        await until('the other is served', () => got.length === before + i);
    }
    assert.equal(held.length, 1); // one at a time to a receiver, and it still holds on
    assert.equal(held[0].destroyed, false);
    held[0].destroy();
});

test('an official signs outside; the verdict says what was found', async () => {
    writeFileSync(join(keys, 'frozen'), (await officer.get(`/notices/${id}/canonical`)).bytes);
    const sign = (key, input) => execFileSync('sh', ['-c', `cd ${keys} && openssl cms -sign -binary -in ${input} -outform DER -nosmimecap -certfile nca.pem -signer ${key}.pem -inkey ${key}.key`], { stdio: ['ignore', 'pipe', 'ignore'] }).toString('base64');
    const lay = async (signature) => (await officer.post(`/notices/${id}/signatures`, { signature })).json.signatures.at(-1);
    const good = await lay(sign('person', 'frozen'));
    assert.deepEqual([good.verdict, good.reason, good.over], ['valid', 'ok', 'canonical']);
    assert.equal(good.signers[0].name, 'СЕРІК АЙГҮЛ');
    assert.equal(good.signers[0].iin, '********0123');
    assert.deepEqual(good.signers[0].usage, ['organisation', 'first_head', 'may_sign']);
    const pdf = await lay(sign('person', 'sent.pdf'));
    assert.deepEqual([pdf.verdict, pdf.over], ['valid', 'pdf']);
    const other = await lay(sign('person', 'letter.txt'));
    assert.deepEqual([other.verdict, other.reason], ['invalid', 'content_differs']);
    const gone = await lay(sign('gone', 'frozen'));
    assert.deepEqual([gone.verdict, gone.reason], ['invalid', 'certificate_revoked']);
    const stranger = await lay(sign('stranger', 'frozen'));
    assert.deepEqual([stranger.verdict, stranger.reason], ['not_checked', 'unknown_issuer']);
    // The same without a centre, on the command line.
    writeFileSync(join(keys, 'sig'), Buffer.from(sign('person', 'frozen'), 'base64'));
    const cli = await saqshy(['signature', join(keys, 'frozen'), join(keys, 'sig'), '--anchors', join(keys, 'trust')]);
    assert.equal(cli.code, 0, cli.out + cli.err);
    assert.match(cli.out, /^valid: ok\n {2}signer +СЕРІК АЙГҮЛ$/m);
    const bare = await saqshy(['signature', join(keys, 'frozen'), join(keys, 'sig')]);
    assert.equal(bare.code, 1);
    assert.match(bare.out, /^not_checked: no_trust_anchor$/m);
    rmSync(join(keys, 'trust/nca.crl'));
    const again = (await analyst.request('POST', `/api/v1/notices/${id}/verify`)).json.signatures;
    assert.deepEqual([again[0].verdict, again[0].reason], ['not_checked', 'no_revocation_data']);
    const bad = await officer.post(`/notices/${id}/signatures`, { signature: 'nonsense' });
    assert.equal(bad.status, 400);
    assert.equal(bad.json.field, 'signature');
});

test('R-8-01 the paper part: number, date, signatory, scan', async () => {
    const scan = await analyst.upload('scan.pdf', readFileSync(join(keys, 'kk.pdf')));
    const theirs = await officer.post(`/notices/${id}/paper`, { number: '1', date: '2026-11-27', signatory: 'x' });
    assert.equal(theirs.status, 403, 'the paper part is the sender’s to give');
    const n = await analyst.post(`/notices/${id}/paper`, { number: '12-03/46', date: '2026-11-27', signatory: 'Ә. Бекұлы', scan: scan.json.id });
    assert.equal(n.status, 200, n.bytes.toString());
    assert.equal(n.json.paper[0].scan.type, 'application/pdf');
    assert.deepEqual((await analyst.get(`/notices/${id}/files/${n.json.paper[0].scan.sha256}`)).bytes, readFileSync(join(keys, 'kk.pdf')));
});

test('a correction is a new version, and the old one says so', async () => {
    assert.equal((await officer.post(`/notices/${id}/versions`, { reason: 'x' })).status, 403);
    const n = await analyst.post(`/notices/${id}/versions`, { reason: 'мерзім қате', values: { object: own.name, owner_or_possessor: 'Иесі', requested: ['1-қосымша'], answer_by: '2027-01-20' } });
    assert.equal(n.status, 201, n.bytes.toString());
    assert.equal(n.json.version, 2);
    assert.equal((await officer.get(`/notices/${id}`)).json.newer_id, n.json.id);
    assert.equal((await analyst.post(`/notices/${id}/versions`, { reason: 'again' })).status, 409);
});

test('the journal as a list and as a table', async () => {
    assert.equal((await officer.get('/notices?kind=information_request')).json.items.length, 2);
    assert.equal((await officer.get('/notices?direction=in')).json.items.length, 0);
    assert.equal((await officer.get('/notices?direction=up')).status, 400);
    const x = await analyst.get('/notice-journal');
    assert.equal(x.status, 200);
    assert.equal(x.bytes.subarray(0, 2).toString(), 'PK');
    const csv = (await analyst.get('/notice-journal?format=csv')).bytes.toString();
    assert.match(csv, /OUT-\d{4}-000001/);
    assert.match(csv, /OUT-\d{4}-000002/);
});

test('an incoming letter is registered, and only by the centre', async () => {
    const body = { kind: 'commissioning', paragraph: '8', subject: { kind: 'object', id: own.id }, medium: 'paper', sender: org, outer_number: '7', outer_date: '2026-11-20', title: 'Хат' };
    assert.equal((await officer.post('/incoming-notices', body)).status, 403);
    const n = await analyst.post('/incoming-notices', body);
    assert.equal(n.status, 201, n.bytes.toString());
    assert.match(n.json.number, /^IN-\d{4}-000001$/);
    assert.equal((await officer.get('/notices?direction=in')).json.items.length, 1);
});
