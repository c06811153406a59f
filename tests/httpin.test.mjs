// httpin.test.mjs - logs by HTTP as other senders speak it: Elasticsearch bulk, Splunk HEC, OTLP in JSON; their answers, tokens, and what becomes of
// the documents. The senders are played by requests that are written as theirs are.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const bulk = (c, t, lines, path = '/_bulk', more = {}) => ask(c, c.ports.bulk, 'POST', path,
    { body: typeof lines === 'string' ? lines : ndjson(...lines), headers: { 'Content-Type': 'application/x-ndjson', ...basic(t), ...more } });

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
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
