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
    b = await browser();
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

test('the library is narrowed to a document and by words', async () => {
    await go(auditor, 'document-requirements');
    const shown = auditor.locator('main ol > li');
    const documents = await auditor.locator('main details').count();
    assert.equal(documents, 27);
    assert.equal(await auditor.locator('main details[open]').count(), 0, 'a list of documents, not one long page');
    await auditor.locator('#library-document').selectOption('backup_regulation');
    await auditor.locator('main details[open]').waitFor();
    const all = await shown.count();
    assert.ok(all >= 5 && all <= 12, String(all));
    await auditor.locator('#library-q').fill('no such words anywhere');
    await auditor.locator('text=There are no such requirements.').waitFor();
    await auditor.locator('#library-document').selectOption('');
    await auditor.locator('#library-q').fill('backup_journal.');
    await auditor.waitForFunction(() => document.querySelectorAll('main details').length === 1);
    await whole(auditor, 'the library, narrowed');
});

test('the comparison with the last survey says what became of each violation, in three languages', async () => {
    const client = await c.signedIn(c.accounts['t-auditor']), theirs = await c.signedIn(c.accounts.registry);
    const must = async (who, path, body = {}) => { const a = await who.post(path, body); assert.ok(a.status < 300, `${path}: ${a.bytes}`); return a.json; };
    const act = (who, id, name, body) => must(who, `/document-surveys/${id}/actions/${name}`, body);
    const lines = async (id) => { const out = []; for (let next = ''; next !== null;) { const x = (await client.get(`/document-surveys/${id}/checklist?limit=1000${next ? `&before=${next}` : ''}`)).json; out.push(...x.items); next = x.next; } return out; };
    const [GONE, MENDED, STAYS, NEW] = ['is_policy.roles', 'is_policy.scope', 'is_policy.review', 'backup_regulation.offsite'];
    const end = async (id) => {
        await act(client, id, 'send_results', { confirmed: true });
        await act(theirs, id, 'receive');
        const found = (await theirs.get(`/document-violations?survey=${id}&limit=100`)).json.items.filter((v) => v.open);
        for (const v of found) await act(theirs, id, 'set_measure', { violation: v.id, measure: 'Done.' });
        if (found.length) await act(theirs, id, 'send_measures', { confirmed: true });
        await act(client, id, 'close');
    };
    const known = new Set((await lines(survey)).map((l) => l.requirement)), pick = (code, i) => (known.has(code) ? code : [...known][i]);
    const [gone, mended, stays, fresh] = [pick(GONE, 1), pick(MENDED, 2), pick(STAYS, 3), pick(NEW, 100)];
    const make = async (verdicts) => {
        const s = await must(client, '/document-surveys', { object_id: OBJECT, planned_from: new Date(c.now() + 10 * 86400_000).toISOString().slice(0, 10), reason: 'A complaint.' });
        await act(client, s.id, 'send_notice', { survey_from: new Date(c.now() + 10 * 86400_000).toISOString().slice(0, 10), text: 'Copies, please.' });
        await must(theirs, `/requests/${(await client.get(`/document-surveys/${s.id}`)).json.request.id}/actions/receive`);
        await act(client, s.id, 'start');
        for (const l of await lines(s.id)) await act(client, s.id, 'set_verdict', { requirement: l.requirement, ...(verdicts[l.requirement] ?? { verdict: 'met' }) });
        await act(client, s.id, 'complete');
        return s.id;
    };
    await end(survey);
    const wrong = { verdict: 'not_met', description: 'It is not so.', quote: 'Nobody is named.' };
    await end(await make({ [gone]: wrong, [mended]: wrong, [stays]: wrong }));
    const last = await make({ [gone]: { verdict: 'not_applicable', reason: 'The branch was closed.' }, [stays]: { verdict: 'partly', description: 'Half of it.' }, [fresh]: wrong });
    for (const lang of ['kk', 'ru', 'en']) {
        const page = await b.open(base, c.accounts['t-auditor'], lang);
        await go(page, `document-surveys/${last}`);
        await page.locator('text=The branch was closed.').first().waitFor();
        assert.equal(await page.locator('table').first().locator('tbody tr').count(), 4);
        assert.deepEqual(await b.untranslated(page), []);
        if (lang === 'en') for (const word of ['no longer applicable', 'fixed', 'found', 'persisting']) await page.locator('table').first().locator('strong', { hasText: word }).first().waitFor();
        if (process.env.SAQSHY_SHOTS) await page.screenshot({ path: `${process.env.SAQSHY_SHOTS}/${lang}-document-comparison.png`, fullPage: true });
        await page.context().close();
    }
});
