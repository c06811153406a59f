// surveys.portal.test.mjs - a survey for vulnerabilities as people use it: a browser, the real centre, in three languages; results by upload, one
// vulnerability, the queue, the comparison of a control survey.
import { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { conditions } from './lib/api.mjs';
import { centre, until } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';
import { accessibility, axe, settled as ready } from '../web/tests/a11y.mjs';

let c, b, base, surveyor, client, main, control;
const OBJECT = 'state-register', password = 'a long password for tests 1', account = { login: 't-surveyor', password, role: 'surveyor' };

const nessus = (...names) => `<?xml version="1.0"?>
<NessusClientData_v2><Policy><policyName>ours</policyName><Preferences><ServerPreferences><preference><name>plugin_set</name><value>900001;900002;</value></preference></ServerPreferences></Preferences></Policy>
<Report name="ours"><ReportHost name="192.0.2.10"><HostProperties><tag name="host-ip">192.0.2.10</tag><tag name="HOST_END">Mon Nov 23 10:20:00 2026</tag></HostProperties>
${names.map((n, i) => `<ReportItem port="443" svc_name="https" protocol="tcp" severity="${4 - i}" pluginID="${n}" pluginName="Weakness ${n}" pluginFamily="ours"><description>Seen.</description><solution>Correct it.</solution></ReportItem>`).join('')}
</ReportHost></Report></NessusClientData_v2>`;
async function post(path, body = {}) {
    const a = await client.post(path, body);
    assert.ok(a.status < 300, `${path}: ${a.bytes}`);
    return a.json;
}
const day = (days = 0) => new Date(c.now() + (days * 24 + 5) * 3600000).toISOString().slice(0, 10);
async function survey(more, report) {
    const s = await post('/surveys', { object_id: OBJECT, mode: 'pentest_auto', kind: 'main', from_on: day(), to_on: day(5), reason: 'an order of KNB', ...more });
    await post(`/surveys/${s.id}/actions/start`, {});
    if (!more.main_id) await post(`/surveys/${s.id}/actions/scope_add`, { name: 'web', hosts: ['192.0.2.10'] });
    if (report) await post(`/surveys/${s.id}/results`, { upload_id: (await client.upload('scan.nessus', Buffer.from(report))).json.id });
    return s;
}
const settled = (s) => until('the results are read', async () => {
    const now = (await client.get(`/surveys/${s.id}`)).json;
    return !now.busy && now.results.length > 0 && now.results.every((r) => r.state === 'applied') ? now : null;
}, 90);

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    base = `https://127.0.0.1:${c.ports.portal}/`;
    const admin = await c.signedIn('administrator');
    const a = await admin.post('/users', { login: account.login, name: 'Surveyor', role: 'surveyor', org_id: 'sts', language: 'en', email: null, password });
    assert.equal(a.status, 201, a.bytes.toString());
    c.accounts[account.login] = account;
    client = await c.signedIn(account);
    const analyst = await c.signedIn('centre_analyst'), owner = await c.signedIn(c.accounts.registry);
    await conditions(c, analyst, owner, OBJECT);
    b = await browser();
    surveyor = await b.open(base, account, 'en');
});
after(async () => {
    await b?.close();
    await c?.remove();
});

const go = async (page, hash) => {
    await page.goto(`${base}#/${hash}`);
    await ready(page);
};
async function whole(page, where) {
    await ready(page);
    assert.deepEqual(await accessibility(page, where), []);
    assert.deepEqual(await axe(page, where), []);
    assert.deepEqual(await b.untranslated(page), [], where);
}

test('R-10.2-01: a file of results goes in through the page, and what it found stands in the survey', { timeout: 300000 }, async () => {
    main = await survey({});
    await go(surveyor, `surveys/${main.id}`);
    await surveyor.locator('main input[type=file]').last().setInputFiles({ name: 'scan.nessus', mimeType: 'text/xml', buffer: Buffer.from(nessus('900001', '900002')) });
    await until('the file is taken', async () => (await client.get(`/surveys/${main.id}`)).json.results.length > 0, 60).catch(async () => {
        /* The page asks to press once more after the upload. */
        await surveyor.locator('main form button.primary:visible').last().click();
    });
    const now = await settled(main);
    assert.equal(now.counts.total, 2);
    await surveyor.waitForSelector('text=Weakness 900001');
    await whole(surveyor, 'the survey');
});

test('the queue, one vulnerability and the comparison are whole in three languages, wide and narrow', { timeout: 600000 }, async () => {
    await post(`/surveys/${main.id}/actions/complete`, {});
    await post(`/surveys/${main.id}/actions/send_results`, {});
    control = await survey({ kind: 'control', main_id: main.id, reason: 'the schedule is not agreed yet' }, nessus('900002'));
    await settled(control);
    await post(`/surveys/${control.id}/actions/complete`, {});
    await until('the comparison is ready', async () => (await client.get(`/surveys/${control.id}/comparison`)).json.ready, 90);
    const one = (await client.get(`/vulnerabilities?object=${OBJECT}`)).json.items[0];
    for (const lang of ['kk', 'ru', 'en']) {
        const page = await b.open(base, account, lang);
        for (const hash of ['surveys', `surveys/${main.id}`, `surveys/${control.id}`, 'vulnerabilities', `vulnerabilities/${one.id}`, `vulnerability-surveys/${control.id}`]) {
            await go(page, hash);
            await whole(page, `${hash} in ${lang}`);
            await page.setViewportSize({ width: 390, height: 900 });
            assert.deepEqual(await accessibility(page, `${hash} in ${lang}, narrow`), []);
            await page.setViewportSize({ width: 1280, height: 900 });
        }
        await page.context().close();
    }
});
