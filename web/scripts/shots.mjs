// Pictures of every page in every language, from the mock server: node scripts/shots.mjs OUT [kk,ru,en] [dark|light] [WIDTH] [NAMES]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import * as D from '../mock/data.mjs';
import { server } from '../mock/server.mjs';

if (process.argv[2]?.startsWith('-')) {
  console.error('usage: node scripts/shots.mjs OUT [kk,ru,en] [dark|light] [WIDTH] [NAMES]');
  process.exit(2);
}
const [out = 'shots', langs = 'kk,ru,en', scheme = 'dark', width = '1440', only = ''] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const base = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
// Pages behind the navigation and pages in a state worth seeing; those of the navigation are added for every role.
const PAGES = {
  aigul: {
    case_new: '#/cases/c2', case_incident: '#/cases/c4', case_failed_mail: '#/cases/c6', events_query: '#/events?q=sshd%20AND%20user.name%3A%22admin%22&range=1h',
    events_error: '#/events?q=%22open&range=1h', events_none: '#/events?q=nothinglikethis&range=1h', object: '#/objects/o1', account: '#/account',
  },
  daniyar: { o_case: '#/cases/c4' },
  admin: { source_page: '#/sources/fw-edge-astana-01.corp.densaulyk.example', source_own_log: '#/sources/saqshyd', coverage_object: '#/collection/coverage/o1', a_object_new: '#/objects/new', a_nowhere: '#/nowhere' },
};
const ONE_OF_ROLE = new Map(D.users.filter((u) => u.active && !u.locked_until).map((u) => [u.role, u.login]));
for (const login of ONE_OF_ROLE.values()) PAGES[login] ??= {};
const taken = new Set();
const STEPS = {
  collection_unparsed: async (page) => { await page.locator('li button').first().click(); await page.waitForSelector('#h-draft'); },
  collection_coverage: async (page) => { await page.locator('.cell').nth(1).click(); },
  collection_profiles: async (page) => { await page.locator('td button').first().click().catch(() => undefined); await page.waitForTimeout(200); },
  case_new: async (page) => { await page.click('[data-action=notify]'); await page.waitForSelector('#a7-source_ip'); },
  events: async (page) => { await page.locator('button.twist').nth(1).click(); await page.locator('.help summary').click(); },
  o_case: async (page) => { await page.click('[data-action=report_measures]'); await page.waitForSelector('#a2-level'); await page.click('form button.primary'); },
  a_object_new: async (page) => { await page.locator('fieldset button').last().click(); },
  users: async (page) => { await page.locator('td button').first().click(); },
};
const problems = [];
for (const lang of langs.split(',')) {
  for (const [login, pages] of Object.entries(PAGES)) {
    const context = await browser.newContext({ viewport: { width: Number(width), height: 900 }, colorScheme: scheme, locale: lang });
    const page = await context.newPage();
    page.on('console', (m) => { if (m.type() === 'error' && !/401|400/.test(m.text())) problems.push(`${lang} ${login}: ${m.text()}`); });
    page.on('pageerror', (e) => problems.push(`${lang} ${login}: ${e.message}`));
    await page.goto(base);
    await page.waitForSelector('#login');
    if (login === 'aigul') await page.screenshot({ path: join(out, `${lang}-sign_in.png`) });
    await page.fill('#login', login);
    await page.fill('#password', 'saqshy-demo-2026');
    await page.click('button.primary');
    await page.waitForSelector('nav');
    await page.click(`button[lang=${lang}]`);
    await page.waitForTimeout(200);
    const links = await page.evaluate(() => [...document.querySelectorAll('nav #menu a')].map((a) => a.getAttribute('href')));
    const all = { ...Object.fromEntries(links.map((h) => [h === '#/' ? `home_${login}` : h.slice(2).replaceAll('/', '_'), h])), ...pages };
    for (const [name, hash] of Object.entries(all)) {
      // A page of the navigation is taken with the eyes of the first role that has it.
      if (taken.has(`${lang} ${name}`)) continue;
      taken.add(`${lang} ${name}`);
      if (only && !only.split(',').includes(name)) continue;
      await page.goto(base + hash);
      await page.waitForTimeout(350);
      await STEPS[name]?.(page);
      await page.waitForTimeout(150);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) problems.push(`${lang} ${name}: the page is ${wide} px too wide`);
      const bare = await page.evaluate(() => [...document.body.innerText.matchAll(/\bui\.[\w.]+/g)].map((m) => m[0]));
      if (bare.length > 0) problems.push(`${lang} ${name}: untranslated ${bare.join(' ')}`);
      await page.screenshot({ path: join(out, `${lang}-${name}.png`), fullPage: !name.startsWith('events') });
    }
    await context.close();
  }
}
await browser.close();
server.closeAllConnections();
server.close();
for (const p of problems) console.error(`shots: ${p}`);
process.exitCode = problems.length > 0 ? 1 : 0;
