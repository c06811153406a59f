// httpin.test.mjs - logs by HTTP as other senders speak it: Elasticsearch bulk, Splunk HEC, OTLP in JSON; their answers, tokens, and what becomes of
// the documents. The senders are played by requests that are written as theirs are.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import http from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bin, run, until } from './lib/centre.mjs';
import { collector, example } from './lib/collector.mjs';

const local = (text) => text.replaceAll(/"(0\.0\.0\.0|127\.0\.0\.1):\d+"/g, '"127.0.0.1:0"');
const section = (page, n) => local(example(page, 'yaml', n)).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '');
const hash = (token) => createHash('sha256').update(token).digest('hex');

/** A request of its own connection: { status, headers, text, json }. */
function ask(c, port, method, path, { body, headers = {}, cert, plain } = {}) {
    return new Promise((done, fail) => {
        const tls = plain ? {} : { ca: readFileSync(join(c.pki, 'ca.pem')), servername: 'localhost',
            ...(cert ? { cert: readFileSync(join(c.pki, `agents/${cert}.pem`)), key: readFileSync(join(c.pki, `agents/${cert}.key`)) } : {}) };
        const r = (plain ? http : https).request({ host: '127.0.0.1', port, method, path, headers, agent: false, ...tls }, (answer) => {
            const parts = [];
            answer.on('data', (d) => parts.push(d));
            answer.on('end', () => {
                const text = Buffer.concat(parts).toString();
                let json;
                try { json = JSON.parse(text); } catch { json = undefined; }
                done({ status: answer.statusCode, headers: answer.headers, text, json });
            });
        });
        r.on('error', fail);
        r.end(body);
    });
}
const ndjson = (...lines) => lines.map((l) => JSON.stringify(l) + '\n').join('');
const basic = (token) => ({ Authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}` });
const splunk = (token) => ({ Authorization: `Splunk ${token}` });
async function token(c, name, ...more) {
    const r = await run(bin('saqshyd'), ['--token', name, '--config', c.file, ...more]);
    assert.equal(r.code, 0, r.err);
    return r.out.trim();
}
/** Tokens are looked at every two seconds. */
const known = (c, port, t) => until('the token is known', async () => (await ask(c, port, 'GET', '/', { headers: basic(t) })).status === 200);
/** So much was read by this listener, and everything balances. */
async function counted(c, id, n) {
    await until('it is counted', () => c.metrics()[`saqshy_ingest_read_total ${id}`] === n);
    return c.balance();
}
const bulk = (c, t, lines, path = '/_bulk', more = {}) => ask(c, c.ports.bulk, 'POST', path,
    { body: typeof lines === 'string' || Buffer.isBuffer(lines) ? lines : ndjson(...lines), headers: { 'Content-Type': 'application/x-ndjson', ...basic(t), ...more } });

test('R-12-05 Elasticsearch bulk: a document becomes an event, and is on disk when the answer comes', async (t) => {
    const c = await collector(t, section('elasticsearch-bulk.md'));
    const secret = await token(c, 'beats');
    await known(c, c.ports.bulk, secret);
    const r = await bulk(c, secret, [{ create: { _index: 'filebeat-8.19.0' } }, { '@timestamp': '2026-11-27T10:00:00.123Z', message: 'hello by bulk', host: { name: 'srv-1' }, agent: { type: 'filebeat' } }]);
    assert.equal(r.status, 200, r.text);
    assert.deepEqual(r.json, { took: 0, errors: false, items: [{ create: { _index: 'filebeat-8.19.0', result: 'created', status: 201 } }] });
    assert.equal(r.headers['x-elastic-product'], 'Elasticsearch');
    const [e] = await c.events();
    assert.equal(e.message, 'hello by bulk');
    assert.equal(e['@timestamp'], '2026-11-27T10:00:00.123Z');
    assert.equal(e['host.name'], 'srv-1');
    assert.equal(e['agent.type'], 'filebeat');
    assert.equal(e['saqshy.source'], 'beats/srv-1');
    await counted(c, 'bulk', 1);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Elasticsearch bulk: what becomes of documents of Filebeat, Winlogbeat and others, and what of their fields', async (t) => {
    const c = await collector(t, section('elasticsearch-bulk.md'));
    const secret = await token(c, 'beats');
    await known(c, c.ports.bulk, secret);
    const head = { create: {} };
    const sshd = 'Nov 27 10:00:00 srv-2 sshd[77]: Failed password for root from 192.0.2.7 port 40022 ssh2';
    const docs = {
        line: { '@timestamp': '2026-11-27T10:00:01Z', message: sshd, log: { file: { path: '/var/log/auth.log' } }, host: { name: 'srv-2' }, tags: ['a', 'b'], saqshy: { source: 'forged' } },
        original: { '@timestamp': '2026-11-27T10:00:02Z', event: { original: sshd, dataset: 'system.auth' }, message: 'Failed password', host: { name: 'srv-2' } },
        windows: { '@timestamp': '2026-11-27T10:00:03Z', message: 'An account failed to log on.', event: { code: '4625', kind: 'event', outcome: 'failure' }, winlog: { channel: 'Security', keywords: ['Audit Failure'], event_id: '4625', provider_name: 'Microsoft-Windows-Security-Auditing', computer_name: 'dc-1',
            event_data: { TargetUserName: 'ann', TargetDomainName: 'CORP', IpAddress: '192.0.2.9', LogonType: '3', Status: '0xc000006d' } }, host: { name: 'dc-1' } },
        flat: { '@timestamp': 1795773604000, level: 'warn', text: 'no message here' },
    };
    const body = ndjson(head, docs.line, head, docs.original, head, docs.windows, { index: { _index: 'x', _id: '1' } }, docs.flat) + '{"create":{}}\nthis is no JSON at all\n';
    const r = await bulk(c, secret, gzipSync(body), '/logs/_bulk?filter_path=errors', { 'Content-Encoding': 'gzip' });
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.errors, false);
    assert.deepEqual(r.json.items.map((i) => Object.values(i)[0].status), [201, 201, 201, 201, 201]);
    assert.deepEqual(r.json.items[3], { index: { _index: 'x', _id: '1', result: 'created', status: 201 } });
    assert.equal(r.json.items[0].create._index, 'logs');
    const events = await c.events();
    assert.equal(events.length, 5);
    const [line, original, windows, flat, text] = events;
    assert.equal(line['event.original'], JSON.stringify(docs.line), 'the document is the original');
    assert.equal(line['saqshy.parser'], 'sshd');
    assert.equal(line['source.ip'], '192.0.2.7');
    assert.equal(line['log.file.path'], '/var/log/auth.log');
    assert.equal(line['saqshy.source'], 'beats/srv-2', 'a document cannot name a source of its own');
    assert.deepEqual(line.tags, ['a', 'b']);
    assert.equal(original['event.original'], sshd);
    assert.equal(original['saqshy.parser'], 'sshd');
    assert.equal(original['event.dataset'], 'system.auth');
    assert.equal(windows['saqshy.parser'], 'windows');
    assert.equal(windows['saqshy.class'], 'os-windows');
    assert.equal(windows['event.code'], '4625');
    assert.equal(windows['user.name'] ?? windows['user.target.name'], 'ann');
    assert.equal(windows['event.outcome'], 'failure');
    assert.equal(windows['winlog.event_data.IpAddress'], '192.0.2.9');
    assert.equal(windows['source.ip'], '192.0.2.9');
    assert.equal(windows['@timestamp'], '2026-11-27T10:00:03Z');
    assert.equal(flat['log.level'], 'warn');
    assert.equal(flat['event.original'], JSON.stringify(docs.flat));
    assert.equal(text['event.original'], 'this is no JSON at all');
    const m = await counted(c, 'bulk', 5);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('a document longer than a record is stored in pieces, each marked, and bodies of a whole group are taken at once', async (t) => {
    const c = await collector(t, `listeners:\n  - id: es\n    kind: bulk\n    address: "127.0.0.1:0"\n    limits: { record_bytes: 2048 }\n    options: { plain: "yes", anonymous: "yes" }\n`);
    const send = (body) => ask(c, c.port('es'), 'POST', '/_bulk', { body, plain: true });
    const long = { host: { name: 'h' }, message: 'x'.repeat(5000) };
    const r = await send(ndjson({ create: {} }, long));
    assert.deepEqual(r.json.items.map((i) => i.create.status), [201]);
    const pieces = await c.events();
    assert.equal(pieces.map((e) => e['event.original']).join(''), JSON.stringify(long));
    assert.ok(pieces.length === 3 && pieces.slice(0, 2).every((e) => [e['saqshy.marks']].flat().includes('truncated')));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, k) => send(Array.from({ length: 500 }, (_v, i) => ndjson({ create: {} }, { message: `batch ${k} line ${i}`, host: { name: 'h' } })).join(''))));
    assert.ok(answers.every((a) => a.status === 200 && a.json.items.length === 500 && !a.json.errors));
    assert.equal(new Set((await c.events()).map((e) => e.message)).size, 20 * 500 + new Set(pieces.map((e) => e.message)).size);
    await counted(c, 'es', 3 + 20 * 500);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('Elasticsearch bulk: refusals item by item and whole, who is let in, and sums that balance', async (t) => {
    const c = await collector(t, section('elasticsearch-bulk.md'));
    const secret = await token(c, 'beats', '--object', '42');
    assert.notEqual((await run(bin('saqshyd'), ['--token', 'beats', '--config', c.file])).code, 0, 'a name has one token');
    assert.ok(!readFileSync(join(c.data, 'tokens/senders'), 'utf8').includes(secret) && !c.log().includes(secret));
    assert.match(c.log(), /made a token for a sender.*"beats".*"42"/);
    await known(c, c.ports.bulk, secret);
    const doc = { message: 'kept' };
    const mixed = await bulk(c, secret, [{ update: { _index: 'a', _id: '1' } }, { doc: {} }, { create: {} }, doc, { delete: { _id: '2' } }]);
    assert.equal(mixed.status, 200);
    assert.equal(mixed.json.errors, true);
    assert.deepEqual(mixed.json.items.map((i) => [Object.keys(i)[0], Object.values(i)[0].status]), [['update', 400], ['create', 201], ['delete', 400]]);
    assert.equal(mixed.json.items[0].update.error.type, 'illegal_argument_exception');
    // Poison: whole requests refused in Elasticsearch's form; nothing of them is stored, and the next is taken.
    for (const [body, status, headers] of [['{"create":{}}\n{}\nhello\n', 400], ['', 400], ['{"create":{}}\n', 400], ['\x1f\x8bnot gzip', 400, { 'Content-Encoding': 'gzip' }],
        ['{}', 415, { 'Content-Encoding': 'br' }], [gzipSync(Buffer.alloc(40 << 20, ' ')), 413, { 'Content-Encoding': 'gzip' }]]) {
        const r = await bulk(c, secret, body, '/_bulk', headers);
        assert.equal(r.status, status, r.text);
        assert.equal(r.json.status, status);
        assert.ok(r.json.error.reason.length > 0 && r.json.error.root_cause.length === 1);
    }
    const tooLarge = await bulk(c, secret, Buffer.alloc(9 << 20, 'a')).catch((e) => e);   // the connection is ended, or answered
    assert.ok(tooLarge instanceof Error || tooLarge.status === 413);
    for (const headers of [{}, basic('wrong'), { Authorization: 'Basic !' }, { Authorization: 'Digest x' }, { Authorization: 'ApiKey ' + Buffer.from('id').toString('base64') }]) {
        const r = await ask(c, c.ports.bulk, 'POST', '/_bulk', { body: ndjson({ create: {} }, doc), headers });
        assert.equal(r.status, 401, JSON.stringify(headers));
        assert.match(r.headers['www-authenticate'], /^Basic/);
        assert.equal((await ask(c, c.ports.bulk, 'GET', '/', { headers })).status, 401);
    }
    for (const headers of [{ Authorization: 'ApiKey ' + Buffer.from(`id:${secret}`).toString('base64') }, { Authorization: `Bearer ${secret}` }])
        assert.equal((await ask(c, c.ports.bulk, 'PUT', '/_bulk', { body: ndjson({ create: {} }, doc), headers })).status, 200);
    assert.equal((await bulk(c, secret, [{}], '/_search')).status, 404);
    assert.equal((await ask(c, c.ports.bulk, 'GET', '/logs/_search', { headers: basic(secret) })).status, 405);
    const events = await c.events();
    assert.equal(events.length, 3);
    assert.ok(events.every((e) => e['saqshy.object'] === '42' && e['saqshy.source'] === 'beats'), JSON.stringify(events[0]));
    const m = await counted(c, 'bulk', 5);
    assert.equal(m['saqshy_ingest_refused_total unsupported'], 2);
    assert.ok(m.saqshy_ingest_bad_requests_total >= 5);
    // A line of tokens that is damaged: the old ones stay; a token that is taken out lets in nobody.
    writeFileSync(join(c.data, 'tokens/senders'), 'broken\n');
    await until('it is told', () => /cannot take the changed tokens/.test(c.log()));
    assert.equal((await bulk(c, secret, [{ create: {} }, doc])).status, 200);
    writeFileSync(join(c.data, 'tokens/senders'), `other sha256:${hash('another token')}\n`);
    await until('it is let in no more', async () => (await bulk(c, secret, [{ create: {} }, doc])).status === 401);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('what Beats, Logstash and Vector ask before they deliver is answered as an Elasticsearch that is set up', async (t) => {
    const c = await collector(t, section('elasticsearch-bulk.md', 1));
    const secret = await token(c, 'beats');
    const port = c.port('es');
    await known(c, port, secret);
    const get = (path, method = 'GET', body) => ask(c, port, method, path, { headers: basic(secret), body });
    const info = await get('/');
    assert.match(info.json.version.number, /^9\./, 'as configured');
    assert.equal(info.json.version.build_flavor, 'default');
    assert.equal((await get('/', 'HEAD')).text, '');
    assert.equal((await get('/_license')).json.license.status, 'active');
    assert.equal((await get('/_license?human=false')).json.license.type, 'basic');
    assert.equal((await get('/_xpack')).json.features.ilm.enabled, true);
    assert.deepEqual((await get('/_nodes/http')).json.nodes, {});
    assert.equal((await get('/_cluster/health')).json.status, 'green');
    assert.match((await get('/_cat/templates/filebeat-7.17.0')).text, /filebeat-7\.17\.0/);
    for (const path of ['/_ilm/policy/filebeat', '/_index_template/filebeat-8.19.0', '/_template/logstash', '/_data_stream/filebeat-8.19.0', '/_ingest/pipeline/p', '/_component_template/x']) {
        for (const method of ['GET', 'HEAD', 'PUT']) {
            const r = await get(path, method, method === 'PUT' ? '{}' : undefined);
            assert.equal(r.status, 200, `${method} ${path}`);
            assert.equal(r.headers['x-elastic-product'], 'Elasticsearch');
            if (method === 'PUT') assert.deepEqual(r.json, { acknowledged: true });
        }
    }
    assert.equal((await get('/logstash-write', 'HEAD')).status, 200);
    assert.equal((await get('/_alias/filebeat', 'HEAD')).status, 200);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('plain HTTP is for this host alone unless the administrator says so, and a certificate is enough where it is asked for', async (t) => {
    const entry = (id, kind, options, more = '') => `  - id: ${id}\n    kind: ${kind}\n    address: "127.0.0.1:0"\n${more}    options: { ${options} }\n`;
    const c = await collector(t, `listeners:\n${entry('open', 'bulk', 'plain: "yes", anonymous: "yes"')}${entry('mutual', 'bulk', 'version: "8.0.0"', '    tls: { client: required }\n')}` +
        entry('hec-mutual', 'hec', 'plain: "no"', '    tls: { client: optional }\n'), { agents: ['relay'] });
    const body = ndjson({ create: {} }, { message: 'by nobody', host: { name: 'h' } });
    assert.equal((await ask(c, c.port('open'), 'POST', '/_bulk', { body, plain: true })).status, 200);
    assert.equal((await ask(c, c.port('mutual'), 'POST', '/_bulk', { body, cert: 'relay' })).status, 200);
    await assert.rejects(ask(c, c.port('mutual'), 'POST', '/_bulk', { body }));
    assert.equal((await ask(c, c.port('hec-mutual'), 'POST', '/services/collector', { body: '{"event":"by certificate"}', cert: 'relay' })).status, 200);
    assert.equal((await ask(c, c.port('hec-mutual'), 'POST', '/services/collector', { body: '{"event":"never"}' })).status, 401);
    assert.deepEqual((await c.events()).map((e) => e['saqshy.source']), ['h', 'relay/h', 'relay']);
    await c.stop();
    for (const [options, why] of [['plain: "yes"', /without TLS others can read/], ['plain: "perhaps"', /plain/], ['tokns: x', /unknown option .{1,2}tokns/]]) {
        c.config(`listeners:\n  - id: es\n    kind: bulk\n    address: "0.0.0.0:0"\n    options: { ${options} }\n`);
        const r = await run(bin('saqshyd'), ['--role', 'ingest', '--config', c.file]);
        assert.notEqual(r.code, 0);
        assert.match(r.err + c.log(), why);
    }
});

test('R-12-05 Splunk HEC: events, raw lines, acks and health, with its numbers', async (t) => {
    const c = await collector(t, section('hec.md'));
    const secret = await token(c, 'apps');
    const post = (path, body, headers = splunk(secret)) => ask(c, c.ports.hec, 'POST', `/services/collector${path}`, { body, headers });
    await until('the token is known', async () => (await post('', '')).json.code === 5);
    const two = await post('/event', '{"time":1795773601.25,"host":"app-1","source":"/var/log/app.log","sourcetype":"app","index":"main","event":"Nov 27 10:00:00 app-1 sshd[7]: Failed password for root from 192.0.2.7 port 4 ssh2","fields":{"team":"pay","n":7}}' +
        '{"time":"1795773602","host":"app-1","source":"tcp","event":{"level":"error","msg":"could not pay"}}');
    assert.deepEqual([two.status, two.json], [200, { text: 'Success', code: 0 }]);
    const raw = await post('/raw?channel=0aa0&host=app-2&sourcetype=lines', 'first line\r\n\nsecond line');
    assert.equal(raw.json.code, 0);
    assert.ok(Number.isSafeInteger(raw.json.ackId));
    const acks = await post('/ack?channel=0aa0', JSON.stringify({ acks: [raw.json.ackId, 1] }));
    assert.deepEqual(acks.json, { acks: { [raw.json.ackId]: true, 1: true } });
    assert.equal((await post('/event/1.0', '{"event":"x"}', { ...splunk(secret), 'X-Splunk-Request-Channel': 'a' })).json.code, 0);
    const events = await c.events();
    assert.equal(events.length, 5);
    assert.equal(events[0]['saqshy.parser'], 'sshd');
    assert.equal(events[0]['log.file.path'], '/var/log/app.log');
    assert.equal(events[0]['hec.sourcetype'], 'app');
    assert.equal(events[0].team, 'pay');
    assert.equal(events[0]['saqshy.source'], 'apps/app-1');
    assert.equal(events[1]['event.original'], '{"level":"error","msg":"could not pay"}');
    assert.equal(events[1].message, 'could not pay');
    assert.equal(events[1]['@timestamp'], '2026-11-27T10:00:02Z');
    assert.equal(events[1]['hec.source'], 'tcp');
    assert.deepEqual(events.slice(2, 4).map((e) => [e['event.original'], e['host.name']]), [['first line', 'app-2'], ['second line', 'app-2']]);
    const refused = async (path, body, headers, status, code) => {
        const r = await post(path, body, headers);
        assert.deepEqual([r.status, r.json.code], [status, code], r.text);
        return r.json;
    };
    await refused('', '{"event":"x"}', {}, 401, 2);
    await refused('', '{"event":"x"}', { Authorization: 'Digest x' }, 401, 3);
    await refused('', '{"event":"x"}', splunk('wrong'), 403, 4);
    await refused('', '', splunk(secret), 400, 5);
    await refused('', 'hello', splunk(secret), 400, 6);
    await refused('/ack', '{"acks":[1]}', splunk(secret), 400, 10);
    await refused('/ack?channel=1', '{"acks":["x"]}', splunk(secret), 400, 6);
    assert.deepEqual(await refused('', '{"event":"first"}{"host":"h"}', splunk(secret), 400, 12), { text: 'Event field is required', code: 12, 'invalid-event-number': 1 });
    await refused('', '{"event":""}', splunk(secret), 400, 13);
    await refused('', '{"event":"x","fields":7}', splunk(secret), 400, 15);
    await refused('/mint', '{}', splunk(secret), 404, 404);
    assert.deepEqual((await ask(c, c.ports.hec, 'GET', '/services/collector/health')).json, { text: 'HEC is healthy', code: 17 });
    assert.equal((await ask(c, c.ports.hec, 'OPTIONS', '/services/collector/event/1.0')).status, 200);
    assert.equal((await c.events()).length, 5, 'of a refused request nothing is stored');
    await counted(c, 'hec', 5);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

test('without space senders are told to come again, in their own words; what was acknowledged is there, once', async (t) => {
    const options = 'options: { plain: "yes", anonymous: "yes" }';
    const c = await collector(t, `listeners:\n  - { id: es, kind: bulk, address: "127.0.0.1:0", ${options} }\n  - { id: hec, kind: hec, address: "127.0.0.1:0", ${options} }\n`);
    await c.stop();
    const journal = join(c.data, 'journal');
    if ((await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', journal])).code !== 0) return t.skip('no right to mount a small file system');
    try {
        writeFileSync(join(journal, 'filler'), Buffer.alloc(5 << 20));
        await c.start();
        const send = (id, text) => id === 'es' ? ask(c, c.port('es'), 'POST', '/_bulk', { plain: true, body: ndjson({ create: {} }, { message: text, host: { name: 'h' } }) })
            : ask(c, c.port('hec'), 'POST', '/services/collector', { plain: true, body: JSON.stringify({ event: text, host: 'h' }) });
        const taken = new Set(), refused = {};
        for (let n = 0; n < 600 && !(refused.es && refused.hec); n++) {
            const id = n % 2 ? 'es' : 'hec', text = `full ${n} ${randomBytes(30000).toString('base64')}`, r = await send(id, text);
            if (r.status === 200) taken.add(text); else refused[id] ??= r;
        }
        for (const r of [refused.es, refused.hec]) {
            assert.equal(r?.status, 503);
            assert.ok(Number(r.headers['retry-after']) > 0);
        }
        assert.equal(refused.es.json.error.type, 'es_rejected_execution_exception');
        assert.deepEqual(refused.hec.json, { text: 'Server is busy', code: 9 });
        rmSync(join(journal, 'filler'));
        for (const id of ['es', 'hec']) await until('there is room again', async () => (await send(id, `again ${id}`)).status === 200);
        taken.add('again es').add('again hec');
        const seen = (await c.events()).map((e) => e['event.original'].replace(/^\{"message":"([^"]*)".*$/, '$1'));
        assert.equal(seen.length, new Set(seen).size);
        assert.deepEqual(new Set(seen), taken);
        assert.equal((await ask(c, c.port('hec'), 'GET', '/services/collector/health', { plain: true })).json.code, 17);
        assert.deepEqual(await c.stop(), { code: 0, signal: null });
    } finally {
        if (c.child) { c.child.kill('SIGKILL'); await c.child.ended; c.child = null; }
        await run('umount', [journal]);
    }
});

/* The protobuf form of the same request, by hand. */
const varint = (n) => { const out = []; for (let v = BigInt.asUintN(64, BigInt(n)); ; v >>= 7n) { if (v < 128n) { out.push(Number(v)); return Buffer.from(out); } out.push(Number(v & 127n) | 128); } };
const bytes = (number, b) => { const x = Buffer.from(b); return Buffer.concat([varint(number << 3 | 2), varint(x.length), x]); };
const fixed = (number, n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return Buffer.concat([varint(number << 3 | 1), b]); };
const attr = (number, key, any) => bytes(number, Buffer.concat([bytes(1, key), bytes(2, any)]));
const text = (s) => bytes(1, s);

test('OTLP in JSON gives the events that its protobuf form gives', async (t) => {
    const c = await collector(t, section('otlp.md'), { agents: ['col-1'] });
    const line = 'Nov 27 10:00:00 srv-3 sshd[7]: Failed password for root from 192.0.2.7 port 4 ssh2';
    const json = { resourceLogs: [{ scopeLogs: [{ logRecords: [
        { timeUnixNano: '1795773601000000001', severityText: 'WARN', severityNumber: 13, body: { stringValue: line }, attributes: [{ key: 'log.file.path', value: { stringValue: '/var/log/auth.log' } }, { key: 'n', value: { intValue: '-7' } }, { key: 'ok', value: { boolValue: true } }] },
        { observedTimeUnixNano: '1795773602000000000', body: { kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{ intValue: 1 }, { doubleValue: 0.5 }, { bytesValue: 'aGk=' }] } } }] } }, traceId: '5b8efff798038103d269b633813fc60c' },
    ] }], resource: { attributes: [{ key: 'host.name', value: { stringValue: 'srv-3' } }, { key: 'service.name', value: { stringValue: 'auth' } }] } }] };
    const half = Buffer.alloc(9);
    half[0] = 4 << 3 | 1;
    half.writeDoubleLE(0.5, 1);
    const list = Buffer.concat([bytes(1, Buffer.concat([varint(3 << 3), varint(1)])), bytes(1, half), bytes(1, bytes(7, 'hi'))]);
    const binary = bytes(1, Buffer.concat([
        bytes(2, Buffer.concat([
            bytes(2, Buffer.concat([fixed(1, 1795773601000000001n), bytes(3, 'WARN'), bytes(5, text(line)), attr(6, 'log.file.path', text('/var/log/auth.log')), attr(6, 'n', Buffer.concat([varint(3 << 3), varint(-7)])), attr(6, 'ok', Buffer.concat([varint(2 << 3), varint(1)]))])),
            bytes(2, Buffer.concat([fixed(11, 1795773602000000000n), bytes(5, bytes(6, attr(1, 'a', bytes(5, list))))])),
        ])),
        bytes(1, Buffer.concat([attr(1, 'host.name', text('srv-3')), attr(1, 'service.name', text('auth'))])),
    ]));
    const send = (body, type) => ask(c, c.ports.otlp, 'POST', '/v1/logs', { body, headers: { 'Content-Type': type }, cert: 'col-1' });
    const a = await send(JSON.stringify(json), 'application/json; charset=utf-8');
    assert.deepEqual([a.status, a.json], [200, {}]);
    assert.equal((await send(binary, 'application/x-protobuf')).status, 200);
    const events = await c.events();
    assert.equal(events.length, 4);
    const bare = ({ 'event.received': _, 'saqshy.seq': __, ...rest }) => rest;
    assert.deepEqual(bare(events[0]), bare(events[2]));
    assert.deepEqual(bare(events[1]), bare(events[3]));
    assert.equal(events[1]['event.original'], '{"a":[1,0.5,"hi"]}');
    assert.equal(events[0]['saqshy.parser'], 'sshd');
    const bad = await send('{"resourceLogs":[7]}', 'application/json');
    assert.equal(bad.status, 400);
    assert.equal(bad.json.code, 3);
    assert.match(bad.headers['content-type'], /^application\/json/);
    assert.equal((await send('x', 'text/plain')).status, 415);
    await counted(c, 'otlp', 4);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
