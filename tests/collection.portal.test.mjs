// collection.portal.test.mjs - the pages of collection in a real browser, with a real collector behind them: what is wrong with a source, what to tell the
// collector of it, who may send, what nobody understood, what is alarming; and that a page which reads itself again takes the keyboard from nobody.
// SAQSHY_SHOTS names a folder for pictures of the pages in all languages.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centre, sendSyslog, sleep, until } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';

const PAGES = { sources: 'sources', source: 'sources/ahead-1', listeners: 'collection/listeners', profiles: 'collection/profiles', tokens: 'collection/tokens', unparsed: 'collection/unparsed',
    parsers: 'collection/parsers', conformance: 'collection/conformance', forwarding: 'collection/forwarding', storage: 'collection/storage' };

/** Every page in every language, wide and narrow: no raw key, no page that is too wide. */
async function look(b, c, base) {
    const out = process.env.SAQSHY_SHOTS;
    if (out) mkdirSync(out, { recursive: true });
    for (const lang of ['kk', 'ru', 'en']) {
        const page = await b.open(base, Object.values(c.accounts).find((x) => x.role === 'administrator'), lang);
        for (const width of [1440, 390]) {
            await page.setViewportSize({ width, height: 900 });
            for (const [name, path] of Object.entries(PAGES)) {
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

test('an administrator finds a source with old zone data, tells the collector, lets a sender in, makes a parser; the first page says what is wrong', { timeout: 600000 }, async (t) => {
    const c = await centre();
    t.after(() => c.remove());
    writeFileSync(c.configFile, readFileSync(c.configFile, 'utf8').replace('ingest:\n', 'ingest:\n  bulk: "127.0.0.1:0"\n'));
    await c.start();
    const admin = await c.signedIn('administrator');
    const two = (n) => String(n).padStart(2, '0'), months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
    // As a host writes that still believes in UTC+6: an hour ahead, without a zone. One a second counts.
    const stamp = (ms) => { const d = new Date(ms + 6 * 3_600_000); return `${months[d.getUTCMonth()]} ${String(d.getUTCDate()).padStart(2, ' ')} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`; };
    const line = (host, text) => `<38>1 ${new Date(c.now()).toISOString()} ${host} ${text}`;
    await sendSyslog(c.ports.syslog, [...Array.from({ length: 12 }, (_, i) => line('kitchen-1', `toaster - - - toast ${i} is done in ${i + 40} seconds`)),
        line('registry-web-1', 'sshd 7 - - Server listening on 0.0.0.0 port 22.'), ...Array.from({ length: 30 }, (_, i) => line(`host-${i + 100}`, 'sshd 7 - - Server listening on 0.0.0.0 port 22.'))]);
    await until('the clock of the source is judged', async () => {
        await sendSyslog(c.ports.syslog, [`<38>${stamp(c.now())} ahead-1 sshd[7]: Server listening on 0.0.0.0 port 22.`]);
        c.advance(2);
        await sleep(300);
        return (await admin.get('/collection/source?id=ahead-1')).json.source?.skew?.kind === 'old_zone';
    });
    await until('the lines can be searched', async () => (await admin.get('/collection/unparsed?kind=header')).json.items.some((s) => s.program === 'toaster'));

    const b = await browser();
    t.after(() => b.close());
    const base = `https://127.0.0.1:${c.ports.portal}`;
    await look(b, c, base);
    const page = await b.open(base, Object.values(c.accounts).find((x) => x.role === 'administrator'), 'en');

    // The list: the flag, the source, why.
    await page.goto(`${base}/#/sources`);
    await page.locator('nav.flags a', { hasText: 'Clock is off' }).click();
    const rows = page.locator('tbody tr');
    await until('the list is filtered', async () => (await rows.count()) === 1);
    await rows.locator('a.open').click();
    await page.locator('text=1 March 2024').waitFor();
    await page.locator('section .log', { hasText: 'Server listening' }).first().waitFor();

    // A profile for it, from its own page.
    await page.locator('button', { hasText: 'Make a profile' }).click();
    assert.equal(await page.inputValue('#profile-host'), 'ahead-1');
    await page.fill('#profile-zone', '6');
    await page.click('form button.primary');
    await page.locator('[aria-invalid=true]#profile-zone').waitFor();
    await page.fill('#profile-zone', '+06:00');
    await page.click('form button.primary');
    await until('the profile is kept', async () => (await admin.get('/collection/profiles')).json.items.some((p) => p.host === 'ahead-1' && p.zone === '+06:00'));
    await until('and in force', async () => {
        await sendSyslog(c.ports.syslog, [`<38>${stamp(c.now())} ahead-1 sshd[7]: Server listening on 0.0.0.0 port 22.`]);
        return (await admin.get('/collection/source?id=ahead-1')).json.source.profile === 'ahead-1';
    });
    await page.goto(`${base}/#/collection/profiles`);
    await page.locator('tr', { hasText: 'ahead-1' }).locator('button.danger').click();
    await page.locator('dialog button.danger').click();
    await page.locator('text=No profiles').waitFor();

    // A page that reads itself again leaves the keyboard where it is.
    await page.goto(`${base}/#/sources?sort=name`);
    await page.locator('a.open', { hasText: 'host-120' }).focus();
    const answers = [];
    page.on('response', (r) => { if (r.url().includes('/collection/sources')) answers.push(r.url()); });
    await until('the list was read again twice', () => answers.length >= 2);
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'host-120');

    // A token: shown once.
    await page.goto(`${base}/#/collection/tokens`);
    await page.locator('button', { hasText: 'New sender' }).click();
    await page.fill('#token-name', 'kitchen');
    await page.click('form button.primary');
    assert.match(await page.locator('[data-token]').textContent(), /^[0-9a-f]{64}$/);
    await page.reload();
    await page.getByRole('cell', { name: 'kitchen', exact: true }).waitFor();
    assert.equal(await page.locator('[data-token]').count(), 0);

    // What nobody understood, largest first, becomes a parser's draft.
    await page.goto(`${base}/#/collection/unparsed?kind=header`);
    const shape = page.locator('li.panel', { hasText: 'toast' }).first();
    await shape.locator('button', { hasText: 'Make a parser' }).click();
    await page.locator('#h-draft').waitFor();
    assert.match(await page.locator('pre').textContent(), /id: toaster/);
    assert.match(await page.evaluate(() => document.activeElement?.textContent), /Draft of a parser/);

    // An owner has its own sources and nothing else of all this.
    const owner = await b.open(base, c.accounts['registry'], 'en');
    await owner.goto(`${base}/#/sources`);
    await until('its source is there', async () => (await owner.locator('tbody tr').count()) === 1);
    assert.match(await owner.locator('tbody').textContent(), /registry-web-1/);
    assert.deepEqual(await owner.evaluate(() => [...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href')).filter((h) => /collection\/(listeners|tokens|profiles|storage|forwarding|parsers)/.test(h ?? ''))), []);

    // The first page: a broken file of a parser; nothing of it for an owner.
    writeFileSync(join(c.data, 'parsers/broken.yaml'), 'id: broken\ntitle: x\n');
    await until('the file is refused', async () => (await admin.get('/collection/alarms')).json.items.some((a) => a.kind === 'parser_refused'));
    await page.goto(`${base}/#/`);
    await page.locator('.alarms a', { hasText: 'broken' }).click();
    await page.locator('th', { hasText: 'broken' }).locator('.reason').waitFor();
    await owner.goto(`${base}/#/`);
    await owner.locator('h1').first().waitFor();
    assert.equal(await owner.locator('.alarms').count(), 0);
    await b.settled();
    assert.deepEqual(b.problems, []);
});
