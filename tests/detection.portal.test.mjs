// detection.portal.test.mjs - the pages of detection in a real browser, with a real node behind them: the rules as they run, one rule, indicators that a person brings,
// who may do what, and that foreign texts are shown as texts. SAQSHY_SHOTS names a folder for pictures of the pages in all languages.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, sendSyslog, until } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';

const HOSTILE = '<img src=x onerror="document.title=1">&lt;b&gt;';
const PAGES = { rules: 'rules', rule: 'rules/1696670d-262b-59e3-bfbf-cb92742221e2', exceptions: 'exceptions', 'exception-new': 'exceptions/new?rule=22222222-2222-4222-8222-222222222222', risk: 'risk', indicators: 'indicators' };

/** A picture of a page as it stands, where pictures are asked for. */
async function shot(page, name) {
    if (!process.env.SAQSHY_SHOTS) return;
    mkdirSync(process.env.SAQSHY_SHOTS, { recursive: true });
    await page.screenshot({ path: join(process.env.SAQSHY_SHOTS, `${name}.png`), fullPage: true });
}

/** Every page in every language, wide and narrow: no raw key, no page that is too wide. */
async function look(b, c, base, pages = PAGES) {
    const out = process.env.SAQSHY_SHOTS;
    if (out) mkdirSync(out, { recursive: true });
    for (const lang of ['kk', 'ru', 'en']) {
        const page = await b.open(base, Object.values(c.accounts).find((x) => x.role === 'administrator'), lang);
        for (const width of [1440, 390]) {
            await page.setViewportSize({ width, height: 900 });
            for (const [name, path] of Object.entries(pages)) {
                await page.goto(`${base}/#/${path}`);
                await page.waitForFunction(() => !document.querySelector('.loading'));
                if (out) await page.screenshot({ path: join(out, `${lang}-${width}-${name}.png`), fullPage: true });
                assert.deepEqual(await b.untranslated(page), [], `${lang} ${name}`);
                assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${lang} ${name} is too wide at ${width}`);
            }
        }
        await page.context().close();
    }
}

test('R-A2-09 the rules as they run, one rule with its text, indicators brought, checked, searched and removed; owners see nothing of it', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    // A broken file and one with a title that wants to be a page.
    mkdirSync(join(c.data, 'rules'), { recursive: true });
    writeFileSync(join(c.data, 'rules/broken.yml'), 'title: Broken\nid: 11111111-1111-4111-8111-111111111111\nlogsource: { product: linux }\ndetection:\n  selection: { a: b }\n  condition: selection and\n');
    writeFileSync(join(c.data, 'rules/hostile.yml'), `title: '${HOSTILE}'\nid: 22222222-2222-4222-8222-222222222222\nauthor: '${HOSTILE}'\nlevel: low\nlogsource: { product: linux }\ndetection:\n  selection: { message: '${HOSTILE}' }\n  condition: selection\n`);
    await c.start();
    const admin = await c.signedIn('administrator');
    await until('the rules are published', async () => (await admin.get('/detection/rules')).json.total > 0, 120);
    const b = await browser();
    t.after(() => b.close());
    const base = `https://127.0.0.1:${c.ports.portal}`;
    const page = await b.open(base, Object.values(c.accounts).find((x) => x.role === 'administrator'), 'en');

    // The rules: what is refused stands above, with its place; a title is a text.
    await page.goto(`${base}/#/rules`);
    await page.locator('details', { hasText: 'Rules that are not loaded' }).locator('text=broken.yml').waitFor();
    await page.fill('[data-search]', 'onerror');
    await until('one rule is left', async () => (await page.locator('tbody tr').count()) === 1);
    assert.equal(await page.locator('tbody a.open').textContent(), HOSTILE);
    await page.locator('tbody a.open').click();
    await page.locator('pre', { hasText: 'condition: selection' }).waitFor();
    assert.equal(await page.locator('h1').textContent(), HOSTILE);
    assert.equal(await page.locator('main img').count(), 0);

    // A file of indicators, by keyboard but for the file.
    await page.goto(`${base}/#/indicators`);
    await page.locator('button', { hasText: 'Bring a file' }).click();
    await page.setInputFiles('input[type=file]', { name: 'feed.csv', mimeType: 'text/csv', buffer: Buffer.from(`value,description\n203.0.113.7,"${HOSTILE.replaceAll('"', '""')}"\nevil.example,command and control\n10.0.0.1,inner\n`) });
    await page.locator('li', { hasText: 'feed.csv' }).locator('text=SHA-256').waitFor();
    await page.fill('#import-source', '../set');
    await page.click('form button.primary');
    await page.locator('[aria-invalid=true]#import-source').waitFor();
    await page.fill('#import-source', 'kz-cert');
    await page.selectOption('#import-tlp', 'amber');
    await page.fill('#import-days', '30');
    await page.click('form button.primary');
    await page.locator('[role=status]', { hasText: '2 indicators taken from kz-cert' }).waitFor();
    await page.locator('li', { hasText: '10.0.0.1' }).waitFor();
    await page.locator('tbody tr', { hasText: '203.0.113.7' }).locator('.note', { hasText: '<img' }).waitFor();
    assert.equal(await page.locator('main img').count(), 0);
    await look(b, c, base);

    // Is this value one? As people write it.
    const input = page.locator('form input.mono').first();
    await input.fill('hxxp://www.evil[.]example/x');
    await input.press('Enter');
    await page.locator('.found li', { hasText: 'evil.example' }).locator('text=kz-cert').waitFor();
    await input.fill('198.51.100.1');
    await input.press('Enter');
    await page.locator('text=is not among the indicators').waitFor();

    // An analyst brings, but takes no source away; an owner has no such pages and no such answers.
    const analyst = await c.signedIn('centre_analyst');
    assert.equal((await analyst.request('DELETE', '/api/v1/detection/indicators/sources/kz-cert')).status, 403);
    const owner = await c.signedIn('owner_officer');
    for (const path of ['/detection/rules', '/detection/rule?id=x', '/detection/indicators', '/detection/indicators/check?value=x', '/detection/indicators/sources']) assert.equal((await owner.get(path)).status, 403, path);
    const theirs = await b.open(base, c.accounts['registry'], 'en');
    assert.equal(await theirs.locator('nav a[href="#/rules"], nav a[href="#/indicators"]').count(), 0);

    await page.locator('tr', { hasText: 'kz-cert' }).locator('button.danger').first().click();
    await page.locator('dialog button.danger').click();
    await page.locator('text=No indicators have been brought yet').waitFor();
    const audit = (await admin.get('/audit')).json.items;
    for (const action of ['indicators.import', 'indicators.remove']) assert.ok(audit.some((a) => a.action === action && a.target === 'indicators/kz-cert' && a.outcome === 'ok'), action);
    await b.settled();
    assert.deepEqual(b.problems, []);
});

test('R-A2-09 why a rule matches or not, what it would have found, and an exception made from a finding after a look at what it removes', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    await c.start();
    const admin = await c.signedIn('administrator');
    const analyst = await c.signedIn('centre_analyst');
    await until('the rules are published', async () => (await admin.get('/detection/rules')).json.total > 0, 120);
    const rule = (await admin.get('/detection/rules?q=NOT%20in%20sudoers')).json.items[0] ?? (await admin.get('/detection/rules?q=Sudo%20refused')).json.items[0];
    const line = (user) => `<38>1 ${new Date(c.now()).toISOString()} registry-web-1 sudo - - - ${user} : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh`;
    await sendSyslog(c.ports.syslog, [line('guest'), `<38>1 ${new Date(c.now()).toISOString()} registry-web-1 sudo - - - ${HOSTILE.replaceAll(' ', '_')} : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh`]);
    const kase = await until('there is a case', async () => (await admin.get('/cases')).json.items.find((x) => x.rule?.id === rule.id), 120);

    const b = await browser();
    t.after(() => b.close());
    const base = `https://127.0.0.1:${c.ports.portal}`;
    const page = await b.open(base, Object.values(c.accounts).find((x) => x.role === 'centre_analyst'), 'en');

    // Why: the part that holds is marked in the line; what does not hold says what the event has.
    await page.goto(`${base}/#/rules/${rule.id}`);
    const text = `Mar 19 03:00:00 srv1 sudo: guest : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=${HOSTILE}`;
    await page.fill('textarea', text);
    await page.locator('button', { hasText: 'Explain' }).click();
    await page.locator('.verdict', { hasText: 'Matches' }).waitFor();
    await shot(page, 'explain-yes');
    await page.fill('textarea', 'Mar 19 03:00:00 srv1 sudo: aidana : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id');
    await page.locator('button', { hasText: 'Explain' }).click();
    await page.locator('.verdict', { hasText: 'Does not match' }).waitFor();
    await page.locator('li', { hasText: 'event.outcome' }).locator('text=The event has').waitFor();
    await page.setViewportSize({ width: 390, height: 900 });
    await shot(page, 'explain-no');
    await page.setViewportSize({ width: 1440, height: 900 });
    assert.equal(await page.locator('main img').count(), 0);
    // Would have.
    await until('the events are stored and counted', async () => {
        const a = await analyst.post('/detection/preview', { rule: rule.id, days: 7 });
        return a.json.items?.[0]?.count === 2;
    });
    await page.locator('button', { hasText: 'Count' }).click();
    await page.locator('text=It would have matched 2 times in the last 7 days').waitFor();
    await shot(page, 'would-have');

    // From a finding of the case: conditions are there, what it removes is seen first, an analyst has a week.
    await page.goto(`${base}/#/cases/${kase.id}`);
    await page.locator('details.finding summary').first().click();
    await page.locator('a', { hasText: 'Except this' }).first().click();
    await page.locator('#exception-where-0-field').waitFor();
    assert.equal(await page.inputValue('#exception-where-0-field'), 'host.name');
    assert.equal(await page.inputValue('#exception-where-0-value'), 'registry-web-1');
    await page.click('form button.primary');
    await page.locator('[aria-invalid=true]#exception-reason').waitFor();
    await page.fill('#exception-reason', 'our own nightly test');
    await page.locator('button', { hasText: 'See what it would remove' }).click();
    await page.locator('strong', { hasText: /It would have removed [12] of \d findings/ }).waitFor();
    await page.locator('ul.cases a', { hasText: kase.number }).waitFor();
    await shot(page, 'exception-preview');
    await page.locator('button', { hasText: 'Make the exception' }).click();
    await page.locator('[role=status]', { hasText: 'The exception is made' }).waitFor();
    const made = await until('it is in force', async () => (await admin.get('/detection/exceptions')).json.items.find((x) => x.reason === 'our own nightly test'));
    assert.equal(made.state, 'active');
    assert.equal(made.rules[0].id, rule.id);
    await until('the rule says so of itself', async () => (await admin.get(`/detection/rule?id=${rule.id}`)).json.rule.filters.includes(made.id));
    const why = await analyst.post('/detection/explain', { rule: rule.id, event: JSON.stringify({ ...kase, ...(await admin.get(`/cases/${kase.id}`)).json.findings[0] }) });
    assert.ok(['filtered', 'matches', 'condition', 'logsource'].includes(why.json.events[0].explain.why));
    assert.equal(why.json.events[0].explain.filters[0].id, made.id);

    // Longer than a week is for others; a text that does not load says where; owners see it only if it is for their object.
    const body = { rule: rule.id, where: [{ field: 'user.name', value: 'x' }], reason: 'r', expires_at: new Date(c.now() + 30 * 86_400_000).toISOString() };
    assert.equal((await analyst.post('/detection/exceptions', body)).json.code, 'exception_too_long');
    const bad = await analyst.post('/detection/explain', { text: 'title: x\ndetection: {', event: 'x' });
    assert.equal(bad.json.code, 'rule_refused');
    assert.match(bad.json.errors[0].detail, /^\d+:\d+: /);
    const owner = await c.signedIn('owner_officer');
    assert.equal((await owner.post('/detection/exceptions', body)).status, 403);
    assert.equal((await owner.post('/detection/preview', { rule: rule.id, days: 7 })).status, 403);
    const theirs = (await owner.get('/detection/exceptions')).json.items;
    assert.ok(theirs.every((x) => x.objects.length > 0 && x.text === null && !x.removable));

    // All rules over one event; then the exception goes.
    await page.goto(`${base}/#/tester`);
    await page.fill('textarea', 'Mar 19 03:00:00 srv1 sudo: guest : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh');
    await page.locator('button', { hasText: 'Which ones match' }).click();
    await page.locator('ul.plain a').first().waitFor();
    await shot(page, 'tester-all');
    await page.goto(`${base}/#/exceptions`);
    await page.locator('tr', { hasText: 'our own nightly test' }).waitFor();
    await shot(page, 'exceptions-made');
    await page.locator('tr', { hasText: 'our own nightly test' }).locator('button.danger').click();
    await page.locator('dialog button.danger').click();
    await page.locator('text=There are no exceptions').waitFor();
    await until('it is no more', async () => (await admin.get('/detection/exceptions')).json.items.length === 0);
    const audit = (await admin.get('/audit')).json.items;
    for (const action of ['exception.create', 'exception.remove']) assert.ok(audit.some((a) => a.action === action && a.target === `exception/${made.id}` && a.outcome === 'ok'), action);
    await look(b, c, base, { rule: `rules/${rule.id}`, tester: 'tester', 'tester-text': 'tester?mode=text', risk: 'risk' });
    await b.settled();
    assert.deepEqual(b.problems, []);
});
