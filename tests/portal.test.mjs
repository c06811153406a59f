// portal.test.mjs - the whole house behind its window: a real attack, then every step of the case by clicking.
//
// The tests run in order and share one centre and one browser.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { centre, saqshy, until } from './lib/centre.mjs';
import { smtp } from './lib/smtp.mjs';
import { browser, caseStory } from './portal/browser.mjs';

let c, mail, b, base, analyst, theCase;
const account = (what) => Object.values(c.accounts).find((a) => a.role === what || a.login === what);

before(async () => {
    mail = await smtp();
    c = await centre({ demo: true, smtp: mail.port });
    await c.start();
    c.startAgent();
    base = `https://127.0.0.1:${c.ports.portal}/`;
    b = await browser({ timeout: 60_000 });
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
                await page.waitForFunction(() => !document.querySelector('.loading') && document.querySelector('h1'));
                assert.deepEqual(await b.untranslated(page), [], `${language} ${hash}`);
                assert.equal(await page.evaluate(() => document.querySelectorAll('[role=alert]').length), 0, `${language} ${hash}: a failure is shown`);
                assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, `${language} ${hash}: too wide`);
            }
            await page.context().close();
        }
});

test('no script failed, nothing broke the content security policy, every answer fits docs/openapi.yaml', async () => {
    await b.settled();
    assert.deepEqual([...new Set(b.problems)], []);
});
