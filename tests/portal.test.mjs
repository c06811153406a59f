// portal.test.mjs - the whole house behind its window: a real attack, then every step of the case by clicking.
//
// The tests run in order and share one centre and one browser.
import { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { centre, saqshy, until } from './lib/centre.mjs';
import { smtp } from './lib/smtp.mjs';
import { browser, caseStory, test } from './portal/browser.mjs';
import { ROLE_NAMES } from './portal/openapi.mjs';
import { behind, settled } from '../web/tests/a11y.mjs';

let c, mail, b, base, analyst, theCase;
const looked = new Set();
const account = (what) => Object.values(c.accounts).find((a) => a.role === what || a.login === what);

before(async () => {
    mail = await smtp();
    c = await centre({ demo: true, smtp: mail.port });
    await c.start();
    c.startAgent();
    base = `https://127.0.0.1:${c.ports.portal}/`;
    b = await browser();
});
after(async () => {
    await b?.close();
    await c?.remove();
    await mail?.stop();
});

test('R-10.1-06 D-05 the first page shows the clock of an attack as it happens, without a reload', async () => {
    analyst = await b.open(base, account('centre_analyst'));
    await analyst.waitForSelector('h1');
    const attack = await saqshy(['demo', 'attack', '--data', c.data], { env: { ...process.env, ...c.env } });
    assert.equal(attack.code, 0, attack.out + attack.err);
    await analyst.waitForSelector('.clocks li:has-text("D-05")');
    const client = await c.signedIn('centre_analyst');
    theCase = await until('a case with an object', async () => (await client.get('/cases')).json.items.find((x) => x.object && x.rule.level !== 'informational'));
    assert.match(await analyst.title(), /D-05/);
});

test('the log lines are found, filtered and drawn', async () => {
    await analyst.goto(`${base}#/events?q=${encodeURIComponent('"Failed password"')}&range=1h`);
    await analyst.waitForSelector('button.twist');
    await analyst.locator('button.twist').first().click();
    await analyst.getByRole('button', { name: 'source.ip: filter for this value' }).click();
    await analyst.waitForFunction(() => /source\.ip:"127\.0\.0\.1"/.test(document.querySelector('#q').value));
    await analyst.waitForSelector('button.twist');
    await analyst.waitForSelector('canvas');
});

test('R-10.1-08 R-12-13 D-06 D-10 D-11 the case goes from detection to its end by clicking, centre and owner in turn', async () => {
    const officers = Object.values(c.accounts).filter((a) => a.role === 'owner_officer');
    let owner;
    for (const a of officers) {
        const me = (await (await c.signedIn(a.login)).get('/session')).json.user;
        if (me.org_id === theCase.org.id) owner = await b.open(base, a);
    }
    assert.ok(owner, 'the organisation of the object has an officer');
    await caseStory(base, theCase.id, theCase.number, analyst, owner);
    await owner.context().close();
});

test('every page in Kazakh, Russian and English, without an untranslated word or a sideways scroll', async () => {
    const pages = { centre_analyst: ['', 'cases', `cases/${theCase.id}`, 'inbox', 'events', 'objects', `objects/${theCase.object.id}`, 'sources', 'rules', 'account'], administrator: ['objects/new', 'users', 'audit'] };
    for (const language of ['kk', 'ru', 'en'])
        for (const [role, hashes] of Object.entries(pages)) {
            const page = await b.open(base, account(role), language);
            for (const hash of hashes) {
                await page.goto(`${base}#/${hash}`);
                await settled(page);
                assert.deepEqual(await b.untranslated(page), [], `${language} ${hash}`);
                assert.equal(await page.evaluate(() => document.querySelectorAll('[role=alert]').length), 0, `${language} ${hash}: a failure is shown`);
                assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, `${language} ${hash}: too wide`);
            }
            await page.context().close();
        }
});

test('every page that the navigation of each of the twelve roles leads to, and what stands behind it, on a real node', async () => {
    const admin = await c.signedIn('administrator'), people = { administrator: account('administrator') };
    const orgs = (await admin.get('/organisations')).json.items, own = theCase.org?.id ?? orgs[0].id;
    const centres = ['centre_analyst', 'centre_lead', 'surveyor', 'document_auditor'];
    for (const role of ROLE_NAMES.filter((r) => r !== 'administrator')) {
        const login = `look.${role.replaceAll('_', '.')}`, password = 'look at every page 2026';
        const made = await admin.post('/users', { login, name: `Look ${role}`, role, org_id: centres.includes(role) ? 'sts' : own, language: 'en', email: null, password });
        assert.equal(made.status, 201, JSON.stringify(made.json));
        people[role] = { login, password };
    }
    const seen = new Set(), wrong = [];
    for (const [i, [role, who]] of Object.entries(people).entries()) {
        const page = await b.open(base, who, ['en', 'kk', 'ru'][i % 3], { viewport: { width: 1280, height: 900 } });
        const queue = await page.evaluate(() => [...document.querySelectorAll('nav #menu a')].map((a) => a.getAttribute('href')));
        for (const hash of queue) {
            const where = `${role} ${hash}`;
            await page.goto(base + hash);
            await settled(page).catch(() => wrong.push(`${where} does not come: ${queue.length}`));
            wrong.push(...(await b.untranslated(page)).map((x) => `${where}: ${x}`));
            wrong.push(...(await page.locator('main .failure').allInnerTexts()).map((x) => `${where}: ${x}`));
            queue.push(...(await behind(page, seen)).map((x) => x.href));
            for (let k = 1; k < (await page.locator('main [role=tab]').count()) && !looked.has(hash); k++) {
                await page.locator('main [role=tab]').nth(k).click();
                await settled(page).catch(() => wrong.push(`${where}: part ${k} does not come`));
                wrong.push(...(await page.locator('main .failure').allInnerTexts()).map((x) => `${where}, part ${k}: ${x}`));
                queue.push(...(await behind(page, seen)).map((x) => x.href));
            }
            looked.add(hash);
        }
        await page.context().close();
    }
    assert.deepEqual(wrong, []);
    assert.ok(looked.size >= 30, `only ${looked.size} pages were opened`);
});

test('R-10.1-06 D-05 at night: from any page the next duty is one key away, its form filled, and sent with the second', async () => {
    const night = await b.open(base, account('centre_analyst'), 'kk', { viewport: { width: 1366, height: 768 } });
    await night.goto(`${base}#/sources`);
    await night.waitForSelector('[data-next]');
    assert.match(await night.innerText('.next .digits'), /^00:\d\d:\d\d$/);
    await night.keyboard.press('n');
    await night.waitForSelector('#a7-device_name');
    const number = await night.innerText('[data-next]');
    // All that the Rules want is filled from the finding, so the second key sends it.
    await night.locator('form button.primary').focus();
    await night.keyboard.press('Enter');
    await night.waitForSelector('.sent');
    const said = await night.innerText('.sent');
    assert.match(said, /\d{4}-\d{6}[\s\S]*\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d/, said);
    await night.waitForSelector('.sent a[href*="#/notices/"]');
    // What was due is done: the line shows the next one.
    await night.waitForFunction((n) => document.querySelector('[data-next]')?.innerText !== n, number);
    await night.context().close();
});

test('no script failed, nothing broke the content security policy, every answer fits docs/openapi.yaml', async () => {
    await b.settled();
    assert.deepEqual([...new Set(b.problems)], []);
});
