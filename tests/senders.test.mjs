// senders.test.mjs - messages of every real form, passed on by real log daemons over each transport: each arrives exactly as it was sent, once and in order.
//
// The examples of the manual are run in syslog.test.mjs; here the forms are looked at: RFC 3164 and 5424, Kazakh text, bytes that are no UTF-8, a message
// without a text, newlines inside, 900 KiB.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { collector } from './lib/collector.mjs';
import { haveRsyslog, haveSyslogNg, rsyslog, syslogNg } from './lib/peers.mjs';

/** Messages, by what a transport can carry: lines has no newlines inside, small nothing past a datagram. */
const messages = (name) => {
    const one = (text, n = '-') => `<38>1 2026-11-27T10:00:00.123456+05:00 srv-1 ${name} 7 ${n} - ${text}`;
    return {
        small: [...Array.from({ length: 200 }, (_, i) => (i % 2 ? one(`line ${i}`, i) : `<86>Nov 27 10:00:${String(i % 60).padStart(2, '0')} srv-1 ${name}[${i}]: line ${i}`)),
            one('Қазақша мәтін: «Әліпби» 日本'), `<13>Nov 27 10:00:00 srv-1 ${name}:`, one(''), one('[no] {"json": true} \\ "quotes" \'and\' <xml/>'), one('a tab\tinside, and a bell \x07'), one('x'.repeat(8000))],
        bytes: Buffer.concat([Buffer.from(`<13>Nov 27 10:00:00 srv-1 ${name}: `), Buffer.from([0xce, 0xf8, 0xe8, 0xe1, 0xea, 0xe0])]),   // "Ошибка" in Windows-1251
        lines: [one('y'.repeat(900 * 1024)), one('after the long one')],
        counted: [one('three\nlines\nin one'), one('an empty line\n\nbetween'), one('after them')],
    };
};

const tlsFiles = (c) => ({ ca: join(c.pki, 'ca.pem'), cert: join(c.pki, 'agents/srv-1.pem'), key: join(c.pki, 'agents/srv-1.key') });

/** What came is what was sent; the line of other bytes is kept in its bytes, of which the text shows what is meant. */
async function same(c, p, name, sent) {
    const texts = sent.map((m) => (Buffer.isBuffer(m) ? new TextDecoder('windows-1251').decode(m) : m));
    await p.send(sent);
    const mine = (e) => e['event.original'].includes(name);
    const seen = await c.wait(sent.length, mine).catch((e) => { throw new Error(`${name}: ${e.message}\nthe sender: ${p.said.slice(-2000)}`); });
    const came = seen.map((e) => (e['event.original'].includes('\ufffd') ? `${/^(.*?: )/.exec(e['event.original'])[1]}${e.message}` : e['event.original']));
    for (let i = 0; i < texts.length; i++) assert.equal(came[i].slice(0, 300), texts[i].slice(0, 300), `${name}, message ${i} of ${came[i].length} and ${texts[i].length}`);
    for (let i = 0; i < texts.length; i++) assert.equal(came[i].length, texts[i].length, `${name}, message ${i}`);
    assert.ok(came.length === texts.length && came.every((x, i) => x === texts[i]), name);
}

const settings = 'syslog_udp: "127.0.0.1:0"\nsyslog_tcp: "127.0.0.1:0"\nsyslog_tls: "127.0.0.1:0"';

test('R-12-05 rsyslog passes on every form over UDP, TCP with both framings and TLS with both of its libraries, and each line arrives as it was sent', async (t) => {
    if (!haveRsyslog()) { t.skip('rsyslogd is not there'); return; }
    const c = await collector(t, settings, { agents: ['srv-1'] }), f = tlsFiles(c);
    const ways = [
        ['rs-udp', '', `protocol="udp" port="${c.ports.syslog_udp}"`, ['small', 'bytes']],
        ['rs-lines', '', `protocol="tcp" port="${c.ports.syslog_tcp}" TCP_Framing="traditional"`, ['small', 'bytes', 'lines']],
        ['rs-octets', '', `protocol="tcp" port="${c.ports.syslog_tcp}" TCP_Framing="octet-counted"`, ['small', 'bytes', 'lines', 'counted']],
        ...['ossl', 'gtls'].map((driver) => [`rs-${driver}`, driver, `protocol="tcp" port="${c.ports.syslog_tls}" TCP_Framing="octet-counted" StreamDriver="${driver}" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"`,
            ['small', 'bytes', 'lines', 'counted']]),
    ];
    for (const [name, driver, how, forms] of ways) {
        if (driver && !haveRsyslog(`lmnsd_${driver}`)) { t.diagnostic(`rsyslog has no ${driver}: not tried`); continue; }
        const globals = driver ? `DefaultNetstreamDriver="${driver}" DefaultNetstreamDriverCAFile="${f.ca}" DefaultNetstreamDriverCertFile="${f.cert}" DefaultNetstreamDriverKeyFile="${f.key}"` : '';
        const p = await rsyslog(t, join(c.data, name), `action(type="omfwd" target="127.0.0.1" ${how} template="RAW" action.resumeRetryCount="-1")`, { globals });
        await same(c, p, name, forms.flatMap((x) => messages(name)[x]));
        await p.stop();
    }
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('R-12-05 syslog-ng passes on every form over UDP, TCP and TLS, and each line arrives as it was sent; its own RFC 5424 framing too', async (t) => {
    if (!haveSyslogNg()) { t.skip('syslog-ng is not there'); return; }
    const c = await collector(t, settings, { agents: ['srv-1'] }), f = tlsFiles(c);
    const tls = `tls(ca-file("${f.ca}") cert-file("${f.cert}") key-file("${f.key}"))`;
    const destination = (how) => `destination d_saqshy { ${how}; };\nlog { source(s_src); destination(d_saqshy); };\n`;
    for (const [name, how, forms] of [
        ['ng-udp', `network("127.0.0.1" port(${c.ports.syslog_udp}) transport("udp") template("$RAWMSG"))`, ['small', 'bytes']],
        ['ng-lines', `network("127.0.0.1" port(${c.ports.syslog_tcp}) transport("tcp") template("$RAWMSG\\n"))`, ['small', 'bytes', 'lines']],
        ['ng-tls', `network("127.0.0.1" port(${c.ports.syslog_tls}) transport("tls") template("$RAWMSG\\n") ${tls})`, ['small', 'bytes', 'lines']],
    ]) {
        const p = await syslogNg(t, join(c.data, name), destination(how));
        await same(c, p, name, forms.flatMap((x) => messages(name)[x]));
        await p.stop();
    }
    // The driver syslog() writes the header anew: the text and its fields are the same.
    for (const [name, how] of [['ng-5424', `syslog("127.0.0.1" port(${c.ports.syslog_tcp}) transport("tcp"))`], ['ng-5424s', `syslog("127.0.0.1" port(${c.ports.syslog_tls}) transport("tls") ${tls})`]]) {
        const p = await syslogNg(t, join(c.data, name), destination(how));
        const all = messages(name), sent = [...all.small.filter((m) => m.includes('> ') || m.includes('>1 ')), ...all.lines, ...all.counted].filter((m) => /^<38>1 /.test(m) && !/- - $/.test(m));
        await p.send(sent);
        const seen = await c.wait(sent.length, (e) => e['process.name'] === name).catch((e) => { throw new Error(`${name}: ${e.message}\nsyslog-ng: ${p.said.slice(-2000)}`); });
        assert.deepEqual(seen.map((e) => e.message), sent.map((m) => /^<38>1 \S+ \S+ \S+ \S+ \S+ - ([^]*)$/.exec(m)[1]), name);
        assert.ok(seen.every((e) => e['host.name'] === 'srv-1' && e['@timestamp'].startsWith('2026-11-27T05:00:00.123')), name);
        await p.stop();
    }
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
