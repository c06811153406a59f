// relp.test.mjs - RELP as rsyslog speaks it, and by hand: a line is answered when it is stored and not before; nothing is lost when the collector
// dies, and only what RELP repeats stands twice.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { until } from './lib/centre.mjs';
import { collector, example } from './lib/collector.mjs';
import { haveRsyslog, rsyslog } from './lib/peers.mjs';

const local = (text) => text.replaceAll(/"(0\.0\.0\.0|127\.0\.0\.1):\d+"/g, '"127.0.0.1:0"');
const section = (page, n) => local(example(page, 'yaml', n)).replace(/^ingest:\n/, '').replace(/^ {2}/gm, '');
const line = (text, n = '-') => `<38>1 2026-11-27T10:00:00Z srv-1 sshd 7 ${n} - ${text}`;
/** The example of the manual for this collector, with messages as they came in. */
const action = (c, port, n, files = {}) => {
    let a = example('relp.md', 'rsyslog', n).replaceAll('target="collector.example.kz"', 'target="127.0.0.1"').replaceAll('collector.example.kz', 'localhost')
        .replace('port="2514"', `port="${port}"`).replace('RSYSLOG_SyslogProtocol23Format', 'RAW');
    for (const [name, path] of Object.entries(files)) a = a.replaceAll(`/etc/saqshy/${name}`, path);
    return a;
};
const texts = (events) => events.map((e) => e['event.original']);

test('R-12-05 the example of RELP holds: each line of a real rsyslog is stored once, exactly as sent', async (t) => {
    const c = await collector(t, section('relp.md', 0));
    if (!haveRsyslog('omrelp')) { t.skip('rsyslog with omrelp (package rsyslog-relp) is not there'); return; }
    const r = await rsyslog(t, join(c.data, 'rsyslog'), action(c, c.ports.relp, 0));
    const lines = Array.from({ length: 3000 }, (_, i) => line(`story line ${i} of Алматы`));
    await r.send(lines);
    const seen = await c.wait(lines.length).catch((e) => { throw new Error(`${e.message}\nrsyslog: ${r.said}`); });
    assert.deepEqual(texts(seen), lines);
    await until('all are answered', () => c.listener('relp').events === lines.length);
    await r.stop();
    await until('it said goodbye', () => c.listener('relp').connections === 0);
    assert.equal(c.listener('relp').unanswered, 0);
    await c.balance();
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
