// Every page of the navigation for every role, in the built portal against the mock server: nothing untranslated, accessible, not too wide, by keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as D from '../mock/data.mjs';
import { server } from '../mock/server.mjs';
import { browser as launch } from '../../tests/portal/browser.mjs';
import { accessibility, tabWalk } from './a11y.mjs';

const PASSWORD = 'saqshy-demo-2026';
/** Pages behind the navigation, by who opens them here. */
const INNER = { aigul: ['cases/c2', 'cases/c4', 'objects/o1', 'account'], daniyar: ['cases/c4?do=report_measures'], admin: ['objects/new', 'nowhere'] };
let browser;
let base;
before(async () => {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch({ timeout: 5000 });
});
after(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

const looked = new Set();
const LANGUAGES = ['kk', 'ru', 'en'];
const roles = new Map(D.users.filter((u) => u.active && !u.locked_until).map((u) => [u.role, u.login]));
for (const [i, [role, login]] of [...roles].entries()) {
  const language = LANGUAGES[i % 3];
  test(`pages of ${role} in ${language}`, async () => {
    const page = await browser.open(base, { login, password: PASSWORD }, language, { viewport: { width: 1280, height: 900 }, ...(i % 2 ? { colorScheme: 'dark' } : {}) });
    const links = await page.evaluate(() => [...document.querySelectorAll('nav #menu a')].map((a) => a.getAttribute('href')));
    assert.ok(links.length >= 2, `${links.length} pages`);
    const problems = [];
    for (const hash of [...links, ...(INNER[login] ?? []).map((p) => `#/${p}`)]) {
      await page.goto(base + hash);
      await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('main .loading'));
      const where = `${role} ${hash}`;
      problems.push(...(await accessibility(page, where)));
      // Narrow, and by keyboard, once for each page: for another role it is the same page.
      if (!looked.has(hash)) {
        looked.add(hash);
        problems.push(...(await tabWalk(page, where, 60)));
        await page.setViewportSize({ width: 390, height: 900 });
        problems.push(...(await accessibility(page, `${where} at 390`)));
        await page.setViewportSize({ width: 1280, height: 900 });
      }
      const bare = await browser.untranslated(page);
      if (bare.length > 0) problems.push(`${where}: untranslated ${bare.join(' ')}`);
      if (await page.evaluate(() => document.querySelector('main .failure') !== null)) problems.push(`${where}: ${await page.locator('main .failure').first().innerText()}`);
    }
    assert.deepEqual(problems, []);
    await page.context().close();
  });
}

test('no script failed, every answer fits the API', async () => {
  await browser.settled();
  assert.deepEqual([...new Set(browser.problems)], []);
});
