// Every page of the navigation for every role, in the built portal against the mock server: nothing untranslated, accessible, not too wide, by keyboard.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import * as D from '../mock/data.mjs';
import { server } from '../mock/server.mjs';
import { browser as launch, test } from '../../tests/portal/browser.mjs';
import { accessibility, axe, behind, settled, tabWalk } from './a11y.mjs';

const PASSWORD = 'saqshy-demo-2026';
/** Pages that no link leads to, or in a state of their own. */
const INNER = { aigul: ['cases/c2', 'cases/c4', 'objects/o1', 'account'], daniyar: ['cases/c4?do=report_measures'], admin: ['objects/new', 'nowhere'] };
let browser;
let base;
before(async () => {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

const looked = new Set();
/** Kinds of pages behind others: each is opened once, by the first who finds it. */
// Made-up answers cannot fill these: their words hang together. tests/*portal.test.mjs open them on a real node.
const seen = new Set(['requests/:', 'requests/new', 'objects/:/onboarding', 'notices/:', 'schedule/:', 'surveys/:', 'vulnerabilities/:']);
const LANGUAGES = ['kk', 'ru', 'en'];
const roles = new Map(D.users.filter((u) => u.active && !u.locked_until).map((u) => [u.role, u.login]));
for (const [i, [role, login]] of [...roles].entries()) {
  const language = LANGUAGES[i % 3];
  test(`pages of ${role} in ${language}`, async () => {
    const page = await browser.open(base, { login, password: PASSWORD }, language, { viewport: { width: 1280, height: 900 }, ...(i % 2 ? { colorScheme: 'dark' } : {}) });
    const links = await page.evaluate(() => [...document.querySelectorAll('nav #menu a')].map((a) => a.getAttribute('href')));
    assert.ok(links.length >= 2, `${links.length} pages`);
    const problems = [];
    const queue = [...links, ...(INNER[login] ?? []).map((p) => `#/${p}`)];
    for (const hash of queue) {
      await page.goto(base + hash);
      const where = `${role} ${hash}`;
      try {
        await settled(page);
      } catch {
        problems.push(`${where}: does not come`);
        continue;
      }
      problems.push(...(await accessibility(page, where)));
      queue.push(...(await behind(page, seen)).map((x) => x.href));
      const bare = await browser.untranslated(page);
      if (bare.length > 0) problems.push(`${where}: untranslated ${bare.join(' ')}`);
      if (await page.evaluate(() => document.querySelector('main .failure') !== null)) problems.push(`${where}: ${await page.locator('main .failure').first().innerText()}`);
      // Narrow, by keyboard, and each of its parts, once for each page: for another role it is the same page.
      if (looked.has(hash)) continue;
      looked.add(hash);
      problems.push(...(await tabWalk(page, where, 60)));
      problems.push(...(await axe(page, where)));
      await page.setViewportSize({ width: 390, height: 900 });
      // Narrow in every language: the longest words are looked at where there is least room.
      for (const l of [...LANGUAGES.filter((x) => x !== language), language]) {
        await page.click(`header button[lang=${l}]`);
        await page.waitForSelector(`html[lang=${l}]`);
        await settled(page);
        problems.push(...(await accessibility(page, `${where} at 390 in ${l}`)));
        const words = await browser.untranslated(page);
        if (words.length > 0) problems.push(`${where} in ${l}: untranslated ${words.join(' ')}`);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
      for (let i = 1; i < (await page.locator('main [role=tab]').count()); i += 1) {
        await page.locator('main [role=tab]').nth(i).click();
        await settled(page);
        problems.push(...(await accessibility(page, `${where}, tab ${i}`)));
        queue.push(...(await behind(page, seen)).map((x) => x.href));
        if (await page.evaluate(() => document.querySelector('main .failure') !== null)) problems.push(`${where}, tab ${i}: ${await page.locator('main .failure').first().innerText()}`);
      }
    }
    assert.deepEqual(problems, []);
    await page.context().close();
  });
}

test('no script failed, every answer fits the API', async () => {
  await browser.settled();
  assert.deepEqual([...new Set(browser.problems)], []);
});
