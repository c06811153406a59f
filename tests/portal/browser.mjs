// browser.mjs - the portal in a headless Chromium, as a person uses it.
//
// const b = await browser(); const page = await b.open(base, { login, password }, 'en'); … await b.close();
// b.problems collects what must never happen: script errors, a broken content security policy, an answer that does not
// fit docs/openapi.yaml, a text that no catalogue has. Its `test` is node's, and a failure also tells where each page stood.
//
// A slow machine by will, to find what holds by luck only: SAQSHY_JITTER=300 keeps every answer of the API, every piece of the portal's code
// and every event of the live stream back by a random time up to so many milliseconds (SAQSHY_SEED=n: another row of such times),
// SAQSHY_SLOW=6 lets the browser run six times slower.
import { test as nodeTest } from 'node:test';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { openapi } from './openapi.mjs';

const root = resolve(new URL('../..', import.meta.url).pathname);
const { chromium } = createRequire(resolve(root, 'web/package.json'))('playwright-core');
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const JITTER = Number(process.env.SAQSHY_JITTER ?? 0), SLOW = Number(process.env.SAQSHY_SLOW ?? 0);
let seed = Number(process.env.SAQSHY_SEED ?? 1) >>> 0;
/** mulberry32: the same seed, the same row of times. */
function random() {
    seed = (seed + 0x6d2b79f5) >>> 0;
    let t = seed;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const late = () => new Promise((r) => setTimeout(r, random() * JITTER));

/** Runs in the browser: events of the stream come late, in their order. */
function lateEvents([most, from]) {
    let n = from, last = Promise.resolve();
    const Real = window.EventSource;
    window.EventSource = class extends Real {
        set onmessage(fn) {
            this.addEventListener('message', (m) => {
                n = (n * 1103515245 + 12345) % 2147483648;
                const wait = (n / 2147483648) * most;
                last = last.then(() => new Promise((r) => setTimeout(r, wait))).then(() => fn(m));
            });
        }
    };
}

async function slow(context) {
    if (JITTER <= 0) return;
    await context.addInitScript(lateEvents, [JITTER, Math.floor(random() * 1e9)]);
    await context.route(/\/(api\/v1|assets)\//, async (route) => {
        const url = new URL(route.request().url());
        try {
            await late();
            // What never ends cannot be held back whole.
            if (/\/(stream|tail)$/.test(url.pathname)) return await route.continue();
            const response = await route.fetch({ timeout: 0 });
            await late();
            await route.fulfill({ response });
        } catch (e) {
            await route.abort().catch(() => undefined);
        }
    });
}

const pages = new Set();
const PAGE_TEXT = 1500;
/** Where each open page stands: its address and the words one sees on it. */
async function standing() {
    const out = [];
    for (const page of pages) {
        const words = await page.evaluate((n) => (document.querySelector('dialog[open]') ?? document.querySelector('main') ?? document.body).innerText.replace(/\s+/g, ' ').slice(0, n), PAGE_TEXT).catch((e) => `(not to be read: ${e.message})`);
        out.push(`page ${page.url()}: ${words}`);
    }
    return out.join('\n');
}

/** node:test's test; an error of it ends with where each page stood. */
export const test = (name, ...rest) => nodeTest(name, ...rest.slice(0, -1), async (t) => {
    try {
        await rest.at(-1)(t);
    } catch (e) {
        const where = await standing();
        if (e instanceof Error && where) e.message += `\n${where}`;
        throw e;
    }
});

export async function browser({ timeout = Number(process.env.SAQSHY_PATIENCE ?? 60_000) } = {}) {
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
            await slow(context);
            const page = await context.newPage();
            if (SLOW > 1) await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: SLOW });
            pages.add(page);
            page.on('close', () => pages.delete(page));
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
