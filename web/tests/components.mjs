// The shared components on their own page (#/dev), by keyboard: built apart, since the delivered portal has no such page.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { browser as launch, test } from '../../tests/portal/browser.mjs';
import { accessibility, tabWalk } from './a11y.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'saqshy-web-dev-'));
let browser;
let server;
let page;
let base;

before(async () => {
  await build({ root, mode: 'components', logLevel: 'error', build: { outDir: out, emptyOutDir: true } });
  process.env.SAQSHY_DIST = out;
  ({ server } = await import('../mock/server.mjs'));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch();
  page = await browser.open(base, { login: 'admin', password: 'saqshy-demo-2026' });
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  rmSync(out, { recursive: true, force: true });
});
async function fresh() {
  await page.goto(`${base}#/`);
  await page.goto(`${base}#/dev`);
  await page.waitForSelector('#d-name');
}

test('a form: what is missing is said above and at the field, and focus is led there', async () => {
  await fresh();
  await page.click('form button.primary');
  await page.waitForFunction(() => document.activeElement.classList.contains('summary'));
  const lines = await page.locator('.summary li').allInnerTexts();
  assert.deepEqual(lines, ['Name: Fill this in', 'Kind: Fill this in', 'Reserve: Fill this in', 'DNS name 1: Fill this in']);
  assert.equal(await page.getAttribute('#d-name', 'aria-invalid'), 'true');
  assert.match(await page.locator(`#${(await page.getAttribute('#d-name', 'aria-describedby')).split(' ')[1]}`).innerText(), /Fill this in/);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'd-components-0-dns');
  await page.fill('#d-name', 'x');
  await page.waitForFunction(() => document.querySelectorAll('.summary li').length === 3);
});

test('a form: what is sent, with hidden fields, groups in groups, numbers as numbers', async () => {
  await fresh();
  await page.fill('#d-name', ' a name ');
  await page.fill('#d-band', '2,5');
  await page.selectOption('#d-kind', 'b');
  await page.fill('#d-only_b', 'seen');
  await page.getByRole('radio', { name: 'No' }).check();
  await page.fill('#d-since', '03.02.2026');
  await page.getByRole('checkbox', { name: 'two' }).check();
  await page.fill('#d-hosts', 'h1\n\n h2');
  await page.fill('#d-components-0-dns', 'ehr.example');
  await page.getByRole('button', { name: 'Add a component' }).click();
  await page.waitForFunction(() => document.activeElement.id === 'd-components-1-dns');
  await page.keyboard.type('db.example');
  await page.locator('#d-components-1-ports').getByRole('button', { name: 'Add' }).click();
  await page.keyboard.type('5432');
  await page.locator('#d-components').getByRole('button', { name: /Component 1/ }).click();
  await page.click('form button.primary');
  await page.waitForFunction(() => document.querySelector('#sent').innerText.startsWith('{'));
  assert.deepEqual(JSON.parse(await page.innerText('#sent')), {
    name: 'a name', mail: null, ip: null, band: 2.5, band_unit: 'Mbit/s', count: null, kind: 'b', only_b: 'seen', way: null, reserve: false, since: '2026-02-03', at: null,
    sets: ['two'], agreed: false, text: null, hosts: ['h1', 'h2'], components: [{ dns: 'db.example', ip: null, ports: [{ number: 5432 }] }],
  });
});

test('a form: the fields that the server refused, and a refusal without fields', async () => {
  await fresh();
  await page.fill('#d-name', 'taken');
  await page.selectOption('#d-kind', 'a');
  await page.getByRole('radio', { name: 'Yes' }).check();
  await page.fill('#d-components-0-dns', 'x');
  await page.click('form button.primary');
  await page.waitForSelector('.summary ul');
  assert.match(await page.innerText('.summary'), /IP 1: used already by ehr-db-01/);
  assert.match(await page.innerText('#d-components-0-ip-error'), /used already/);
  await page.fill('#d-name', 'broken');
  await page.click('form button.primary');
  await page.waitForFunction(() => /not available now/.test(document.querySelector('.summary').innerText));
});

test('a table: filters stand in the address, more rows come by cursor', async () => {
  await fresh();
  const rows = () => page.locator('tbody tr').count();
  assert.equal(await rows(), 50);
  await page.getByRole('button', { name: 'Load more' }).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 100);
  await page.getByLabel('Kind').last().selectOption('odd');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 40);
  assert.match(page.url(), /kind=odd/);
  await page.fill('input[type=search]', 'nothing like it');
  await page.waitForSelector('text=Nothing matches');
});

test('a file: its sum, a limit, a sum that differs', async () => {
  await fresh();
  const file = (name, size) => ({ name, mimeType: 'application/pdf', buffer: Buffer.alloc(size, 7) });
  await page.locator('input[type=file]').first().setInputFiles([file('good.pdf', 900), file('bad.pdf', 10), file('large.pdf', 1001)]);
  await page.waitForFunction(() => /good\.pdf.*received/s.test(document.body.innerText) && /too much data/i.test(document.body.innerText));
  const list = await page.locator('ul[aria-live] li').allInnerTexts();
  assert.match(list[0], /SHA-256 [0-9a-f]{64}/);
  assert.match(list[1], /not the one that was sent/);
  assert.match(list[2], /too much data/i);
});

test('a file goes in pieces, and goes on after the line broke', async () => {
  await fresh();
  const bytes = Buffer.alloc(200_000, 'сақшы');
  let pieces = 0;
  await page.route('**/api/v1/uploads/*', (r) => {
    pieces += 1;
    return pieces === 2 ? r.abort('connectionreset') : r.continue();
  });
  await page.locator('input[type=file]').nth(1).setInputFiles({ name: 'сызба.pdf', mimeType: 'application/pdf', buffer: bytes });
  await page.waitForFunction(() => /"sha256":"[0-9a-f]{64}"/.test(document.querySelector('#sent').innerText));
  const got = JSON.parse(await page.innerText('#sent'));
  assert.deepEqual([got.name, got.offset, got.sha256], ['сызба.pdf', 200_000, createHash('sha256').update(bytes).digest('hex')]);
  assert.ok(pieces > 4, `${pieces} requests`);
  await page.unroute('**/api/v1/uploads/*');
});

test('a dialog asks for its reason; Escape leaves it; focus comes back', async () => {
  await fresh();
  await page.getByRole('button', { name: 'Ask', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForFunction(() => document.activeElement.tagName === 'TEXTAREA');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  await page.fill('dialog textarea', 'wrong file');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForSelector('dialog', { state: 'detached' });
  assert.match(await page.innerText('#sent'), /wrong file/);
});

test('tabs by arrows; a number opens its rows', async () => {
  await fresh();
  await page.getByRole('tab', { name: 'Facts' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('text=letter 118');
  assert.match(page.url(), /tab=history/);
  await page.getByRole('button', { name: /incidents/ }).click();
  await page.waitForSelector('text=2026-000042');
});

for (const [scheme, width] of [['light', 1280], ['dark', 390]])
  test(`accessible: ${scheme}, ${width} px`, async () => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await fresh();
    await page.click('form button.primary');
    await page.waitForSelector('.summary');
    const problems = [...(await accessibility(page, 'components')), ...(await tabWalk(page, 'components'))];
    await page.screenshot({ path: join(tmpdir(), `saqshy-components-${scheme}-${width}.png`), fullPage: true });
    assert.deepEqual(problems, []);
  });

test('no script failed, nothing broke the content security policy', async () => {
  await browser.settled();
  assert.deepEqual(browser.problems, []);
});
