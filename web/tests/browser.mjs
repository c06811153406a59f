// Drives the built portal in a real browser against the mock server: npm run build && npm run test:browser
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import * as D from '../mock/data.mjs';
import { server, tell } from '../mock/server.mjs';
import { browser as launch, caseStory, test } from '../../tests/portal/browser.mjs';

const PASSWORD = 'saqshy-demo-2026';
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

const open = (login, language = 'en') => browser.open(base, login && { login, password: PASSWORD }, language);
const text = (page, selector) => page.locator(selector).first().innerText();

test('sign-in: wrong password, then lock-out, then in', async () => {
  const page = await open(null);
  await page.waitForSelector('#login:focus');
  for (let i = 0; i < 5; i += 1) {
    await page.fill('#login', 'aigul');
    await page.fill('#password', 'wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=alert]');
    await page.waitForFunction(() => document.querySelector('#password').value === '');
  }
  assert.match(await text(page, '[role=alert]'), /login or the password is wrong/);
  await page.fill('#password', 'wrong');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /60 seconds/.test(document.body.innerText));
  await page.context().close();
});

test('the first page: what is late first, then by what is due next; a new case arrives by itself', async () => {
  const page = await open('aigul');
  await page.waitForSelector('.clocks li');
  const left = await page.locator('.clocks .digits').allInnerTexts();
  const seconds = left.map((x) => (x.startsWith('−') ? -1 : 1) * x.replace('−', '').split(':').reduce((a, b) => a * 60 + Number(b), 0));
  assert.deepEqual(seconds, [...seconds].sort((a, b) => a - b));
  assert.match(await page.title(), /^▲4 00:0\d:\d\d D-05/);
  const source = D.cases[1];
  const c = { ...source, id: 'c99', number: '2026-000099', title: 'Fresh case', detected: Date.now(), clocks: [], timeline: [...source.timeline], documents: [], notices: [] };
  c.clocks.push({ id: 'c99-D-05', obligation: 'D-05', case: c, from: Date.now(), due: Date.now() + 1_800_000, state: 'running', fulfilled: null });
  D.cases.push(c);
  tell('case', 'c99');
  await page.waitForSelector('text=Fresh case');
  assert.match(await text(page, '[aria-live=assertive]'), /2026-000099/);
  await page.locator('details summary').first().click();
  assert.match(await text(page, 'details[open]'), /minutes and hours run continuously|Counted from/);
  await page.context().close();
});

test('language: at once, everywhere, remembered', async () => {
  const page = await open('aigul', 'kk');
  assert.match(await text(page, 'h1'), /Жүріп жатқан мерзімдер/);
  await page.click('button[lang=ru]');
  await page.waitForFunction(() => document.querySelector('h1').innerText === 'Текущие сроки');
  await page.waitForSelector('text=Уведомить о выявленном событии ИБ');
  await page.reload();
  await page.waitForFunction(() => document.querySelector('h1')?.innerText === 'Текущие сроки');
  assert.equal(await page.getAttribute('html', 'lang'), 'ru');
  await page.context().close();
});

test('a link written as a path leads to the same page', async () => {
  const page = await open('aigul');
  await page.goto(`${base}cases/c4?x=1`);
  await page.waitForSelector('#case-title');
  assert.equal(await page.evaluate(() => location.pathname + location.hash), '/#/cases/c4?x=1');
  await page.context().close();
});

test('keyboard: g c, j, Enter, ?, / with the Cyrillic layout too', async () => {
  const page = await open('aigul');
  await page.waitForSelector('.clocks li');
  const press = (code, key) => page.evaluate(([c, k]) => document.body.dispatchEvent(new KeyboardEvent('keydown', { code: c, key: k, bubbles: true })), [code, key]);
  await press('KeyG', 'п');
  await press('KeyC', 'с');
  await page.waitForSelector('a.open');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.className.includes('open')), true);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#case-title');
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.waitForSelector('#q');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
  await page.context().close();
});

test('search: filter for and out, Back and Forward, reload, more, a broken query', async () => {
  const page = await open('aigul');
  await page.goto(`${base}#/events?range=1h`);
  await page.waitForSelector('button.twist');
  assert.equal(await page.locator('button.twist').count(), 100);
  await page.click('text=Load more');
  await page.waitForFunction(() => document.querySelectorAll('button.twist').length === 200);
  await page.locator('button.twist').first().click();
  await page.getByRole('button', { name: 'host.name: filter for this value' }).click();
  await page.waitForFunction(() => /host\.name/.test(document.querySelector('#q').value));
  const narrowed = await page.inputValue('#q');
  assert.match(narrowed, /^host\.name:"[\w-]+"$/);
  await page.waitForFunction(() => /600 events found/.test(document.body.innerText));
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('#q').value === '');
  await page.goForward();
  await page.waitForFunction((q) => document.querySelector('#q').value === q, narrowed);
  await page.reload();
  await page.waitForSelector('button.twist');
  assert.equal(await page.inputValue('#q'), narrowed);
  await page.fill('#q', '"open');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  assert.match(await text(page, '[role=alert]'), /character 1/);
  assert.equal(await page.locator('button.twist').count(), 0, 'no old answers below the failure');
  await page.goto(`${base}#/events?from=2020-01-01T00%3A00%3A00Z&to=2020-01-02T00%3A00%3A00Z`);
  await page.waitForSelector('text=No events found');
  assert.equal(await page.inputValue('#from'), '01.01.2020 06:00:00', 'in the time of Kazakhstan, though the browser is in New York');
  await page.context().close();
});

test('live tail', async () => {
  const page = await open('aigul');
  await page.goto(`${base}#/events?range=15m&live=1`);
  await page.waitForSelector('button.twist');
  const first = await text(page, 'tbody time');
  await page.waitForFunction((old) => document.querySelector('tbody time').innerText > old, first);
  await page.context().close();
});

test('a case from detection to the end, centre and owner in turn', async () => {
  const centre = await open('aigul');
  const owner = await open('daniyar');
  await caseStory(base, 'c2', '2026-000042', centre, owner);
  assert.match(await text(centre, '#h-notices >> xpath=..'), /250 2\.0\.0 Ok/);
  await centre.context().close();
  await owner.context().close();
});

test('a notice without source address: said, not invented (Q-64)', async () => {
  const page = await open('aigul');
  await page.goto(`${base}#/cases/c5`);
  await page.click('[data-action=notify]');
  await page.waitForSelector('#a7-source_ip');
  await page.fill('#a7-owner_or_possessor', 'Owner');
  await page.fill('#a7-object', 'Object');
  await page.click('form button.primary');
  assert.equal(await page.getAttribute('#a7-source_ip', 'aria-invalid'), 'true');
  await page.getByLabel('The log holds no such data').check();
  await page.click('form button.primary');
  await page.waitForSelector('text=Responsible persons notified');
  await page.context().close();
});

test('an owner\'s officer by keyboard alone: from the sign-in to the measures of Annex 2', async () => {
  const page = await open(null);
  const at = (selector) => page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector);
  // As a person does: Tab until it is there, and never more often than the page has places.
  async function tabTo(selector) {
    for (let i = 0; i < 150; i += 1) {
      if (await at(selector)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${selector}`);
  }
  const press = (key) => page.keyboard.press(key);
  await page.waitForSelector('#login:focus');
  await page.keyboard.type('daniyar');
  await press('Tab');
  await page.keyboard.type(PASSWORD);
  await press('Enter');
  await page.waitForSelector('nav');
  await page.waitForSelector('.clocks li');
  await tabTo('header button[lang=kk]');
  await press('Enter');
  await page.waitForSelector('html[lang=kk]');
  await tabTo('.clocks li a.button[href*="c4?do=report_measures"]');
  await press('Enter');
  await page.waitForSelector('#part-title');
  /** On to the part that holds a field, by Enter on «next». */
  async function part(selector) {
    while ((await page.locator(selector).count()) === 0) {
      const before = await page.innerText('#part-title');
      await tabTo('form button.primary');
      await press('Enter');
      await page.waitForFunction((t) => document.querySelector('#part-title')?.innerText !== t, before);
    }
  }
  await part('#a2-scale');
  await tabTo('#a2-scale');
  await press('ArrowDown');
  await part('#a2-sign');
  await tabTo('#a2-sign');
  await press('ArrowDown');
  // One value or several, as the server keeps it.
  if ((await page.locator('select#a2-contour').count()) > 0) {
    await tabTo('#a2-contour');
    await press('ArrowDown');
  }
  await part('#a2-nature');
  await tabTo('#a2-nature');
  await page.keyboard.type('The password of the account backup was used from abroad.');
  // A reload in the middle takes nothing away, nor does a session that has ended.
  await page.reload();
  await page.waitForSelector('#a2-nature');
  await page.context().clearCookies();
  await page.reload();
  await page.waitForSelector('#login:focus');
  await page.keyboard.type('daniyar');
  await press('Tab');
  await page.keyboard.type(PASSWORD);
  await press('Enter');
  await page.waitForSelector('#a2-nature');
  assert.match(await page.inputValue('#a2-nature'), /backup was used/);
  await part('#a2-consequences');
  await tabTo('#a2-consequences input[type=checkbox]');
  await press('Space');
  await part('#a2-elimination_actions');
  await tabTo('#a2-elimination_actions');
  await page.keyboard.type('The account is locked.');
  // What will be sent stands there whole before it is sent.
  await part('form table caption');
  assert.match(await page.innerText('form table'), /The account is locked/);
  await tabTo('form button.primary');
  await press('Enter');
  await page.waitForSelector('.sent');
  await page.waitForFunction(() => document.activeElement?.closest('.sent'));
  assert.match(await page.innerText('.sent'), /2026-\d+[\s\S]*\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d/);
  await page.context().close();
});

test('what a role may not do is not shown', async () => {
  const owner = await open('daniyar');
  const nav = await owner.locator('nav').innerText();
  assert.doesNotMatch(nav, /Users|Audit|Detection rules/);
  await owner.goto(`${base}#/cases/c3`);
  await owner.waitForSelector('[role=alert]');
  assert.match(await text(owner, '[role=alert]'), /Not found/);
  await owner.goto(`${base}#/users`);
  await owner.waitForSelector('text=There is no such page');
  await owner.context().close();
});

test('administrator: policy of a rule, a new user, an object', async () => {
  const page = await open('admin');
  await page.goto(`${base}#/rules/saqshy-ssh-bruteforce`);
  const box = page.getByRole('switch');
  await box.click();
  await page.waitForFunction(() => /automatic notice is on/.test(document.body.innerText) || document.querySelectorAll('input:checked').length === 2);
  await page.goto(`${base}#/users`);
  await page.click('text=Add a user');
  await page.click('form button.primary');
  assert.equal(await page.getAttribute('#u-login', 'aria-invalid'), 'true');
  await page.fill('#u-login', 'new.one');
  await page.fill('#u-name', 'New One');
  assert.match(await text(page, '.summary'), /Organisation: Fill this in/);
  await page.fill('#u-org_id', 'еңбек');
  await page.waitForSelector('[role=option]');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.fill('#u-password', 'long enough 2026');
  await page.click('form button.primary');
  await page.waitForSelector('td:has-text("new.one")');
  await page.goto(`${base}#/objects/o3`);
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.fill('#o-hosts', 'drug-01\ndrug-02\n10.1.1.1');
  await page.fill('#o-reason', 'letter 118');
  await page.click('form button.primary');
  await page.waitForSelector('text=drug-02');
  await page.context().close();
});

test('the session ends: the page says so and keeps the address', async () => {
  const page = await open('aigul');
  await page.goto(`${base}#/cases`);
  await page.waitForSelector('a.open');
  await page.context().clearCookies();
  await page.goto(`${base}#/sources`);
  await page.waitForSelector('text=The session has ended');
  await page.fill('#login', 'aigul');
  await page.fill('#password', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.hash === '#/sources' && document.querySelector('table'));
  await page.context().close();
});

test('no script failed, nothing broke the content security policy, every answer fits the API', async () => {
  await browser.settled();
  assert.deepEqual(browser.problems, []);
});
