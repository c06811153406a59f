// schedule.portal.test.mjs - the yearly schedule as people use it: a browser, the real centre, lead, KNB and owner in turn.
import { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { centre } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';
import { accessibility, axe, settled as ready } from '../web/tests/a11y.mjs';

let c, b, base, lead, knb, owner;
const OBJECT = 'state-register', PASSWORD = 'a long password for tests 1';

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    const admin = await c.signedIn('administrator'), analyst = await c.signedIn('analyst');
    for (const [login, role, org] of [['t-lead', 'centre_lead', 'sts'], ['t-knb', 'knb', 'knb'], ['t-surveyor', 'surveyor', 'sts']])
        assert.equal((await admin.post('/users', { login, name: `${role} one`, role, org_id: org, language: 'en', email: null, password: PASSWORD })).status, 201);
    for (const to of ['commissioned', 'information_received', 'listed'])
        assert.equal((await analyst.post(`/registry/objects/${OBJECT}/state`, { to, reason: 'for the schedule' })).status, 200);
    base = `https://127.0.0.1:${c.ports.portal}/`;
    b = await browser();
    lead = await b.open(base, { login: 't-lead', password: PASSWORD }, 'en');
});
after(async () => {
    await b?.close();
    await c?.remove();
});

const go = async (page, hash) => { await page.goto(`${base}#/${hash}`); await ready(page); };
const button = (page, name) => page.getByRole('button', { name, exact: true });
const send = (page) => page.locator('form button.primary, form button.danger').last().click();
/** SAQSHY_SHOTS=FOLDER keeps pictures in the three languages. */
async function whole(page, where) {
    await ready(page);
    assert.deepEqual(await accessibility(page, where), []);
    assert.deepEqual(await axe(page, where), []);
    assert.deepEqual(await b.untranslated(page), [], where);
    if (!process.env.SAQSHY_SHOTS) return;
    mkdirSync(process.env.SAQSHY_SHOTS, { recursive: true });
    for (const lang of ['kk', 'ru', 'en']) {
        await page.click(`header button[lang=${lang}]`);
        await page.waitForSelector(`html[lang=${lang}]`);
        await page.waitForTimeout(700);
        await page.screenshot({ path: join(process.env.SAQSHY_SHOTS, `${where.replaceAll(' ', '-')}-${lang}.png`), fullPage: true });
    }
}

test('R-9-01: a team, closed days and a plan, laid out by clicking; the calendar is walked by keys', async () => {
    await go(lead, 'schedule/teams');
    await button(lead, 'Add a team').click();
    await lead.locator('#team-new-name').fill('Team 1');
    await whole(lead, 'a team');
    await send(lead);
    await lead.waitForSelector('h2:has-text("Team 1")');
    await go(lead, 'schedule/closed');
    await button(lead, 'Close days').click();
    await lead.locator('#closed-from_on').fill('05.07.2027');
    await lead.locator('#closed-to_on').fill('09.07.2027');
    await lead.locator('#closed-reason').fill('Capital Day week');
    await send(lead);
    await lead.waitForSelector('tbody tr:has-text("Capital Day week")');
    await whole(lead, 'closed days');
    await go(lead, 'schedule');
    await button(lead, 'New schedule').first().click();
    await lead.locator('#plan-year').fill('2027');
    await whole(lead, 'a new plan');
    await send(lead);
    await lead.waitForSelector('h1:has-text("2027")');
    await button(lead, 'Lay out all anew').click();
    await lead.waitForSelector('text=17 works');
    await whole(lead, 'the calendar');
    await lead.locator('[data-day="0"]').focus();
    await lead.keyboard.press('PageDown');
    await lead.keyboard.press('ArrowDown');
    assert.equal(await lead.evaluate(() => document.activeElement.dataset.date), '2027-02-08');
    await lead.locator('.day .count').first().click();
    await lead.waitForSelector('h2:has-text("Works of")');
    await whole(lead, 'a day');
});

test('a work is moved: the conflict is told in words and accepted with a reason', async () => {
    await lead.locator('section.panel li a').first().click();
    await lead.waitForSelector('h2:has-text("Works: 17")');
    await whole(lead, 'the year of an object');
    const row = lead.locator('ol > li:has-text("Survey of documents")').first();
    await row.getByRole('button', { name: /^Move/ }).click();
    await lead.locator('form input[id$="-from_on"]').fill('05.07.2027');
    await lead.locator('form input[id$="-to_on"]').fill('09.07.2027');
    await lead.locator('form textarea').fill('');
    await send(lead);
    await lead.waitForSelector('.conflicts:has-text("Capital Day week")');
    await whole(lead, 'a conflict');
    await lead.locator('form textarea').fill('The owner has no other week.');
    await send(lead);
    await lead.waitForSelector('li:has-text("05.07.2027"):has-text("The owner has no other week.")');
});

test('R-9-02: the lead sends, KNB agrees in its own portal, the owner sees the works', async () => {
    const id = lead.url().split('/schedule/')[1].split('/')[0];
    await go(lead, `schedule/${id}`);
    await button(lead, 'Send to KNB for agreement').first().click();
    await send(lead);
    await lead.waitForSelector('text=sent for agreement');
    knb = await b.open(base, { login: 't-knb', password: PASSWORD }, 'en');
    await knb.locator('section:has-text("wait for your agreement") a:has-text("2027, version 1")').click();
    await knb.waitForURL(`**/#/schedule/${id}`);
    await ready(knb);
    await whole(knb, 'KNB before its answer');
    /* The lead's page is open and hears of the answer without being asked. */
    await lead.evaluate(() => { window.notLoadedAnew = true; });
    await button(knb, 'Agree').first().click();
    await knb.waitForSelector('text=The answer is to version 1.');
    await send(knb);
    await lead.waitForSelector('text=version 1 is agreed');
    assert.equal(await lead.evaluate(() => window.notLoadedAnew), true);
    await knb.waitForSelector('text=version 1 is agreed');
    await go(knb, `schedule/${id}?tab=versions`);
    await whole(knb, 'the versions');
    owner = await b.open(base, c.accounts.registry, 'en');
    await go(owner, `schedule/${id}?tab=table`);
    await owner.waitForSelector('tbody tr:nth-child(17)');
    await whole(owner, 'the table');
    /* Filters by object and organisation: chosen by typing, kept in the address. */
    const rows = (page) => page.locator('tbody tr').count();
    await owner.getByRole('combobox', { name: 'Object', exact: true }).fill('reg');
    await owner.locator('ul[role=listbox] [role=option]').first().click();
    await owner.waitForURL(`**object=${OBJECT}*`);
    await ready(owner);
    assert.equal(await rows(owner), 17);
    await go(lead, `schedule/${id}?tab=table&org=no-such`);
    await lead.waitForFunction(() => document.querySelectorAll('tbody tr').length === 0);
    await go(lead, `schedule/${id}?tab=table`);
    await lead.waitForSelector('tbody tr:nth-child(17)');
    await lead.getByRole('combobox', { name: 'Team', exact: true }).selectOption({ label: 'Team 1' });
    await lead.waitForURL('**team=*');
    await lead.waitForSelector('tbody tr:nth-child(17)');
    await whole(lead, 'the table with its filters');
    await go(owner, `schedule/${id}?tab=progress`);
    await owner.waitForSelector('tbody tr');
    await whole(owner, 'plan against done');
    await go(lead, `schedule/${id}?tab=faults`);
    await whole(lead, 'what is missing');
});

test('nothing went wrong in any browser', async () => {
    await b.settled();
    assert.deepEqual(b.problems, []);
});
