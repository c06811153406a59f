// policy.test.mjs - what somebody writes wrong into DATA/policy stops nothing: the node starts, says so in its log, in `saqshy status` and on the portal, and takes
// the file when it is good again.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, saqshy, until } from './lib/centre.mjs';

let c, admin;

/** A file of the site's policy, readable to the roles. */
function site(name, text) {
    const folder = join(c.data, 'policy'), { uid, gid } = statSync(join(c.data, 'saqshyd.yaml'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
    for (const f of [folder, join(folder, name)]) chownSync(f, uid, gid);
}
const wrong = async () => (await admin.get('/detection/rules?limit=1')).json.set.policies_wrong;
const status = async () => (await saqshy(['status', '--data', c.data])).out;

before(async () => {
    c = await centre({ demo: true });
    site('detection.yaml', 'people: {tell: [{from: high, roles: [boss]}]}\ngroup: {window: long}\n');
    site('auto_notify.yaml', 'auto_notify: [{rule: a}]\n');
    await c.start();
    admin = await c.signedIn('administrator');
});
after(async () => { await c?.remove(); });

test('a wrong policy of the site stops neither the desk nor detection; log, status and portal tell it, and a good one counts without a restart', async () => {
    const told = await until('the portal to tell all three', async () => { const w = await wrong(); return w.length === 3 && w; }, 60);
    assert.deepEqual(told.map((w) => w.by), ['detection', 'desk', 'desk']);
    assert.match(told[0].reason, /detection\.yaml:2:\d+: .*long|detection\.yaml:2:/);
    assert.match(told[1].reason, /auto_notify\.yaml:1:15/);
    assert.match(told[2].reason, /detection\.yaml:1:38/);
    await until('status to tell it', async () => /2 file\(s\) of DATA\/policy are wrong/.test(await status()) && /policy of detection is wrong/.test(await status()), 60);
    await until('the log to tell it', () => /a file of this site's policy is wrong and left out/.test(readFileSync(join(c.data, 'log/saqshyd.jsonl'), 'utf8')), 60);

    site('detection.yaml', 'people: {tell: [{from: high, roles: [centre_lead]}]}\n');
    rmSync(join(c.data, 'policy/auto_notify.yaml'));
    await until('all to be well again', async () => (await wrong()).length === 0, 60);
    await until('status to be well again', async () => !/wrong/.test(await status()), 60);
});
