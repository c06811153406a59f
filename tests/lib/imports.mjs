// imports.mjs - files of findings for tests of imports in trouble: a main survey and its control survey of one object, five reports in the form that Nessus
// writes, of our own making, and the room as text.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conditions, user } from './api.mjs';
import { bin, run } from './centre.mjs';

const OBJECT = 'state-register', HOSTS = ['192.0.2.10', '192.0.2.11', '192.0.2.12', '192.0.2.13'], FAR = '198.51.100.9';

const item = (n) => `<ReportItem port="${1 + (n % 997)}" svc_name="general" protocol="tcp" severity="${1 + (n % 4)}" pluginID="${910000 + n}" pluginName="Weakness ${n}" pluginFamily="ours">
<description>Weakness ${n} was found, and a paragraph says what somebody could do with it.</description><solution>Correct it.</solution><risk_factor>Low</risk_factor>${n % 3 ? `<cve>CVE-2025-${10000 + n}</cve>` : ''}
</ReportItem>`;
/** A report of checks from … to at each host; ran: the checks that the policy names. */
function report(from, to, { step = 1, ran = [] } = {}) {
    const numbers = Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
    const named = ran.length ? `<Preferences><ServerPreferences><preference><name>plugin_set</name><value>${ran.join(';')}</value></preference></ServerPreferences></Preferences>` : '';
    return Buffer.from(`<?xml version="1.0"?>\n<NessusClientData_v2><Policy><policyName>ours</policyName>${named}</Policy><Report name="ours">\n${[...HOSTS, FAR].map((ip) => `<ReportHost name="${ip}"><HostProperties><tag name="host-ip">${ip}</tag><tag name="HOST_START">Mon Nov 23 10:00:00 2026</tag><tag name="HOST_END">Mon Nov 23 10:20:00 2026</tag></HostProperties>
${numbers.map(item).join('\n')}</ReportHost>`).join('\n')}\n</Report></NessusClientData_v2>\n`);
}
const proved = Array.from({ length: 500 }, (_, i) => 910000 + i);
/** Reports overlap, so one vulnerability is seen by several; the control survey proves some of what it did not see. */
export const FILES = [
    { survey: 'main', name: 'one.nessus', bytes: report(0, 700) },
    { survey: 'main', name: 'two.nessus', bytes: report(500, 1300) },
    { survey: 'main', name: 'three.nessus', bytes: report(0, 1300, { step: 3 }) },
    { survey: 'control', name: 'four.nessus', bytes: report(0, 900, { step: 2, ran: proved }) },
    { survey: 'control', name: 'five.nessus', bytes: report(900, 1500, { step: 2 }) },
];

/** A centre whose surveys wait for their files; { main, control, login }. */
export async function prepared(c) {
    writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace('roles: [ingest, index, detect, desk, keys]', 'roles: [desk]'));
    await c.start();
    const admin = await c.signedIn('administrator'), login = await user(c, admin, 'surveyor', 'surveyor', 'sts'), surveyor = await c.signedIn(c.accounts[login]);
    await conditions(c, await c.signedIn('centre_analyst'), await c.signedIn('registry'), OBJECT);
    const day = new Date(c.now() + 5 * 3600_000).toISOString().slice(0, 10), out = {};
    const must = async (path, body) => { const a = await surveyor.post(path, body); assert.ok(a.status < 300, `${path}: ${a.bytes}`); return a.json; };
    for (const kind of ['main', 'control']) {
        const s = await must('/surveys', { object_id: OBJECT, mode: 'update_config', kind, from_on: day, to_on: day, reason: 'an order', ...(kind === 'control' ? { main_id: out.main } : {}) });
        out[kind] = s.id;
        await must(`/surveys/${s.id}/actions/start`, {});
        if (kind === 'main') await must(`/surveys/${s.id}/actions/scope_add`, { name: 'hosts', hosts: HOSTS });
        await must(`/surveys/${s.id}/actions/complete`, { reason: 'the files come later' });
        c.advance(24 * 3600);
        await surveyor.signIn(c.accounts[login].login, c.accounts[login].password);
    }
    return { ...out, login: c.accounts[login] };
}

/** Everything that the room holds, without numbers that depend on the order of arrival. The desk must not run. */
export async function dump(c) {
    const a = await run(bin('src/desk/room-dump'), [join(c.data, 'desk/desk.db')], { env: { ...process.env, ...c.env } });
    assert.equal(a.code, 0, a.err);
    return a.out;
}
