// documents.portal.test.mjs - a survey of documents as people use it: a browser, the real centre; the check-list by keyboard alone.
import { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { centre } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';
import { accessibility, axe, settled as ready } from '../web/tests/a11y.mjs';

let c, b, base, auditor, owner, survey;
const OBJECT = 'state-register', password = 'a long password for tests 1';

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    base = `https://127.0.0.1:${c.ports.portal}/`;
    const admin = await c.signedIn('administrator');
    const a = await admin.post('/users', { login: 't-auditor', name: 'Auditor', role: 'document_auditor', org_id: 'sts', language: 'en', email: null, password });
    assert.equal(a.status, 201, a.bytes.toString());
    c.accounts['t-auditor'] = { login: 't-auditor', password, role: 'document_auditor' };
    b = await browser({ timeout: Number(process.env.SAQSHY_PATIENCE ?? 60_000) });
    auditor = await b.open(base, c.accounts['t-auditor'], 'en');
    owner = await b.open(base, c.accounts.registry, 'en');
});
after(async () => {
    await b?.close();
    await c?.remove();
});

const go = async (page, hash) => { await page.goto(`${base}#/${hash}`); await ready(page); };
const button = (page, name) => page.getByRole('button', { name, exact: true });
const day = (days = 0) => new Date(c.now() + (days * 24 + 5) * 3600000).toISOString().slice(0, 10).split('-').reverse().join('.');
const send = (page) => page.locator('form button.primary, form button.danger').last().click();
async function whole(page, where) {
    await ready(page);
    assert.deepEqual(await accessibility(page, where), []);
    assert.deepEqual(await axe(page, where), []);
    assert.deepEqual(await b.untranslated(page), [], where);
}

test('an officer brings a document into the register', async () => {
    await go(owner, `objects/${OBJECT}/documents`);
    await owner.getByRole('button', { name: /Add a version\s*: IS policy/ }).click();
    await owner.locator('#version-number').fill('12-A');
    await owner.locator('#version-dated_on').fill(day(-100));
    await owner.locator('input[name="version-signed"]').first().check();
    await owner.locator('input[name="version-certified"]').first().check();
    await whole(owner, 'the register with its form');
    await send(owner);
    await owner.waitForSelector('text=version 1');
});

test('R-14-04: the auditor plans a survey by hand and sends its notice; the owner is led to the request', async () => {
    await go(auditor, 'document-surveys/new');
    await auditor.locator('#survey-object_id').fill('Мем');
    await auditor.locator("main [role=option]").first().click();
    await auditor.locator('#survey-planned_from').fill(day(10));
    await auditor.locator('#survey-reason').fill('A complaint.');
    await whole(auditor, 'a new survey');
    await send(auditor);
    await auditor.waitForSelector('main h1:has-text("TD-")');
    survey = (await auditor.evaluate(() => location.hash)).split('/').pop();
    await button(auditor, 'Send the notice').click();
    await send(auditor);
    await auditor.waitForSelector('text=notice sent');
    await go(owner, `document-surveys/${survey}`);
    await owner.getByRole('link', { name: /The owner's part stands in request/ }).click();
    await owner.locator("section button.primary").first().click();
    await send(owner);
    await owner.waitForSelector('text=D-16');
    await whole(owner, 'the request');
});

test('R-10.3-01: the check-list is worked through with the keyboard alone', async () => {
    await go(auditor, `document-surveys/${survey}`);
    await button(auditor, 'Begin the survey').click();
    await send(auditor);
    await auditor.getByRole('link', { name: 'Check-list', exact: true }).click();
    await auditor.waitForSelector('.lines > li');
    await whole(auditor, 'the check-list');
    const count = await auditor.locator('.lines > li').count();
    await auditor.locator('.lines > li').first().focus();
    for (let i = 0; i < count - 1; i++) {
        await auditor.keyboard.press('m');
        await auditor.waitForFunction((n) => document.querySelectorAll('.lines > li .chip.calm').length === n, i + 1);
        await auditor.waitForFunction((n) => document.querySelectorAll('.lines > li')[n] === document.activeElement, i + 1);
    }
    await auditor.keyboard.press('Enter');
    await auditor.waitForSelector('.lines form');
    await auditor.keyboard.press('Tab');
    await auditor.waitForSelector('.lines form');
    assert.equal(await auditor.locator('.lines > li .chip.calm').count(), count - 1);
    await whole(auditor, 'the check-list with its form');
});

test('the first page of the auditor has the survey that waits; the owner is asked for nothing that the centre owes', async () => {
    await go(auditor, '');
    await auditor.locator('section:has-text("where it is my turn") a').first().waitFor();
    await whole(auditor, 'the first page of the auditor');
    const client = await c.signedIn(c.accounts['t-auditor']);
    let last = (await client.get(`/document-surveys/${survey}/checklist?limit=1000`)).json;
    const items = [...last.items];
    while (last.next) { last = (await client.get(`/document-surveys/${survey}/checklist?limit=1000&before=${last.next}`)).json; items.push(...last.items); }
    for (const l of items.filter((x) => x.verdict === null)) assert.equal((await client.post(`/document-surveys/${survey}/actions/set_verdict`, { requirement: l.requirement, verdict: 'met' })).status, 200);
    assert.equal((await client.post(`/document-surveys/${survey}/actions/complete`, {})).status, 200);
    await go(owner, '');
    const centres = owner.locator('li:has-text("D-17"), article:has-text("D-17")').first();
    await centres.waitFor();
    assert.equal(await centres.locator('a.button.primary').count(), 0);
});

test('violations and the library are whole for those who read them', async () => {
    for (const page of ['document-violations', 'document-requirements', 'document-surveys?side=all']) {
        await go(auditor, page);
        await whole(auditor, page);
    }
});
