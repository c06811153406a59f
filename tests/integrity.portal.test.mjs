// integrity.portal.test.mjs - the pages of facts and differences in a browser: the owner explains, the centre accepts; every answer fits docs/openapi.yaml.
// SAQSHY_SHOTS names a folder for pictures of the pages in all languages.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { conditions } from './lib/api.mjs';
import { centre, root, until } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';

const OBJECT = 'state-register';
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

async function shots(b, c, base, id, tree) {
    const out = process.env.SAQSHY_SHOTS;
    if (!out) return;
    mkdirSync(out, { recursive: true });
    const at = (q) => `${base}/#/objects/${OBJECT}/facts${q}`;
    for (const lang of ['kk', 'ru', 'en']) {
        for (const role of ['centre_analyst', 'owner_officer']) {
            const page = await b.open(base, Object.values(c.accounts).find((x) => x.role === role), lang);
            const pages = { queue: `${base}/#/integrity`, hosts: `${base}/#/integrity/hosts`, facts: at(''), checksums: at('?tab=checksums'), packages: at('?tab=packages'), settings: at('?tab=settings'),
                files: at('?tab=files'), history: at(`?tab=history&host=${encodeURIComponent(id)}&kind=files&key=${encodeURIComponent(`${tree}/server`)}`) };
            for (const [name, url] of Object.entries(pages)) {
                if (role !== 'centre_analyst' && name !== 'queue') continue;
                await page.goto(url);
                await page.waitForTimeout(500);
                if (role !== 'centre_analyst') { await page.locator('tbody input[type=checkbox]').first().check(); await page.click('.tools button.primary'); }
                await page.screenshot({ path: join(out, `${lang}-${role === 'centre_analyst' ? '' : 'owner-'}${name}.png`), fullPage: true });
                assert.deepEqual(await b.untranslated(page), []);
                assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${lang} ${name} is too wide`);
            }
            await page.context().close();
        }
    }
}

test('R-7-05: in the portal the owner sees what differs from the passport and explains it, and the centre accepts it into the next version', { timeout: 600000 }, async (t) => {
    const c = await centre(), tree = join(c.data, 'host/register');
    t.after(() => c.remove());
    mkdirSync(tree, { recursive: true });
    for (const f of ['server', 'worker', 'app.conf']) writeFileSync(join(tree, f), `${f} 1\n`);
    writeFileSync(join(c.data, 'host/status'), ['nginx', 'openssh-server', 'postgresql-15'].map((n) => `Package: ${n}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2-3\n\n`).join(''));
    const file = join(c.data, 'agent/agent.yaml'), kept = readFileSync(file, 'utf8').split('\n').filter((l) => /^(id|state|server):|^ {2}(url|ca|cert|key):/.test(l)).join('\n');
    writeFileSync(file, `${kept}\ninputs: none\nfacts:\n  packages: true\n  packages_file: ${c.data}/host/status\n  settings: ${root}/content/agent/settings.yaml\ntrees:\n  paths: [${tree}]\n`);
    const id = /^id: *"?([^"\n]+)/m.exec(kept)[1];
    await c.start();
    const owner = await c.signedIn('registry');
    c.startAgent();
    await until('the files are known', async () => (await owner.get(`/objects/${OBJECT}/facts/files`)).json.items.length === 3);
    const sum = (f) => ({ kind: 'checksum', file: join(tree, f), algorithm: 'sha256', value: sha256(`${f} 1\n`), of: 'program' });
    await owner.post(`/objects/${OBJECT}/passports`, { source: 'owner', items: [sum('server'), sum('worker'), { ...sum('worker'), file: '/srv/elsewhere.jar' }, { kind: 'software', name: 'nginx', host: id, version: '1.2-3' }] });
    await until('they are compared', async () => (await owner.get(`/objects/${OBJECT}/facts`)).json.checksums?.match === 2);
    writeFileSync(join(tree, 'server'), 'server 2\n');
    writeFileSync(join(tree, 'app.conf'), 'app.conf 2, longer\n');
    await until('both changes are seen', async () => (await owner.get(`/integrity/changes?object=${OBJECT}&state=open`)).json.items.length === 2);

    const b = await browser();
    t.after(() => b.close());
    const base = `https://127.0.0.1:${c.ports.portal}`;
    await shots(b, c, base, id, tree);
    const mine = await b.open(base, c.accounts['registry'], 'en');
    await mine.goto(`${base}/#/integrity`);
    const row = mine.locator('tr', { hasText: `${tree}/server` });
    await row.locator('input[type=checkbox]').check();
    await mine.click('.tools button.primary');
    await mine.locator('form textarea').fill('Release 2');
    await mine.click('form button.primary');
    await row.locator('text=Explained').waitFor();
    await mine.goto(`${base}/#/objects/${OBJECT}`);
    await mine.click(`a[href="#/objects/${OBJECT}/facts"]`);
    await mine.locator('[data-tab=settings]').click();
    await mine.locator('text=kernel.randomize_va_space').waitFor();
    await mine.locator('[data-tab=packages]').click();
    await mine.locator('text=postgresql-15:amd64').waitFor();

    const centres = await b.open(base, Object.values(c.accounts).find((x) => x.role === 'centre_analyst'), 'en');
    await centres.goto(`${base}/#/objects/${OBJECT}/facts`);
    const theirs = centres.locator('tr', { hasText: `${tree}/server` });
    await theirs.locator('input[type=checkbox]').check();
    await centres.click('.tools button.primary');
    await centres.locator('dialog button.primary').click();
    await theirs.waitFor({ state: 'detached' });
    await until('the next version is there', async () => (await owner.get(`/objects/${OBJECT}/passports/2`)).json?.items?.find((i) => i.file === `${tree}/server`)?.value === sha256('server 2\n'));
    await centres.goto(`${base}/#/integrity/hosts`);
    await centres.locator(`text=${id}`).first().waitFor();

    // --- a survey of updates and configurations takes the facts of chosen hosts at a press ---
    const analyst = await c.signedIn('centre_analyst'), day = new Date(c.now() + 5 * 3600_000).toISOString().slice(0, 10);
    await conditions(c, analyst, owner, OBJECT);
    const survey = (await analyst.post('/surveys', { object_id: OBJECT, mode: 'update_config', kind: 'main', from_on: day, to_on: day, reason: 'an order' })).json;
    assert.equal((await analyst.post(`/surveys/${survey.id}/actions/start`, {})).status, 200);
    await centres.goto(`${base}/#/surveys/${survey.id}`);
    await centres.locator(`#results a[href="#/objects/${OBJECT}/facts"]`).waitFor();
    await centres.click('#results button[aria-expanded=false]:has-text("Take the facts")');
    for (const box of await centres.locator('#results fieldset label', { hasNotText: id }).all()) await box.locator('input').uncheck();
    await centres.click('#results button.primary:has-text("as they are now")');
    await centres.locator('#results [role=status] li', { hasText: id }).filter({ hasText: 'taken' }).waitFor();
    await centres.locator(`#results a[download="facts-${id}.json"]`).waitFor();
    const there = (await analyst.get(`/surveys/${survey.id}`)).json.results;
    assert.deepEqual(there.map((x) => x.name), [`facts-${id}.json`]);
    await centres.click('#results button.primary:has-text("as they are now")');
    await centres.locator('#results [role=status] li', { hasText: 'as before' }).waitFor();
    if (process.env.SAQSHY_SHOTS) await centres.screenshot({ path: join(process.env.SAQSHY_SHOTS, 'en-survey-facts.png'), fullPage: true });
    await b.settled();
    assert.deepEqual(b.problems, []);
});
