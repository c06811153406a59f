// forward.test.mjs - events go on to real receivers: another Saqshy, rsyslog, syslog-ng. What is looked at: each event once and as it was, the filter, an upstream
// that is dead or slow beside one that is not, another configuration, certificates that do not hold or are renewed.
//
// The chain through kills and a cut network is in forward.chain.test.mjs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, freePort, root, run, saqshy, sendSyslog, sleep, until } from './lib/centre.mjs';
import { collector } from './lib/collector.mjs';
import { haveRsyslog, haveSyslogNg } from './lib/peers.mjs';
import { rsyslogReceiver, syslogNgReceiver } from './lib/receivers.mjs';

/** The n-th block of this language of docs/forwarding.md. */
function example(language, n) {
    const blocks = [...readFileSync(join(root, 'docs/forwarding.md'), 'utf8').matchAll(/^```(\S+)\n([^]*?)^```$/gm)].filter((m) => m[1] === language);
    assert.ok(blocks[n], `forwarding.md has a block of ${language}`);
    return blocks[n][2];
}
const others = `'-saqshy.source:saqshyd'`;
const line = (i, host = 'srv-1', program = 'sshd') => `<38>Nov 27 10:00:00 ${host} ${program}[7]: Accepted password for қолданушы${i} from 10.0.0.7 port ${1000 + (i % 60000)} ssh2`;
const lines = (n, host, program) => Array.from({ length: n }, (_, i) => line(i, host, program));
const tls = (pki, name = 'collector-1') => `{ authority: "${pki}/ca.pem", certificate: "${pki}/agents/${name}.pem", key: "${pki}/agents/${name}.key" }`;
const upstream = (name, kind, port, more = '') => `    - { name: ${name}, kind: ${kind}, address: "127.0.0.1:${port}", filter: ${others}, limits: { retry_max_s: 1 }${more} }\n`;
const section = (...list) => `forward:\n  upstreams:\n${list.join('')}`;
const picture = (c) => { try { return JSON.parse(readFileSync(join(c.data, 'run/forward.json'), 'utf8')); } catch { return { upstreams: [] }; } };
const shown = (c, name) => picture(c).upstreams.find((u) => u.name === name);
const state = (c, name, want) => until(`upstream ${name} is ${want}: ${JSON.stringify(shown(c, name))}`, () => shown(c, name)?.state === want && shown(c, name))
    .catch((e) => { throw new Error(`${e.message}\n${c.log().slice(-3000)}`); });
const relay = (t, ingest = '', { agents = ['collector-1'], ...more } = {}) =>
    collector(t, `listeners:\n  - { id: in, kind: otlp, address: "127.0.0.1:0", options: { relays: "collector-1" } }\n${ingest}`, { agents, ...more });
const sender = (t, upstreams, more = {}) => collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: section(...upstreams), ...more });
/** Everything of an event but its place in the journal and who passed it on. */
const same = (e) => { const { 'saqshy.seq': _s, 'saqshy.relay': _r, ...rest } = e; return rest; };

test('R-12-05 another Saqshy gets every event whole: line, source, object, host, fields and moments as they were, and who passed it on', async (t) => {
    const centre = await relay(t);
    const c = await sender(t, [upstream('centre', 'otlp', centre.port('in'), `, tls: ${tls(centre.pki)}`)]);
    const sent = [...lines(2000), '<13>Nov 27 10:00:00 db-1 app: two\nlines', `<13>1 - h app - - - ${'x'.repeat(300000)}`, Buffer.concat([Buffer.from('<13>Nov 27 10:00:00 win-1 app: '), Buffer.from([0xce, 0xf8, 0xe8, 0xe1, 0xea, 0xe0])])];
    for (const s of sent) await sendSyslog(c.ports.syslog_tcp, [s]).catch(() => {});
    const here = await c.wait(sent.length), there = await centre.wait(here.length);
    const key = (e) => `${e['event.received']} ${e['event.original']}`;
    const by = new Map(there.map((e) => [key(e), e]));
    assert.equal(there.length, here.length);
    for (const e of here) assert.deepEqual(same(by.get(key(e)) ?? {}), same(e));
    assert.ok(there.every((e) => e['saqshy.relay'] === 'collector-1'));
    await until('all is acknowledged', () => shown(c, 'centre').sent >= here.length && shown(c, 'centre').behind_events === 0);
    await centre.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    assert.deepEqual(await centre.stop(), { code: 0, signal: null });
});

test('R-12-05 rsyslog gets each line once and as it was sent, by TCP, TLS, RELP and RELP with TLS, all at the same time', async (t) => {
    if (!haveRsyslog('imrelp', 'lmnsd_ossl')) { t.skip('rsyslog with imrelp and OpenSSL (packages rsyslog-relp, rsyslog-openssl) is not there'); return; }
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', agents: ['collector-1'] });
    const kinds = ['tcp', 'tls', 'relp', 'relp_tls'], names = { tcp: 'syslog_tcp', tls: 'syslog_tls' };
    const all = [];
    for (const kind of kinds) all.push(await rsyslogReceiver(t, join(c.data, kind), { kind, pki: c.pki }));
    await c.stop();
    c.config('syslog_tcp: "127.0.0.1:0"', section(...kinds.map((kind, i) => upstream(kind.replace('_', '-'), names[kind] ?? kind, all[i].port, /tls/.test(kind) ? `, tls: ${tls(c.pki)}` : ''))));
    await c.start();
    const sent = [...lines(3000), `<13>1 2026-11-27T10:00:00Z h app - - - ${'y'.repeat(100000)}`, '<13>1 2026-11-27T10:00:00Z h app - - [a@1 b="\\"c\\]"] Алматы <xml/> \\ "quotes"', ...lines(100, 'last')];
    await sendSyslog(c.ports.syslog_tcp, sent);
    const stored = (await c.wait(sent.length)).map((e) => e['event.original']);
    assert.deepEqual(stored, sent);
    for (const [i, r] of all.entries()) {
        const came = await r.wait(sent.length).catch((e) => { throw new Error(`${kinds[i]}: ${e.message}\n${JSON.stringify(picture(c))}\n${c.log().slice(-2000)}`); });
        assert.equal(came.length, sent.length, kinds[i]);
        for (let n = 0; n < sent.length; n++) assert.equal(came[n], sent[n], `${kinds[i]}, line ${n}`);
    }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 syslog-ng gets each line by TCP and by TLS with our certificate', async (t) => {
    if (!haveSyslogNg()) { t.skip('syslog-ng is not there'); return; }
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', agents: ['collector-1'] });
    const tcp = await syslogNgReceiver(t, join(c.data, 'ng'), { kind: 'tcp' }), secure = await syslogNgReceiver(t, join(c.data, 'ngs'), { kind: 'tls', pki: c.pki });
    await c.stop();
    c.config('syslog_tcp: "127.0.0.1:0"', section(upstream('ng', 'syslog_tcp', tcp.port), upstream('ngs', 'syslog_tls', secure.port, `, tls: ${tls(c.pki)}`)));
    await c.start();
    const sent = Array.from({ length: 1000 }, (_, i) => `<38>1 2026-11-27T10:00:00Z srv-1 sshd 7 ${i} - line ${i} of Алматы`);
    await sendSyslog(c.ports.syslog_tcp, sent);
    assert.deepEqual(await tcp.wait(sent.length), sent);
    assert.deepEqual(await secure.wait(sent.length), sent);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('the examples of the manual hold: to another Saqshy, by RELP with TLS to rsyslog, and structured by syslog over TLS', async (t) => {
    const centre = await collector(t, example('yaml', 1).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '').replace('0.0.0.0:4318', '127.0.0.1:0') + '\nsyslog_tls: "127.0.0.1:0"', { agents: ['collector-1', 'saqshy'] });
    const files = (text) => text.replace(/^roles:.*\n/, '').replaceAll(/\/etc\/\w+\/ca\.pem/g, join(centre.pki, 'ca.pem')).replaceAll(/\/etc\/\w+\/(collector-1|saqshy)\.(pem|key)/g, `${centre.pki}/agents/$1.$2`);
    const list = (n) => files(example('yaml', n)).replace(/^forward:\n {2}upstreams:\n/, '');
    const relp = haveRsyslog('imrelp') && (await freePort());
    let siem;
    if (relp) {
        const conf = example('rsyslog', 0).replaceAll('/etc/siem/ca.pem', `${centre.pki}/ca.pem`).replaceAll(/\/etc\/siem\/siem\.(pem|key)/g, `${centre.pki}/server.$1`).replace('port="2514"', `port="${relp}" address="127.0.0.1"`);
        siem = await rsyslogReceiver(t, join(centre.data, 'siem'), { kind: 'relp_tls', port: relp, conf });
    } else t.diagnostic('rsyslog with imrelp is not there: that example was not tried');
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: section(list(0).replace('centre.example.kz:4318', `127.0.0.1:${centre.port('collectors')}`),
        relp ? list(2).replace('siem.example.kz:2514', `127.0.0.1:${relp}`) : '', list(3).replace('archive.example.kz:6514', `127.0.0.1:${centre.ports.syslog_tls}`)) });
    const sent = [...lines(20), ...Array.from({ length: 10 }, (_, i) => `<38>Nov 27 10:00:00 srv-1 sshd[7]: Failed password for root from 10.0.0.7 port ${i} ssh2`)];
    await sendSyslog(c.ports.syslog_tcp, sent);
    const stored = await c.wait(sent.length);
    const whole = await centre.wait(sent.length, (e) => e['saqshy.relay'] === 'collector-1' && e['saqshy.source'] === 'srv-1');
    assert.deepEqual(whole.map(same), stored.map(same));
    const other = await centre.wait(sent.length, (e) => /^<38>1 2026-11-27T05:00:00Z srv-1 sshd 7 - \[saqshy@32473 source="srv-1" /.test(e['event.original']));
    assert.deepEqual(other.map((e) => e.message), sent);
    assert.ok(other.every((e) => e['log.syslog.structured_data.fields@32473.source.ip'] === '10.0.0.7'), JSON.stringify(other[0]));
    if (siem) {
        const failures = stored.filter((e) => e['event.outcome'] === 'failure').map((e) => e['event.original']);
        assert.equal(failures.length, 10);
        assert.deepEqual(await siem.wait(10), failures);
    }
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a filter chooses what goes to whom; what does not pass moves the place too', async (t) => {
    const centre = await relay(t, 'relp: "127.0.0.1:0"');
    const filtered = (name, kind, port, filter, more = '') => `    - { name: ${name}, kind: ${kind}, address: "127.0.0.1:${port}", filter: '${filter}'${more} }\n`;
    const c = await sender(t, [filtered('db', 'otlp', centre.port('in'), 'host.name:db-* -saqshy.source:saqshyd', `, tls: ${tls(centre.pki)}`),
        filtered('web', 'relp', centre.ports.relp, 'host.name:web-1 AND NOT "user 3"')]);
    const sent = [];
    for (let i = 0; i < 3000; i++) sent.push(`<38>Nov 27 10:00:00 ${['db-1', 'web-1', 'db-2', 'srv'][i % 4]} app[1]: user ${i} did something`);
    await sendSyslog(c.ports.syslog_tcp, sent);
    const want = sent.filter((s) => / db-/.test(s) || (/ web-1 /.test(s) && !/user 3/.test(s)));
    const came = (await centre.wait(want.length)).map((e) => e['event.original']);
    assert.deepEqual(came.toSorted(), want.toSorted());
    await until('both are done', () => shown(c, 'web').sent + shown(c, 'db').sent >= want.length && ['db', 'web'].every((name) => shown(c, name).behind_events === 0));
    assert.equal(shown(c, 'web').sent + shown(c, 'db').sent, want.length);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('upstreams that are dead, or take a connection and nothing else, keep no other up; the journal waits for them, and gives all when they come back', async (t) => {
    const centre = await relay(t), dead = await freePort();
    const held = [], hole = net.createServer((s) => { s.pause(); s.on('error', () => {}); held.push(s); });
    await new Promise((done) => hole.listen(0, '127.0.0.1', done));
    t.after(() => { held.forEach((s) => s.destroy()); hole.close(); });
    const c = await sender(t, [upstream('dead', 'relp', dead), upstream('hole', 'syslog_tcp', hole.address().port), upstream('mute', 'relp', hole.address().port),
        upstream('live', 'otlp', centre.port('in'), `, tls: ${tls(centre.pki)}`)]);
    const total = 60000;
    const all = lines(total);
    for (let i = 0; i < total; i += 10000) await sendSyslog(c.ports.syslog_tcp, all.slice(i, i + 10000));
    await centre.wait(total, undefined, 120);
    await state(c, 'dead', 'waiting');
    // What is told is written each second: it may be from before the last line.
    const d = await until('what waits is counted', () => shown(c, 'dead').behind_events >= total && shown(c, 'dead'));
    assert.equal(d.sent, 0);
    assert.match(d.last_error, /could not connect to "127\.0\.0\.1:\d+": Connection refused/);
    assert.equal((await saqshy(['forward', '--data', c.data])).code, 1);
    assert.match((await saqshy(['forward', '--data', c.data])).out, /^dead +relp +\S+ +waiting/m);
    assert.match(c.log(), /events cannot be passed on now, trying again; they wait in the journal","saqshy.upstream":"dead"/);
    // A restart forgets nothing; then somebody listens there.
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    await c.start();
    const late = await collector(t, `relp: "127.0.0.1:${dead}"`);
    const came = (await late.wait(total, undefined, 120)).map((e) => e['event.original']);
    assert.deepEqual(came, all);
    await until('it has caught up', () => shown(c, 'dead').behind_events === 0);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('the journal is cut behind the slowest upstream and not past it, where no index runs', async (t) => {
    const centre = await relay(t), port = await freePort();
    const c = await sender(t, [upstream('fast', 'otlp', centre.port('in'), `, tls: ${tls(centre.pki)}`), upstream('slow', 'relp', port)], {});
    await c.stop();
    c.config('syslog_tcp: "127.0.0.1:0"', `journal:\n  segment_bytes: 65536\n${section(upstream('fast', 'otlp', centre.port('in'), `, tls: ${tls(centre.pki)}`), upstream('slow', 'relp', port))}`);
    await c.start();
    const segments = () => readdirSync(join(c.data, 'journal')).filter((f) => f.endsWith('.seg')).length;
    const random = Array.from({ length: 8000 }, () => `<13>Nov 27 10:00:00 h app: ${Math.random()} ${Math.random()} ${Math.random()} ${Math.random()}`);
    for (let i = 0; i < random.length; i += 1000) {
        await sendSyslog(c.ports.syslog_tcp, random.slice(i, i + 1000));
        await centre.wait(i + 1000);    // each thousand is a commit of its own, and may be in a segment of its own
    }
    await sleep(6000);
    const before = segments();
    assert.ok(before >= 3, `${before} segments`);
    await until('what is held for it is told', () => shown(c, 'slow').held_bytes > 100000);
    const late = await collector(t, `relp: "127.0.0.1:${port}"`);
    assert.deepEqual((await late.wait(random.length)).map((e) => e['event.original']), random);
    await until('it is cut', () => segments() <= 2);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('another configuration: a filter keeps the connection, what is new begins, what is taken out gives up its place, a broken file changes nothing', async (t) => {
    const one = await collector(t, 'relp: "127.0.0.1:0"'), two = await collector(t, 'relp: "127.0.0.1:0"');
    const entry = (name, c, filter) => `    - { name: ${name}, kind: relp, address: "127.0.0.1:${c.ports.relp}", filter: '${filter}' }\n`;
    const c = await sender(t, [entry('one', one, 'host.name:a')]);
    const put = (host, n) => sendSyslog(c.ports.syslog_tcp, [`<13>Nov 27 10:00:00 ${host} app: line ${n}`]);
    const texts = (list) => list.map((e) => e['event.original'].slice(20));
    const reconfigure = async (...list) => { c.config('syslog_tcp: "127.0.0.1:0"', section(...list)); return c.reload(); };
    const accepted = () => one.listener('relp').accepted;
    await put('a', 1); await put('b', 1);
    assert.deepEqual(texts(await one.wait(1)), ['a app: line 1']);
    await until('it has passed both', () => shown(c, 'one').behind_events === 0);
    await until('there is one connection', () => accepted() === 1);
    // Another filter: the connection stays.
    assert.equal((await reconfigure(entry('one', one, 'host.name:b'))).code, 0);
    await until('it is taken', () => shown(c, 'one').filter === 'host.name:b');
    await put('a', 2); await put('b', 2);
    assert.deepEqual(texts(await one.wait(2)), ['a app: line 1', 'b app: line 2']);
    assert.equal(accepted(), 1);
    // A broken file is refused with its place, and all goes on.
    const broken = await reconfigure(entry('one', one, 'host.name:b'), entry('two', two, '(host.name:b'));
    assert.equal(broken.code, 1, broken.out + broken.err);
    assert.match(broken.out + broken.err, /saqshyd\.yaml:\d+:\d+: filter of upstream "two": search: at letter 1/);
    await put('b', 3);
    await one.wait(3);
    // A new one, at a port that was not known: forward begins anew by itself, and nothing comes twice or is lost.
    assert.equal((await reconfigure(entry('one', one, 'host.name:b'), entry('two', two, 'host.name:a'))).code, 0);
    await state(c, 'two', 'connected');
    await put('a', 4); await put('b', 4);
    assert.deepEqual(texts(await two.wait(3)), ['a app: line 1', 'a app: line 2', 'a app: line 4']);
    assert.deepEqual(texts(await one.wait(4)), ['a app: line 1', 'b app: line 2', 'b app: line 3', 'b app: line 4']);
    // Taken out: its place is given up, and told.
    assert.ok(existsSync(join(c.data, 'journal/cursors/forward-one')));
    assert.equal((await reconfigure(entry('two', two, 'host.name:a'))).code, 0);
    await until('its place is gone', () => !existsSync(join(c.data, 'journal/cursors/forward-one')));
    await until('it is told', () => /not in the configuration any more[^\n]*"saqshy.upstream":"one"/.test(c.log()));
    await put('a', 5);
    assert.equal(texts(await two.wait(4)).at(-1), 'a app: line 5');
    assert.equal((await one.events()).length, 4);
    // Off: the place is kept.
    assert.equal((await reconfigure(entry('two', two, 'host.name:a').replace('kind:', 'enabled: no, kind:'))).code, 0);
    await state(c, 'two', 'off');
    await put('a', 6);
    await c.wait(9);
    assert.equal((await reconfigure(entry('two', two, 'host.name:a'))).code, 0);
    assert.equal(texts(await two.wait(5)).at(-1), 'a app: line 6');
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('certificates that do not hold are told in words, on either side; nothing goes out to whom nobody vouches for', async (t) => {
    const centre = await relay(t, 'relp_tls: "127.0.0.1:0"', { agents: ['collector-1', 'collector-2'] });
    const other = join(centre.data, 'other');
    assert.equal((await run(bin('src/pki/pki-make'), [other, 'collector-1'])).code, 0);
    const strange = { ca: `{ authority: "${other}/ca.pem", certificate: "${centre.pki}/agents/collector-1.pem", key: "${centre.pki}/agents/collector-1.key" }`, own: `{ authority: "${centre.pki}/ca.pem", certificate: "${other}/agents/collector-1.pem", key: "${other}/agents/collector-1.key" }` };
    const c = await sender(t, [upstream('server', 'otlp', centre.port('in'), `, tls: ${strange.ca}`), upstream('client', 'otlp', centre.port('in'), `, tls: ${strange.own}`),
        upstream('stranger', 'otlp', centre.port('in'), `, tls: ${tls(centre.pki, 'collector-2')}`), upstream('relp-server', 'relp_tls', centre.ports.relp_tls, `, tls: ${strange.ca}`),
        upstream('relp-client', 'relp_tls', centre.ports.relp_tls, `, tls: ${strange.own}`), upstream('name', 'relp_tls', centre.ports.relp_tls, `, tls: ${tls(centre.pki).replace('{', '{ name: "other.example.kz",')}`)]);
    await sendSyslog(c.ports.syslog_tcp, lines(10));
    await c.wait(10);
    for (const [name, words] of [['server', /certificate/i], ['client', /alert|certificate|unknown ca/i], ['stranger', /answered 403: "collector-2" may not pass on events of others: whoever may stands in the option relays/],
        ['relp-server', /the certificate of "127\.0\.0\.1:\d+" does not hold: .*(issuer|self-signed)/], ['relp-client', /refuses us in the TLS handshake: .*unknown ca/], ['name', /does not hold: hostname mismatch/i]]) {
        const u = await until(`${name} tells: ${JSON.stringify(shown(c, name))}`, () => words.test(shown(c, name)?.last_error ?? '') && shown(c, name));
        assert.equal(u.sent, 0, name);
    }
    assert.equal((await centre.events()).length, 0);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a renewed certificate is taken without a restart, and a line on its way is not lost by it', async (t) => {
    const centre = await relay(t, 'relp_tls: "127.0.0.1:0"', { agents: ['collector-1', 'collector-9'] });
    const own = join(centre.data, 'own');
    mkdirSync(own);
    const copy = (name) => { for (const e of ['key', 'pem']) { copyFileSync(join(centre.pki, 'agents', `${name}.${e}`), join(own, `new.${e}`)); renameSync(join(own, `new.${e}`), join(own, `me.${e}`)); } };
    copy('collector-1');
    const c = await sender(t, [upstream('r', 'relp_tls', centre.ports.relp_tls, `, tls: { authority: "${centre.pki}/ca.pem", certificate: "${own}/me.pem", key: "${own}/me.key" }`)]);
    await sendSyslog(c.ports.syslog_tcp, lines(5));
    await centre.wait(5);
    copy('collector-9');
    await until('it is told', () => /certificates were renewed, connecting anew/.test(c.log()));
    await sendSyslog(c.ports.syslog_tcp, lines(5, 'srv-9'));
    const seen = await centre.wait(10);
    assert.equal(seen.length, 10);
    assert.deepEqual([...new Set(seen.map((e) => e['tls.client.x509.subject.common_name']))], ['collector-1', 'collector-9']);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('another journal in the same place is not taken for a repetition of the old one; a place that was lost repeats nothing', async (t) => {
    const centre = await relay(t);
    const c = await sender(t, [upstream('centre', 'otlp', centre.port('in'), `, tls: ${tls(centre.pki)}`)]);
    await sendSyslog(c.ports.syslog_tcp, lines(50, 'first'));
    await centre.wait(50);
    await until('all is acknowledged', () => shown(c, 'centre').behind_events === 0);
    await c.stop();
    // The place is lost, its numbering is not: the other side says how far it is.
    rmSync(join(c.data, 'journal/cursors/forward-centre'));
    await c.start();
    await sendSyslog(c.ports.syslog_tcp, lines(50, 'second'));
    await centre.wait(100);
    await until('all is acknowledged', () => shown(c, 'centre').behind_events === 0);
    assert.equal((await centre.events()).length, 100);
    await c.stop();
    // The journal is another one; its numbering name survived, as from a backup.
    const name = readFileSync(join(c.data, 'journal/cursors/.forward-centre'), 'utf8');
    rmSync(join(c.data, 'journal'), { recursive: true });
    mkdirSync(join(c.data, 'journal/cursors'), { recursive: true });
    writeFileSync(join(c.data, 'journal/cursors/.forward-centre'), name);
    await c.start();
    await sendSyslog(c.ports.syslog_tcp, lines(20, 'third'));
    const seen = await centre.wait(120);
    assert.equal(seen.filter((e) => e['host.name'] === 'third').length, 20);
    assert.match(c.log(), /it is another journal than before, which is numbered anew/);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('two that pass everything on to each other end it: an event that went in a circle is refused and counted', async (t) => {
    const [pa, pb] = [await freePort(), await freePort()];
    const one = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { agents: ['a', 'b'] });
    const conf = (own, other, name) => [`syslog_tcp: "127.0.0.1:0"\nlisteners:\n  - { id: in, kind: otlp, address: "127.0.0.1:${own}", options: { relays: "a b" } }`,
        section(upstream('other', 'otlp', other, `, tls: ${tls(one.pki, name)}`).replace(others, `'-saqshy.source:saqshyd -saqshy.source:*/saqshyd'`))];
    await one.stop();
    one.roles = 'ingest, forward';
    one.config(...conf(pa, pb, 'a'));
    await one.start();
    const two = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward' });
    await two.stop();
    rmSync(two.pki, { recursive: true });
    cpSync(one.pki, two.pki, { recursive: true });
    two.config(...conf(pb, pa, 'b'));
    await two.start();
    await sendSyslog(one.ports.syslog_tcp, lines(10));
    const refused = () => (one.listener('in').refused.unsupported ?? 0) + (two.listener('in').refused.unsupported ?? 0);
    await until('all have gone round', () => refused() === 10).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(one.listener('in'))} ${JSON.stringify(two.listener('in'))}`); });
    const seen = [...(await one.events()), ...(await two.events())].filter((e) => e['event.original'].startsWith('<38>'));
    assert.equal(seen.length, 90);
    assert.ok(seen.every((e) => [e['saqshy.relay'] ?? []].flat().length <= 8));
    assert.deepEqual(await one.stop(), { code: 0, signal: null });
    assert.deepEqual(await two.stop(), { code: 0, signal: null });
});

test('a connection that comes and goes is told now and then, not each time: our own log is passed on too', async (t) => {
    const flap = net.createServer((s) => { s.on('error', () => {}); setTimeout(() => s.destroy(), 20); });
    await new Promise((done) => flap.listen(0, '127.0.0.1', done));
    t.after(() => flap.close());
    const c = await collector(t, 'syslog_tcp: "127.0.0.1:0"', { roles: 'ingest, forward', more: section(upstream('flap', 'syslog_tcp', flap.address().port).replace(`filter: ${others}, `, '')) });
    await sendSyslog(c.ports.syslog_tcp, lines(100));
    await until('it came and went', () => shown(c, 'flap').failures >= 5);
    const told = c.log().split('\n').filter((l) => /"saqshy.upstream":"flap"/.test(l));
    assert.ok(told.length <= 4, told.join('\n'));
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('hold_bytes: a dead upstream takes no more of the disk than it may; what is given up is told, written down and still in the store', async (t) => {
    const port = await freePort(), relp = await freePort();
    const bounded = `journal:\n  segment_bytes: 65536\n${section(upstream('dead', 'relp', port).replace('retry_max_s: 1', 'retry_max_s: 1, hold_bytes: 150000'))}`;
    const c = await collector(t, `syslog_tcp: "127.0.0.1:0"\nrelp: "127.0.0.1:${relp}"`, { roles: 'ingest, index, forward', more: bounded });
    const random = Array.from({ length: 8000 }, (_, i) => `<13>Nov 27 10:00:00 h app: held ${i} ${Math.random()} ${Math.random()} ${Math.random()} ${Math.random()}`);
    const committed = () => Number(readFileSync(join(c.data, 'journal/commit')).readBigUInt64LE(32));
    for (let i = 0; i < random.length; i += 1000) {
        const before = committed();
        await sendSyslog(c.ports.syslog_tcp, random.slice(i, i + 1000));
        await until('they are stored', () => committed() >= before + 1000);
    }
    const u = await until('something is given up', () => shown(c, 'dead')?.given_up > 0 && shown(c, 'dead').held_bytes < 150000 + 140000 && shown(c, 'dead'), 90)
        .catch((e) => { throw new Error(`${e.message} ${JSON.stringify(picture(c))}\n${c.log().slice(-2000)}`); });
    assert.match(c.log(), /an upstream is too far behind: events of the journal are given up for it[^\n]*"saqshy.upstream":"dead"/);
    const gone = readFileSync(join(c.data, 'forward/given-up.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
    assert.ok(gone.every((g, i) => g.upstream === 'dead' && g.to_seq > g.from_seq && (i === 0 || g.from_seq === gone[i - 1].to_seq) && g.received_from <= g.received_to));
    assert.ok(gone.at(-1).to_seq <= u.seq);
    const late = await collector(t, `relp: "127.0.0.1:${port}"`);
    await until('it has caught up', () => shown(c, 'dead').sent > 0 && shown(c, 'dead').behind_events < 5);
    const came = (await late.events()).map((e) => e['event.original']).filter((x) => / held \d/.test(x)), first = random.indexOf(came[0]);
    assert.ok(first > 0 && came.length < random.length, `from ${first}, ${came.length} lines`);
    assert.deepEqual(came, random.slice(first));
    const found = await until('all are in the store', async () => { const r = await saqshy(['search', 'held', '--data', c.data, '--json', '--limit', '10000']); return r.out.split('\n').filter((l) => / held \d/.test(l)).length === random.length; });
    assert.ok(found);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
    c.roles = 'ingest, forward';
    c.config('syslog_tcp: "127.0.0.1:0"', bounded);
    const bad = await run(bin('saqshyd'), ['--check', '--config', c.file]);
    assert.equal(bad.code, 2);
    assert.match(bad.err, /upstream "dead": "hold_bytes" needs the role index/);
});

test('saqshy forward: what the other side answered drives no terminal', async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'saqshy-forward-'));
    t.after(() => rmSync(data, { recursive: true, force: true }));
    mkdirSync(join(data, 'run'));
    writeFileSync(join(data, 'run/forward.json'), JSON.stringify({ at: new Date().toISOString(), upstreams: [{ name: 'a', kind: 'relp', address: 'x:1', state: 'waiting', last_error: '"x:1" refuses a line: \u001b]0;owned\u0007\u009b2Jдвери' }] }));
    const r = await saqshy(['forward', '--data', data]);
    assert.equal(r.code, 1);
    assert.match(r.out, /refuses a line: \?\]0;owned\?\?2Jдвери/);
});
