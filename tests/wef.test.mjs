// wef.test.mjs - Windows Event Forwarding: a machine of Windows, played by a client that does what Windows does: it asks for subscriptions, obeys them, sends batches
// in UTF-16 with bookmarks, waits for each acknowledgement, tries again, and asks anew; the collector is killed meanwhile.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { bin, root, run, saqshy, sleep, until, kill9 } from './lib/centre.mjs';
import { Collector, collector, example } from './lib/collector.mjs';

const W = 'http://schemas.dmtf.org/wbem/wsman/1/wsman';
const A = 'http://schemas.xmlsoap.org/ws/2004/08';
const short = 'wef: "127.0.0.1:0"';
const utf16 = (text) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

/** The event as Windows writes it: one line, attributes in apostrophes. */
const event = (o) => `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-A5BA-3E3B0328C30D}'/><EventID>${o.id ?? 4624}</EventID><Version>2</Version><Level>0</Level><Task>12544</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='${o.time ?? '2026-11-27T10:00:00.1234567Z'}'/><EventRecordID>${o.record}</EventRecordID><Correlation/><Execution ProcessID='712' ThreadID='4408'/><Channel>${o.channel ?? 'Security'}</Channel><Computer>${o.computer}</Computer><Security/></System><EventData><Data Name='TargetUserName'>${o.user ?? 'aliya'}</Data><Data Name='LogonType'>3</Data><Data Name='IpAddress'>192.0.2.7</Data></EventData></Event>`;
const bookmarkOf = (record, channel = 'Security') => `<BookmarkList><Bookmark Channel='${channel}' RecordId='${record}' IsCurrent='true'/></BookmarkList>`;

/** A machine. Its log is this.log; it keeps no position of its own: what it is told at its question counts, as after a restart of Windows. */
class Machine {
    constructor(c, name, { wide = true, form = 'cdata', agent = true } = {}) {
        Object.assign(this, { c, name, wide, form, log: [], acks: 0, lost: 0 });
        this.agent = agent ? new https.Agent({ keepAlive: true, maxSockets: 1 }) : false;
    }
    get port() { return this.c.port('wef'); }
    post(path, text, headers = {}) {
        const { pki } = this.c, body = text === '' ? Buffer.alloc(0) : Buffer.isBuffer(text) ? text : this.wide ? utf16(text) : Buffer.from(text);
        return new Promise((done, fail) => {
            const r = https.request({ host: '127.0.0.1', port: this.port, method: 'POST', path, agent: this.agent, ca: readFileSync(join(pki, 'ca.pem')), servername: 'localhost',
                ...(this.name ? { cert: readFileSync(join(pki, `agents/${this.name}.pem`)), key: readFileSync(join(pki, `agents/${this.name}.key`)) } : {}),
                headers: { 'Content-Type': `application/soap+xml;charset=${this.wide ? 'UTF-16' : 'UTF-8'}`, 'User-Agent': 'Microsoft WinRM Client', 'Content-Length': body.length,
                    Authorization: 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual', Host: `localhost:${this.port}`, ...headers } }, (a) => {
                const parts = [];
                a.on('data', (d) => parts.push(d));
                a.on('error', fail);
                a.on('end', () => {
                    const bytes = Buffer.concat(parts), wide = bytes[0] === 0xff && bytes[1] === 0xfe;
                    done({ status: a.statusCode, headers: a.headers, wide, text: wide ? bytes.subarray(2).toString('utf16le') : bytes.toString() });
                });
            });
            r.on('error', fail);
            r.end(body);
        });
    }
    envelope(action, head, body) {
        const id = `uuid:${randomUUID().toUpperCase()}`;
        return [id, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="${A}/addressing" xmlns:e="${A}/eventing" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="${W}.xsd" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"><s:Header><a:To>https://localhost:${this.port}/</a:To><m:MachineID xmlns:m="http://schemas.microsoft.com/wbem/wsman/1/machineid" s:mustUnderstand="false">${this.name}</m:MachineID><a:ReplyTo><a:Address s:mustUnderstand="true">${A}/addressing/role/anonymous</a:Address></a:ReplyTo><a:Action s:mustUnderstand="true">${action}</a:Action><w:MaxEnvelopeSize s:mustUnderstand="true">512000</w:MaxEnvelopeSize><a:MessageID>${id}</a:MessageID><w:Locale xml:lang="en-US" s:mustUnderstand="false"/><p:SessionId s:mustUnderstand="false">uuid:${randomUUID()}</p:SessionId><p:OperationID s:mustUnderstand="false">uuid:${randomUUID()}</p:OperationID><p:SequenceId s:mustUnderstand="false">1</p:SequenceId><w:OperationTimeout>PT60.000S</w:OperationTimeout>${head}</s:Header><s:Body>${body}</s:Body></s:Envelope>`];
    }
    /** Ask for subscriptions: what Windows reads of each. */
    async enumerate() {
        const [id, text] = this.envelope('http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate', '<w:ResourceURI s:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/SubscriptionManager/Subscription</w:ResourceURI>', '<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements></n:Enumerate>');
        const a = await this.post('/wsman/SubscriptionManager/WEC', text);
        assert.equal(a.status, 200, a.text);
        assert.equal(a.wide, this.wide, 'the answer is in the letters of the question');
        assert.equal(a.headers['content-type'], `application/soap+xml;charset=${this.wide ? 'UTF-16' : 'UTF-8'}`);
        assert.ok(a.text.includes(`<a:RelatesTo>${id}</a:RelatesTo>`) && a.text.includes('enumeration/EnumerateResponse</a:Action>') && a.text.includes('<w:EndOfSequence/>'));
        const one = (s, e) => new RegExp(`<${e}(?: [^>]*)?>([^]*?)</${e}>`).exec(s)?.[1];
        this.answer = a.text;
        this.subscriptions = [...a.text.matchAll(/<m:Subscription [^]*?<\/m:Subscription>/g)].map(([s]) => ({
            text: s, version: one(s, 'm:Version').slice(5), identifier: one(one(s, 'e:Delivery'), 'e:Identifier'), name: /Name="SubscriptionName">([^<]*)</.exec(s)[1],
            address: one(one(s, 'e:NotifyTo'), 'a:Address'), end: one(one(s, 'e:EndTo'), 'a:Address'), query: one(s, 'w:Filter'), bookmark: one(s, 'w:Bookmark'), issuer: /Role="issuer">([^<]*)</.exec(s)?.[1],
            format: /Name="ContentFormat">([^<]*)</.exec(s)[1], existing: s.includes('"ReadExistingEvents" xsi:nil="true"'), heartbeat: one(s, 'w:Heartbeats') }));
        return this.subscriptions;
    }
    batch(s, events, bookmark) {
        const put = { cdata: (e) => `<![CDATA[${e}]]>`, elements: (e) => e, escaped: (e) => e.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') }[this.form];
        return this.envelope(`${W}/Events`, `<e:Identifier>${s.identifier}</e:Identifier>${bookmark ? `<w:Bookmark>${bookmark}</w:Bookmark>` : ''}<w:AckRequested/>`,
            `<w:Events>${events.map((e) => `<w:Event Action="${W}/Event">${put(e)}</w:Event>`).join('')}</w:Events>`);
    }
    /** One batch; true when it is acknowledged as Windows wants it. */
    async send(s, events, bookmark) {
        const [id, text] = this.batch(s, events, bookmark), a = await this.post(new URL(s.address).pathname, text);
        if (a.status === 200) {
            assert.ok(a.text.includes(`<a:RelatesTo>${id}</a:RelatesTo>`) && a.text.includes(`${W}/Ack</a:Action>`), a.text);
            this.acks++;
        }
        return a;
    }
    message(s, action, body, head = '', headers = {}) { return this.post(new URL(s.address).pathname, this.envelope(action, `<e:Identifier>${s.identifier}</e:Identifier>${head}`, body)[1], headers); }
}

const named = (c, name, o) => new Machine(c, name, o);
const records = (events) => events.map((e) => Number(/<EventRecordID>(\d+)</.exec(e['event.original'])[1]));
const counted = (c, n) => until('it is counted', () => c.metrics()['saqshy_ingest_read_total wef'] === n).then(() => c.balance());
/** A folder of subscriptions beside the data, and the section that names it. */
function own(c, ...documents) {
    const folder = join(c.data, 'wef-own');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'own.yaml'), documents.join('\n---\n'));
    return `listeners:\n  - id: wef\n    kind: wef\n    address: "127.0.0.1:0"\n    options: { subscriptions: "${folder}" }\n`;
}
/** A collector whose configuration wants to know where its data are. */
async function collectorWith(t, agents, section) {
    const c = new Collector();
    t.after(() => c.close());
    for (const f of ['run', 'log', 'journal']) mkdirSync(join(c.data, f));
    assert.equal((await run(bin('src/pki/pki-make'), [c.pki, ...agents])).code, 0);
    c.config(section(c));
    await c.start();
    return c;
}
const plainly = (id, query, more = '') => `id: ${id}\n${more}query: '${query}'\n`;
const security = '<QueryList><Query Id="0" Path="Security"><Select Path="Security">*</Select></Query></QueryList>';

test('R-12-05 R-A4.4-02 Windows Event Forwarding: a machine asks, obeys its subscriptions, and its events are in the journal when they are acknowledged', async (t) => {
    const c = await collector(t, example('wef.md', 'yaml').replace(/^ingest:\n/, '').replace('0.0.0.0:5986', '127.0.0.1:0').replace(/^ {2}/gm, ''), { agents: ['srv-1.corp.example'] });
    const m = named(c, 'srv-1.corp.example');
    assert.equal((await m.post('/wsman/SubscriptionManager/WEC', '')).status, 200, 'an empty request, by which a client looks whether we are there');
    const all = await m.enumerate();
    assert.deepEqual(all.map((s) => s.name), ['windows-security', 'windows-system', 'windows-powershell', 'windows-sysmon', 'windows-more']);
    const [s] = all;
    assert.equal(s.issuer, new X509Certificate(readFileSync(join(c.pki, 'ca.pem'))).fingerprint.replaceAll(':', '').toLowerCase(), 'the machine finds its certificate by who issued it');
    assert.equal(s.address, `https://localhost:${m.port}/wsman/subscriptions/windows-security`);
    assert.equal(s.end, s.address);
    assert.equal(s.identifier, s.version);
    assert.equal(s.bookmark, `${W}/bookmark/earliest`, 'the first time all that is there');
    assert.deepEqual([s.format, s.existing, s.heartbeat], ['Raw', true, 'PT900.000S']);
    assert.match(s.query, /<QueryList>[^]*<Suppress Path="Security">[^]*<\/QueryList>/);
    assert.equal(new Set(all.map((x) => x.version)).size, 5);
    const a = await m.send(s, [event({ record: 101, computer: m.name }), event({ record: 102, computer: 'SRV-1', user: 'данияр Ұлы' })], bookmarkOf(102));
    assert.equal(a.status, 200, a.text);
    const events = await c.events();
    assert.deepEqual(records(events), [101, 102]);
    for (const e of events) {
        assert.equal(e['saqshy.source'], 'srv-1.corp.example');
        assert.equal(e['saqshy.parser'], 'windows');
        assert.equal(e['saqshy.class'], 'os-windows');
        assert.equal(e['event.code'], '4624');
        assert.equal(e['source.ip'], '192.0.2.7');
        assert.equal(e['tls.client.x509.subject.common_name'], 'srv-1.corp.example');
        assert.equal(e.tags, undefined, 'the short name of a computer is its own');
    }
    assert.equal(events[0]['event.original'], event({ record: 101, computer: m.name }));
    assert.equal(events[1]['user.name'] ?? events[1]['user.target.name'], 'данияр Ұлы', 'letters pass through UTF-16');
    assert.equal((await m.enumerate())[0].bookmark, bookmarkOf(102), 'asked again, it is told where it stood');
    assert.equal(m.subscriptions[0].version, s.version, 'and nothing has changed');
    await counted(c, 2);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Windows Event Forwarding: UTF-8 and UTF-16, events as text, as escaped text and as elements; bytes that XML has no place for', async (t) => {
    const c = await collector(t, short, { agents: ['srv-2'] });
    let record = 0;
    for (const wide of [true, false])
        for (const form of ['cdata', 'elements', 'escaped']) {
            const m = named(c, 'srv-2', { wide, form, agent: false }), [s] = await m.enumerate();
            assert.equal((await m.send(s, [event({ record: ++record, computer: 'srv-2', user: `Ә & <${form}>`.replaceAll('&', '&amp;').replaceAll('<', '&lt;') })], bookmarkOf(record))).status, 200);
        }
    const odd = named(c, 'srv-2', { agent: false }), [s] = await odd.enumerate();
    assert.equal((await odd.send(s, [event({ record: ++record, computer: 'srv-2', user: 'a\u0005b\ufffe' })], bookmarkOf(record))).status, 200);
    const events = await c.events();
    assert.deepEqual(records(events).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7]);
    assert.ok(events.every((e) => e['saqshy.parser'] === 'windows'));
    assert.deepEqual(events.slice(0, 6).map((e) => e['winlog.event_data.TargetUserName']), [...Array(2)].flatMap(() => ['Ә & <cdata>', 'Ә & <elements>', 'Ә & <escaped>']));
    assert.match(events[6]['event.original'], /a\u0005b/);
    await counted(c, 7);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

/** SLDC by ECMA-321: bytes, and pointers to what stood among the last 1,024. */
function sldc(bytes) {
    let bits = '';
    const put = (v, n) => { bits += v.toString(2).padStart(n, '0'); };
    put(0b1111111110101, 13);
    for (let i = 0; i < bytes.length;) {
        let n = 0, from = 0;
        for (let k = Math.max(0, i - 900); k < i; k++) {
            let m = 0;
            while (m < 200 && i + m < bytes.length && k + m < i && bytes[k + m] === bytes[i + m]) m++;
            if (m > n) [n, from] = [m, k];
        }
        if (n < 2) { put(0, 1); put(bytes[i++], 8); continue; }
        put(1, 1);
        if (n < 4) put(n - 2, 2);
        else if (n < 8) put(0b1000 | n - 4, 4);
        else if (n < 16) put(0b110000 | n - 8, 6);
        else if (n < 32) put(0b11100000 | n - 16, 8);
        else put(0b111100000000 | n - 32, 12);
        put(from % 1024, 10);
        i += n;
    }
    put(0b1111111110100, 13);
    bits = bits.padEnd(Math.ceil(bits.length / 32) * 32, '0');
    return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
}

test('Windows Event Forwarding: batches that are compressed, where the subscription asks for it', async (t) => {
    const c = await collectorWith(t, ['srv-7'], (x) => own(x, plainly('packed', security, 'compress: true\n'), plainly('plain-one', security)));
    const m = named(c, 'srv-7'), [s, p] = await m.enumerate();
    assert.ok(s.text.includes('<w:Option Name="Compression">SLDC</w:Option>') && !p.text.includes('Compression'));
    const [id, text] = m.batch(s, Array.from({ length: 20 }, (_, i) => event({ record: i + 1, computer: 'srv-7', user: `Ә${i}` })), bookmarkOf(20)), packed = sldc(utf16(text));
    assert.ok(packed.length < utf16(text).length * 0.6);
    const a = await m.post(new URL(s.address).pathname, packed, { 'Content-Encoding': 'SLDC' });
    assert.equal(a.status, 200, a.text);
    assert.ok(a.text.includes(id));
    const events = await c.events();
    assert.deepEqual(records(events), Array.from({ length: 20 }, (_, i) => i + 1));
    assert.equal(events[19]['winlog.event_data.TargetUserName'], 'Ә19');
    for (const bad of [packed.subarray(0, packed.length / 2), Buffer.from([0xff, 0xff, 0xff]), Buffer.from('hello')])
        assert.equal((await m.post(new URL(s.address).pathname, bad, { 'Content-Encoding': 'SLDC' })).status, 400);
    await counted(c, 20);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Windows Event Forwarding: an answer that is lost repeats nothing; another batch with the same bookmark is kept', async (t) => {
    const c = await collector(t, short, { agents: ['srv-3'] });
    const m = named(c, 'srv-3'), [s] = await m.enumerate();
    const batch = [1, 2, 3].map((record) => event({ record, computer: 'srv-3' }));
    for (let i = 0; i < 3; i++) assert.equal((await m.send(s, batch, bookmarkOf(3))).status, 200);
    assert.deepEqual(records(await c.events()), [1, 2, 3]);
    assert.equal((await m.send(s, [event({ record: 4, computer: 'srv-3' })], bookmarkOf(3))).status, 200);
    assert.deepEqual(records(await c.events()), [1, 2, 3, 4]);
    assert.equal((await m.send(s, batch, bookmarkOf(3))).status, 200, 'what is not the last batch is not known any more');
    assert.deepEqual(records(await c.events()), [1, 2, 3, 4, 1, 2, 3]);
    await counted(c, 13);
    assert.equal((await c.balance())['saqshy_ingest_refused_total'], 6);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    await c.start();
    const again = named(c, 'srv-3');
    assert.equal((await again.enumerate())[0].bookmark, bookmarkOf(3), 'the bookmark outlives the collector');
    assert.equal((await again.send(again.subscriptions[0], batch, bookmarkOf(3))).status, 200);
    assert.equal((await c.events()).length, 7, 'and so does what came with it');
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 Windows Event Forwarding: ingest is killed again and again: nothing is lost, and only batches without an acknowledgement come twice', { timeout: 300000 }, async (t) => {
    const names = ['dc-1.corp.example', 'dc-2.corp.example', 'fs-1.corp.example'], each = 400, size = 5;
    const c = await collector(t, short, { agents: names });
    const again = new Set();     // machine:record of batches that were sent more than once
    let killing = true;
    const ingest = async () => JSON.parse((await saqshy(['status', '--json', '--data', c.data])).out).roles.find((r) => r.name === 'ingest').pid;
    const killer = (async () => {
        for (let i = 0; i < 6 && killing; i++) {
            await sleep(300 + i * 130);
            const pid = await ingest().catch(() => 0);
            if (pid) kill9(pid);
            await until('ingest is back', async () => { const p = await ingest().catch(() => 0); return p && p !== pid && c.state.pid === p; });
        }
    })();
    /** Windows after a failure: it asks anew and begins behind the bookmark that it is told. */
    const machine = async (name) => {
        let sent = 0;
        for (;;) {
            const m = named(c, name, { agent: false });
            try {
                const [s] = await m.enumerate();
                let at = Number(/RecordId='(\d+)'/.exec(s.bookmark)?.[1] ?? 0);
                for (; at < each; at += size) {
                    const batch = Array.from({ length: Math.min(size, each - at) }, (_, i) => at + i + 1);
                    if (batch[0] <= sent) batch.forEach((r) => again.add(`${name}:${r}`));
                    sent = Math.max(sent, batch.at(-1));
                    const a = await m.send(s, batch.map((record) => event({ record, computer: name })), bookmarkOf(batch.at(-1)));
                    if (a.status !== 200) throw new Error(`${a.status}`);
                    await sleep(5);
                }
                return;
            } catch (e) {
                if (e instanceof assert.AssertionError && !/ECONN|socket/.test(e.message)) throw e;
                await sleep(50);
            }
        }
    };
    await Promise.all(names.map(machine));
    killing = false;
    await killer;
    const seen = new Map();
    for (const e of await c.events()) {
        const key = `${e['saqshy.source']}:${records([e])[0]}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    for (const name of names) for (let r = 1; r <= each; r++) assert.ok(seen.has(`${name}:${r}`), `${name} ${r} is lost`);
    for (const [key, n] of seen) if (n > 1) assert.ok(again.has(key), `${key} came ${n} times, but was sent once`);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Windows Event Forwarding: subscriptions for some machines; a changed one has another version, a broken one is refused and told', async (t) => {
    const c = await collectorWith(t, ['dc-1.corp.example', 'srv-9.corp.example'], (x) => own(x, example('wef.md', 'yaml', 2).replace('corp.example.kz', 'corp.example'), plainly('all-but-dc', security, 'except: ["DC-*"]\nexisting: false\n')));
    const dc = named(c, 'dc-1.corp.example'), srv = named(c, 'srv-9.corp.example');
    const [d] = await dc.enumerate();
    assert.deepEqual(dc.subscriptions.map((s) => s.name), ['domain-controllers']);
    assert.deepEqual([d.format, d.heartbeat, d.existing], ['RenderedText', 'PT300.000S', true]);
    const [s] = await srv.enumerate();
    assert.deepEqual(srv.subscriptions.map((x) => [x.name, x.existing, x.bookmark]), [['all-but-dc', false, undefined]], 'only what happens from now on: no bookmark');
    assert.equal((await srv.send(s, [event({ record: 5, computer: 'srv-9' })], bookmarkOf(5))).status, 200);
    const file = join(c.data, 'wef-own/own.yaml'), good = readFileSync(file, 'utf8');
    for (const [why, bad] of [
        ['comparisons', security.replace('>*<', `>*[System[(${Array.from({ length: 24 }, (_, i) => `EventID=${i}`).join(' or ')})]]<`)],
        ['bracket', security.replace('>*<', '>*[System[(EventID=1)]<')],
        ['function', security.replace('>*<', '>*[EventData[contains(Data,"x")]]<')],
        ['channel', security.replaceAll(' Path="Security"', '')],
        ['no sound XML', security.replace('</Select>', '')],
        ['selects nothing', '<QueryList><Query Id="0" Path="a"><Suppress>*</Suppress></Query></QueryList>'],
        ['Id', security.replace('</QueryList>', security.slice(11))],
    ]) {
        writeFileSync(file, plainly('bad-one', bad.replaceAll("'", "''")));
        await until(`refused: ${why}`, () => c.listener('wef').subscriptions_error.includes(why));
        assert.match(c.listener('wef').subscriptions_error, /own\.yaml:2:/);
        assert.equal((await srv.enumerate())[0].version, s.version, 'those before stay in force');
        const checked = await run(bin('saqshyd'), ['--check', '--config', c.file]);
        assert.equal(checked.code, 2);
        assert.ok(checked.err.includes(why), checked.err);
    }
    writeFileSync(file, good.replace('except: ["DC-*"]', 'except: ["DC-*"]\nheartbeat_s: 60'));
    await until('the change is taken', () => c.listener('wef').subscriptions_error === '' && c.listener('wef').subscriptions.find((x) => x.id === 'all-but-dc').heartbeat_s === 60);
    const [n] = await srv.enumerate();
    assert.notEqual(n.version, s.version);
    assert.equal(n.bookmark, bookmarkOf(5), 'another version goes on where the machine stood');
    assert.equal((await dc.enumerate())[0].version, d.version, 'the other one is as it was');
    writeFileSync(file, plainly('quite-another', security));
    await until('the change is taken', () => c.listener('wef').subscriptions[0].id === 'quite-another');
    assert.equal((await srv.send(n, [event({ record: 6, computer: 'srv-9' })], bookmarkOf(6))).status, 200, 'events of a subscription that is gone are kept until the machine asks again');
    assert.deepEqual(records(await c.events()), [5, 6]);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Windows Event Forwarding: heartbeats, ends and machines are shown; an event of another computer is marked', async (t) => {
    const c = await collector(t, short, { agents: ['relay-1', 'quiet-1'] });
    const m = named(c, 'relay-1'), quiet = named(c, 'quiet-1');
    const [s] = await m.enumerate();
    await quiet.enumerate();
    assert.equal((await m.send(s, [event({ record: 1, computer: 'relay-1' }), event({ record: 2, computer: 'other.corp.example' })], bookmarkOf(2))).status, 200);
    const [mine, other] = await c.events();
    assert.equal(mine['saqshy.source'], 'relay-1');
    assert.equal(other['saqshy.source'], 'relay-1/other.corp.example');
    assert.equal(other.tags, 'computer-differs-from-certificate');
    const beat = await quiet.message(quiet.subscriptions[0], `${W}/Heartbeat`, '<w:Events></w:Events>', '<w:AckRequested/>');
    assert.equal(beat.status, 200);
    assert.ok(beat.text.includes(`${W}/Ack</a:Action>`));
    const end = await m.message(s, `${A}/eventing/SubscriptionEnd`, `<e:SubscriptionEnd><e:Status>${A}/eventing/SourceCancelling</e:Status><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="1717" Machine="relay-1"></f:WSManFault></e:SubscriptionEnd>`, '<w:AckRequested/>');
    assert.equal(end.status, 200);
    assert.ok(end.text.includes(`${W}/Ack</a:Action>`));
    const last = await m.message(s, 'http://schemas.microsoft.com/wbem/wsman/1/wsman/End', '');
    assert.deepEqual([last.status, last.text], [204, '']);
    const shown = await until('the machines are shown', () => {
        const all = c.listener('wef').machines, one = (name) => all.find((x) => x.machine === name && x.subscription === 'windows-security');
        return one('relay-1')?.ended && one('quiet-1')?.heartbeat && { relay: one('relay-1'), quiet: one('quiet-1') };
    });
    assert.deepEqual([shown.relay.events, shown.relay.foreign, shown.relay.fault, shown.relay.bookmark], [2, 1, 1717, true]);
    assert.equal(shown.relay.version, s.version);
    assert.equal(shown.quiet.last_event, undefined);
    const people = (await saqshy(['sources', '--data', c.data])).out;
    assert.match(people, /relay-1 +windows-security +127\.0\.0\.1 +2 .*ended: 1717/);
    assert.match(people, /quiet-1 +windows-security +127\.0\.0\.1 +0 +\d{4}-/);
    assert.match(c.log(), /a machine of Windows ended a subscription/);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Windows Event Forwarding: poison input is kept or refused, and the machine goes on; nobody comes in without a certificate', async (t) => {
    const c = await collector(t, short, { agents: ['srv-4'] });
    const m = named(c, 'srv-4'), [s] = await m.enumerate();
    const path = new URL(s.address).pathname, [, text] = m.batch(s, [event({ record: 1, computer: 'srv-4' }), event({ record: 2, computer: 'srv-4' })], bookmarkOf(2));
    const cut = await m.post(path, text.slice(0, text.indexOf('<EventRecordID>2<')));
    assert.equal(cut.status, 200, 'what can be read is read, the rest is kept as it came');
    const events = await c.events();
    assert.equal(events.length, 2);
    assert.equal(records(events.slice(0, 1))[0], 1);
    assert.match(events[1]['event.original'], /^<!\[CDATA\[<Event .*<Keywords>/);
    assert.equal((await m.enumerate())[0].bookmark, bookmarkOf(2));
    for (const [body, status] of [['<s:Envelope', 400], ['hello', 400], ['<a><b></a></b>', 400], [`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, 400], ['<a>'.repeat(5000), 400], [Buffer.alloc(5000, 0xff), 400],
        [m.envelope('http://example.org/Unknown', '', '')[1], 400], [m.envelope(`${W}/Heartbeat`, '', '')[1].slice(0, -20), 400]])
        assert.equal((await m.post(path, body)).status, status, `${body}`.slice(0, 80));
    const fault = await m.post(path, 'hello');
    assert.match(fault.text, /<s:Fault>.*this is no message of WS-Management/);
    assert.equal((await m.post('/wsman', text)).status, 404);
    assert.equal((await m.post(path, text, { 'Content-Encoding': 'deflate' })).status, 415);
    assert.equal((await m.message(s, 'http://schemas.microsoft.com/wbem/wsman/1/wsman/End', '', '', { 'Content-Encoding': 'SLDC' })).status, 204, 'End says that it is compressed, and is not');
    assert.equal((await m.post('/wsman/SubscriptionManager/WEC', m.envelope('x', '', '')[1], { Host: 'a b<c>' })).status, 400);
    const forged = await m.send(s, [event({ record: 3, computer: 'srv-4' })], '<BookmarkList><Bookmark Channel="Security" RecordId="9"/></BookmarkList><evil/>');
    assert.equal(forged.status, 200);
    assert.equal((await m.enumerate())[0].bookmark, bookmarkOf(2), 'a bookmark that is none is not kept');
    await assert.rejects(named(c, '').post(path, text), 'no certificate, no connection');
    assert.equal((await m.send(s, [event({ record: 4, computer: 'srv-4' })], bookmarkOf(4))).status, 200);
    await counted(c, 4);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Windows Event Forwarding: the configuration of the page with own certificates, a host of its own, and what is refused', async (t) => {
    const folders = {};
    const c = await collectorWith(t, ['srv-5'], (x) => {
        const tls = join(x.data, 'tls');
        mkdirSync(tls);
        own(x, plainly('only-one', security));
        for (const [to, from] of [['collector.pem', 'server.pem'], ['collector.key', 'server.key'], ['corp-ca.pem', 'ca.pem']]) copyFileSync(join(x.pki, from), join(tls, to));
        Object.assign(folders, { tls });
        return example('wef.md', 'yaml', 1).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '').replace('0.0.0.0:5986', '127.0.0.1:0').replaceAll('/etc/saqshy/tls', tls)
            .replace('/etc/saqshy/wef', join(x.data, 'wef-own')).replace('id: windows', 'id: wef');
    });
    const m = named(c, 'srv-5'), [s] = await m.enumerate();
    assert.equal(s.address, 'https://collector.example.kz:5986/wsman/subscriptions/only-one');
    assert.equal((await m.send(s, [event({ record: 1, computer: 'srv-5' })], bookmarkOf(1))).status, 200);
    const config = readFileSync(c.file, 'utf8');
    for (const [from, to, why] of [['client: required', 'client: optional', 'tls.client must be required'], ['host: collector', 'hosts: collector', 'unknown option'], ['host: collector.example.kz:5986', 'host: "a b"', 'option host'],
        [/subscriptions: .*/, 'subscriptions: /nowhere', 'could not read the subscriptions']]) {
        writeFileSync(c.file, config.replace(from, to));
        const r = await run(bin('saqshyd'), ['--check', '--config', c.file]);
        assert.equal(r.code, 2);
        assert.ok(r.err.includes(why), r.err);
    }
    writeFileSync(c.file, config);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    assert.ok(existsSync(join(c.data, 'inputs/wef-bookmarks')));
    assert.ok(createHash('sha256').update(readFileSync(join(root, 'content/wef/windows.yaml'))).digest('hex').length === 64);
});

test('Windows Event Forwarding: without space nothing is acknowledged: neither for the journal, nor for a bookmark; then nothing is doubled', async (t) => {
    const c = await collector(t, short, { agents: ['srv-6'] });
    await c.stop();
    const small = [];
    const mount = async (name, size) => {
        if ((await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', join(c.data, name)])).code !== 0) return false;
        small.push(join(c.data, name));
        return true;
    };
    try {
        if (!await mount('inputs', '16k') || !await mount('journal', '24m')) return t.skip('no right to mount a small file system');
        await c.start();
        const m = named(c, 'srv-6'), [s] = await m.enumerate();
        assert.equal((await m.send(s, [event({ record: 1, computer: 'srv-6' })], bookmarkOf(1))).status, 200);
        const rest = join(c.data, 'inputs/filler');
        try { writeFileSync(rest, Buffer.alloc(16 << 10)); } catch { /* it is full now, which is what was wanted */ }
        let n = 1, last;
        do last = await m.send(s, [event({ record: ++n, computer: 'srv-6' })], bookmarkOf(n)); while (last.status === 200 && n < 100);
        assert.equal(last.status, 503, 'the bookmark cannot be kept');
        assert.ok(Number(last.headers['retry-after']) > 0);
        rmSync(rest);
        assert.equal((await m.send(s, [event({ record: n, computer: 'srv-6' })], bookmarkOf(n))).status, 200);
        assert.deepEqual(records(await c.events()), Array.from({ length: n }, (_, i) => i + 1), 'what was stored before is known');
        const filler = join(c.data, 'journal/filler');
        writeFileSync(filler, Buffer.alloc(20 << 20));
        let full;
        let at = n;
        do { at += 50; full = await m.send(s, Array.from({ length: 50 }, (_, i) => event({ record: at - 49 + i, computer: 'srv-6', user: randomBytes(3000).toString('base64') })), bookmarkOf(at)); } while (full.status === 200 && at < 20000);
        assert.equal(full.status, 503, 'the journal takes nothing');
        rmSync(filler);
        await until('there is room', async () => (await m.send(s, Array.from({ length: 50 }, (_, i) => event({ record: at - 49 + i, computer: 'srv-6' })), bookmarkOf(at))).status === 200);
        const seen = records(await c.events());
        assert.equal(new Set(seen).size, seen.length);
        assert.equal(Math.max(...seen), at);
        assert.equal(seen.length, at);
        assert.deepEqual(await c.stop(), { code: 0, signal: null });
    } finally {
        if (c.child) { c.child.kill('SIGKILL'); await c.child.ended; c.child = null; }
        for (const f of small) await run('umount', ['-l', f]);
    }
});
