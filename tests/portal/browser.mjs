// browser.mjs - the portal in a headless Chromium, as a person uses it.
//
// const b = await browser(); const page = await b.open(base, { login, password }, 'en'); … await b.close();
// b.problems collects what must never happen: script errors, a broken content security policy, an answer that does not
// fit docs/openapi.yaml, a text that no catalogue has.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { openapi } from './openapi.mjs';

const root = resolve(new URL('../..', import.meta.url).pathname);
const { chromium } = createRequire(resolve(root, 'web/package.json'))('playwright-core');
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function browser({ timeout = 30_000 } = {}) {
    const chrome = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
    const spec = openapi();
    const problems = [];
    const pending = new Set();
    return {
        problems,
        /** All answers that came so far have been looked at. */
        async settled() { await Promise.allSettled([...pending]); },
        async open(base, account, language = 'en', options = {}) {
            // A browser far away: the portal must show the time of Kazakhstan all the same.
            const context = await chrome.newContext({ viewport: { width: 1440, height: 900 }, locale: language, timezoneId: 'America/New_York', ignoreHTTPSErrors: true, ...options });
            const page = await context.newPage();
            page.setDefaultTimeout(timeout);
            page.on('pageerror', (e) => problems.push(e.message));
            page.on('console', (m) => { if (/Content Security Policy|Refused to/.test(m.text())) problems.push(m.text()); });
            page.on('response', (r) => {
                const url = new URL(r.url());
                if (!url.pathname.startsWith('/api/v1/') || !/json/.test(r.headers()['content-type'] ?? '')) return;
                const look = r.json().then((json) => problems.push(...spec.problems(r.request().method(), url.pathname, r.status(), json)), () => undefined).finally(() => pending.delete(look));
                pending.add(look);
            });
            await page.goto(base);
            if (account) {
                await page.fill('#login', account.login);
                await page.fill('#password', account.password);
                await page.keyboard.press('Enter');
                await page.waitForSelector('nav');
                await page.click(`header button[lang=${language}]`);
                await page.waitForSelector(`html[lang=${language}]`);
            }
            return page;
        },
        /** Keys of the catalogue that stand on the page instead of a text. */
        async untranslated(page) { return page.evaluate(() => [...document.body.innerText.matchAll(/\bui\.[\w.]+/g)].map((m) => m[0])); },
        async close() { await chrome.close(); },
    };
}

const submit = (page) => page.click('form button.primary');

async function fillEmpty(page, selector, value) {
    const box = page.locator(selector);
    if ((await box.count()) > 0 && (await box.inputValue()) === '') await box.fill(value);
}

/** The language of both pages is English; the case stands in one of the states before the notice. */
export async function caseStory(base, caseId, number, centre, owner) {
    await centre.goto(`${base}#/cases/${caseId}`);
    await centre.click('[data-action=notify]');
    await centre.waitForSelector('#a7-device_name');
    await centre.fill('#a7-device_name', '');
    await submit(centre);
    if ((await centre.getAttribute('#a7-device_name', 'aria-invalid')) !== 'true') throw new Error('an empty required field is not marked');
    await centre.fill('#a7-device_name', 'server-1');
    await fillEmpty(centre, '#act-recommendations', 'Block the address.');
    // The PDF is there to be seen before anything is sent.
    const seen = async (page) => { await page.click('[data-preview]'); await page.waitForSelector('#drawn[href^="blob:"]'); };
    await seen(centre);
    await submit(centre);
    await centre.waitForSelector('text=Responsible persons notified');

    await owner.goto(`${base}#/inbox`);
    await owner.locator('.inbox li', { hasText: number }).getByRole('button').first().click();
    await owner.click('[data-action=confirm_incident]');
    await owner.getByRole('button', { name: 'Now' }).click();
    await owner.getByLabel('Low (2)').check();
    await submit(owner);
    await owner.click('[data-action=report_measures]');
    // The owner's form comes part by part: what is lacking in a part keeps one there.
    const next = async () => {
        const before = await owner.innerText('#part-title');
        await submit(owner);
        await owner.waitForFunction((t) => document.querySelector('#part-title')?.innerText !== t, before);
    };
    const until = async (selector) => { while ((await owner.locator(selector).count()) === 0) await next(); };
    await owner.waitForSelector('#part-title');
    for (const [field, value] of [['incident_type', 'authentication_means_compromise'], ['scale', 'single'], ['recurrence', 'new'], ['sign', 'valid'], ['contour', 'internal_lan']]) {
        await until(`#a2-${field}`);
        const box = owner.locator(`select#a2-${field}`);
        if ((await box.count()) > 0) await box.selectOption(value);
    }
    const contour = owner.getByLabel('Local network of the internal contour');
    if ((await contour.count()) > 0) await contour.check();
    await until('#a2-nature');
    await owner.fill('#a2-nature', 'A password was guessed.');
    await until('#a2-consequences');
    await owner.getByLabel('Breach of integrity').check();
    await owner.getByLabel('No consequences').check();
    if (await owner.getByLabel('Breach of integrity').isChecked()) throw new Error('«no consequences» does not exclude the others');
    await until('#a2-affected_object');
    await fillEmpty(owner, '#a2-affected_object', 'server-1');
    await until('#a2-elimination_actions');
    await owner.fill('#a2-elimination_actions', 'The account was locked, the address blocked.');
    await until('form table caption');
    await seen(owner);
    await submit(owner);
    await owner.waitForSelector('text=Measures taken reported (Annex 2)');
    await owner.click('[data-action=eliminate]');
    await owner.getByRole('button', { name: 'Now' }).first().click();
    await owner.getByRole('button', { name: 'Now' }).last().click();
    await owner.fill('#act-causes', 'A weak password.');
    await owner.fill('#act-consequences', 'None are left.');
    await submit(owner);
    await owner.waitForSelector('text=Elimination declared');

    // The centre's page was open all the time: it learns of the declaration by itself.
    await centre.click('[data-action=accept_elimination]');
    await submit(centre);
    await centre.click('[data-action=close]');
    await submit(centre);
    await centre.waitForSelector('text=Case closed');
    if ((await centre.locator('[data-action]:not([data-action=comment], [data-action=set_tlp])').count()) > 0) throw new Error('a closed case still offers more than a comment and its label');
}
