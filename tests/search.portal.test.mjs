// search.portal.test.mjs - the page of events with pipes, in a real browser: tables, bars over time with the same figures beside them, refusals that point and say what to
// write, slips, CSV; by keyboard, in three languages. SAQSHY_SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { centre, sendSyslog, until } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';
import { axe } from '../web/tests/a11y.mjs';

async function shot(page, name) {
    if (!process.env.SAQSHY_SHOTS) return;
    mkdirSync(process.env.SAQSHY_SHOTS, { recursive: true });
    await page.screenshot({ path: join(process.env.SAQSHY_SHOTS, `${name}.png`), fullPage: true });
}

test('a search with pipes shows a table, a timechart its bars too; what is wrong is shown at its letter, in the language of the page', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    await c.start();
    const analyst = await c.signedIn('centre_analyst');
    await sendSyslog(c.ports.syslog, Array.from({ length: 12 }, (_, i) => `<38>1 ${new Date(c.now() - i * 60000).toISOString()} web-${i % 3} app 1 - - zzpiped <b>number</b> ${i}`));
    await until('all are found', async () => (await analyst.get(`/events/table?q=${encodeURIComponent('zzpiped | stats count()')}`)).json?.rows?.[0]?.[0] === 12);
    const b = await browser();
    t.after(() => b.close());
    const base = `https://127.0.0.1:${c.ports.portal}`, account = Object.values(c.accounts).find((x) => x.role === 'centre_analyst');
    for (const lang of ['en', 'ru', 'kk']) {
        const page = await b.open(base, account, lang);
        // By address, except where a page stands still already: what is typed into one that is still opening is overwritten by what the address says.
        const ask = (q) => page.goto(`${base}/#/events?range=24h&q=${encodeURIComponent(q)}`);
        await ask('zzpiped | stats count() by host.name | sort -count, host.name');
        await page.locator('caption', { hasText: /./ }).first().waitFor({ state: 'attached' });
        await until('three rows', async () => (await page.locator('tbody tr').count()) === 3);
        assert.deepEqual((await page.locator('tbody tr').first().innerText()).split(/\s+/), ['web-0', '4']);
        assert.equal(await page.locator('svg.bars').count(), 0);
        await shot(page, `${lang}-table`);

        await page.fill('#q', 'zzpiped | timechart 1m count()');
        await page.keyboard.press('Enter');
        await page.locator('svg.bars').waitFor();
        assert.match(await page.locator('svg.bars').getAttribute('aria-label'), /count/);
        assert.equal(await page.locator('svg.bars rect').count(), 12);
        assert.equal(await page.locator('tbody tr').count(), 12);
        await shot(page, `${lang}-timechart`);
        for (const width of [1440, 390]) {
            await page.setViewportSize({ width, height: 900 });
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${lang} is too wide at ${width}`);
            assert.deepEqual(await axe(page, `${lang} ${width}`), []);
        }
        await page.setViewportSize({ width: 1440, height: 900 });

        // Refused: the letter, and what to write, in this language.
        await ask('zzpiped | stat count()');
        const failure = page.locator('.failure');
        await failure.waitFor();
        assert.match(await failure.innerText(), /timechart/);
        assert.match(await failure.innerText(), /11/);
        assert.match(await failure.innerText(), { en: /There is no command/, ru: /Команды «stat» нет/, kk: /командасы жоқ/ }[lang]);
        assert.equal(await page.locator('tbody tr').count(), 0);
        await shot(page, `${lang}-refused`);

        // A slip is told beside what was found.
        await ask('sorce.ip:10.0.0.1');
        await page.locator('p.urgent', { hasText: 'source.ip' }).waitFor();
        assert.deepEqual(await b.untranslated(page), []);

        // A plain search after that shows events again, as texts.
        await ask('zzpiped');
        await page.locator('.log', { hasText: '<b>number</b>' }).first().waitFor();
        if (lang === 'en') {
            await ask('zzpiped | fields host.name, event.original | head 2');
            await until('two rows', async () => (await page.locator('tbody tr').count()) === 2);
            const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[download]').press('Enter')]);
            assert.equal(file.suggestedFilename(), 'search.csv');
            assert.equal(await page.locator('input[role=switch]').isDisabled(), true, 'a live tail has no pipes');
        }
        await page.context().close();
    }
    await b.settled();
    assert.deepEqual(b.problems, []);
});
