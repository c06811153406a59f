// requests.portal.test.mjs - requests and the onboarding of an object as people use them: a browser, the real centre, centre and owner in turn.
import { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { centre, sendSyslog, until } from './lib/centre.mjs';
import { browser, test } from './portal/browser.mjs';
import { accessibility, axe, settled as ready } from '../web/tests/a11y.mjs';

let c, b, base, owner, analyst;
const OBJECT = 'state-register';

before(async () => {
    c = await centre({ demo: true });
    await c.start();
    base = `https://127.0.0.1:${c.ports.portal}/`;
    b = await browser();
    owner = await b.open(base, c.accounts.registry, 'en');
    analyst = await b.open(base, c.accounts.analyst, 'en');
});
after(async () => {
    await b?.close();
    await c?.remove();
});

const go = async (page, hash) => { await page.goto(`${base}#/${hash}`); await ready(page); };
const button = (page, name) => page.getByRole('button', { name, exact: true });
/** A day at Almaty as people write it. */
const day = (days = 0) => new Date(c.now() + (days * 24 + 5) * 3600000).toISOString().slice(0, 10).split('-').reverse().join('.');
const send = (page) => page.locator('form button.primary, form button.danger').last().click();
const state = (page, text) => page.waitForSelector(`main .panel:has-text("${text}")`);

async function whole(page, where) {
    await ready(page);
    assert.deepEqual(await accessibility(page, where), []);
    assert.deepEqual(await axe(page, where), []);
    assert.deepEqual(await b.untranslated(page), [], where);
}

test('R-8-01, D-01: an officer declares an object put into operation and sends the Information, the centre records the letter', async () => {
    await go(owner, 'requests/new');
    await owner.getByText('Putting into industrial operation', { exact: true }).click();
    await owner.locator('fieldset.objects input').first().check();
    await owner.locator('#request-commissioned_on').fill(day(-1));
    await whole(owner, 'requests/new');
    await send(owner);
    // The line of the next duty tells D-01 as well, and sooner than the page does.
    await owner.waitForSelector('main h1:has-text("Putting into industrial operation")');
    await owner.waitForSelector('main >> text=D-01');
    await whole(owner, 'a request');
    await button(owner, 'Send the Information electronically').click();
    await owner.locator('#act-send_information-confirmed').check();
    await send(owner);
    await owner.waitForSelector('text=Information sent electronically at');
    const id = owner.url().split('/').at(-1);
    await go(analyst, `requests/${id}`);
    await button(analyst, 'Record the paper letter').click();
    await analyst.locator('#act-record_paper-letter_number').fill('12-3/45');
    for (const f of ['letter_date', 'letter_received_on']) await analyst.locator(`#act-record_paper-${f}`).fill(day());
    await send(analyst);
    await state(analyst, 'both parts recorded');
    await whole(analyst, 'a complete request');
});

test('a form that lacks something says so at the field, and nothing is sent', async () => {
    await go(owner, 'requests/new?kind=consultation');
    await owner.locator('fieldset.objects input').first().check();
    await send(owner);
    await owner.waitForSelector('#request-title[aria-invalid=true]');
    await owner.locator('#request-title').fill('TLS');
    await owner.locator('#request-text').fill('Which versions may stay?');
    await send(owner);
    await owner.waitForSelector('h1:has-text("Consultation")');
});

test('news of a request neither close a form nor empty it, and stand there as soon as it is left', async () => {
    const officer = await c.signedIn('registry'), centres = await c.signedIn('analyst');
    const opened = await officer.post('/requests', { kind: 'consultation', object_ids: [OBJECT], values: { title: 'Keys', text: 'How long?' } });
    const id = opened.json.items[0].id;
    await go(owner, `requests/${id}`);
    await button(owner, 'Withdraw').click();
    await owner.locator('#act-withdraw-reason').fill('half a sent');
    const told = owner.waitForResponse((r) => r.url().includes('/duties'), { timeout: 3000 }).catch(() => undefined);
    assert.equal((await centres.post(`/requests/${id}/actions/give`, { answer: 'A year.' })).status, 200);
    await told;
    assert.equal(await owner.locator('#act-withdraw-reason').inputValue(), 'half a sent');
    await button(owner, 'Cancel').click();
    await owner.waitForSelector('main >> text=A year.');
    assert.equal(await button(owner, 'Withdraw').count(), 0);
});

test('an answer that was asked for before an act never covers what the act answered', async () => {
    const officer = await c.signedIn('registry');
    const id = (await officer.post('/requests', { kind: 'consultation', object_ids: [OBJECT], values: { title: 'Ports', text: 'Which?' } })).json.items[0].id;
    // Without the live stream nothing makes the page look once more by itself.
    await analyst.route('**/api/v1/stream', (route) => route.abort());
    await go(analyst, `requests/${id}`);
    await analyst.reload();
    await ready(analyst);
    // The page looks anew because of something else, and that look is held up on its way back.
    let free, asked;
    const held = new Promise((done) => { free = done; }), looked = new Promise((done) => { asked = done; });
    await analyst.click('header button[lang=ru]');
    await analyst.waitForSelector('main h1:has-text("онсультация")');
    await ready(analyst);
    await analyst.route(`**/api/v1/requests/${id}`, async (route) => {
        const response = await route.fetch();
        asked();
        await held;
        await route.fulfill({ response });
    }, { times: 1 });
    await analyst.click('header button[lang=en]');
    await looked;
    await button(analyst, 'Answer').click();
    await analyst.locator('#act-give-answer').fill('Those of Annex 4.');
    await send(analyst);
    await analyst.waitForSelector('main >> text=Those of Annex 4.');
    const came = analyst.waitForResponse((r) => r.url().endsWith(`/requests/${id}`));
    free();
    await (await came).finished();
    // It is there; whatever the page makes of it, it has made in this time.
    await analyst.waitForTimeout(250);
    assert.equal(await button(analyst, 'Answer').count(), 0);
    await analyst.waitForSelector('main >> text=Those of Annex 4.');
    await analyst.unroute('**/api/v1/stream');
    await analyst.reload();
});

test('R-11-01, R-11-08: the check-list of access with a photograph, by clicking', async () => {
    await go(analyst, 'requests/new?kind=access');
    await analyst.locator(`fieldset.objects label:has-text("Мемлекеттік тізілім") input`).check();
    await send(analyst);
    await analyst.waitForSelector('main h1:has-text("Conditions for the monitoring works")');
    const id = (await (await c.signedIn('analyst')).get('/requests?kind=access')).json.items[0].id;
    // No clock runs for it, and yet it stands on the first page of who is asked.
    await go(owner, '');
    await owner.locator(`section:has(#h-asked) a[href="#/requests/${id}"]`).click();
    await ready(owner);
    await owner.locator('li:has-text("R-11-04")').getByRole('button', { name: /^Mark/ }).click();
    await owner.locator('#item-R-11-04-state input[value=provided], input[name="item-R-11-04-state"][value=provided]').first().check();
    await owner.locator('#item-R-11-04-count').fill('2');
    await owner.locator('li:has-text("R-11-04") form button.primary').click();
    await owner.waitForSelector('li:has-text("R-11-04"):has-text("provided")');
    await owner.getByText('Add a file', { exact: true }).first().click();
    await owner.locator('#file-role').selectOption('photo');
    await owner.locator('#file-place').fill('server room 3');
    await owner.locator('details:has(#file-role) button').first().click();
    await owner.locator('input[type=file]').setInputFiles({ name: 'rack.jpg', mimeType: 'image/jpeg', buffer: Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]) });
    await owner.waitForSelector('a:has-text("rack.jpg")');
    await whole(owner, 'the check-list');
});

test('R-10.1-01, R-12-09: the list of logs is proposed and approved, conditions of sending are proposed and agreed, by clicking', async () => {
    await go(analyst, `objects/${OBJECT}/onboarding`);
    await button(analyst, 'Propose a list').click();
    await analyst.waitForSelector('tbody tr');
    for (const box of await analyst.locator('tbody input[type=checkbox]').all()) await box.check();
    await button(analyst, 'Approve').click();
    await analyst.waitForSelector('tbody tr:has-text("identified")');
    await whole(analyst, 'the onboarding');
    await go(owner, `objects/${OBJECT}/onboarding`);
    await button(owner, 'Propose conditions').click();
    await owner.locator('#way-address').fill('siem.sts.example');
    await owner.locator('#way-port').fill('4318');
    await owner.locator('#way-protocol').selectOption('otlp_https');
    await owner.locator('#way-credentials_reference').fill('certificate of agent-1');
    await send(owner);
    await owner.waitForSelector('text=not agreed');
    await go(analyst, 'requests');
    await go(analyst, `objects/${OBJECT}/onboarding`);
    await button(analyst, 'Agree').click();
    await analyst.locator('#way-agreed_on').fill(day());
    await send(analyst);
    await analyst.waitForFunction(() => !document.body.innerText.includes('not agreed'));
});

test('R-12-07: the comparison after a change begins with what really arrived, and says what does not keep to Annex 4', async () => {
    const officer = await c.signedIn('registry');
    await sendSyslog(c.ports.syslog, [1, 2, 3].map((i) => `<38>1 ${new Date(c.now() + i).toISOString()} registry-web-1 sshd ${4000 + i} - - Accepted password for ann from 192.0.2.7 port 4000${i} ssh2`));
    await until('the lines are found', async () => (await officer.get('/events?q=%22Accepted%20password%22')).json.items.length >= 3);
    const opened = await officer.post('/requests', { kind: 'logging_change', object_ids: [OBJECT], values: { planned: false, change_at: new Date(c.now() - 600000).toISOString(),
        log_class: 'os-unix', text: 'another daemon', reason: 'the old one crashed' } });
    await go(owner, `requests/${opened.json.items[0].id}`);
    await button(owner, 'Compare the logs').click();
    await button(owner, 'Take what arrived').click();
    await owner.waitForFunction(() => /Accepted password/.test(document.querySelector('#act-compare-after')?.value ?? ''));
    await owner.locator('#act-compare-before').fill('23:04:2025 09:05:00;srv1;user root logged in');
    await send(owner);
    await owner.waitForSelector('h2:has-text("Before and after")');
    await owner.waitForSelector('text=does not keep to Annex 4');
    await whole(owner, 'the comparison');
});

test('the lists in three languages, narrow too', async () => {
    for (const language of ['kk', 'ru', 'en']) {
        const page = await b.open(base, c.accounts.analyst, language, { viewport: { width: 390, height: 900 } });
        for (const hash of ['requests', 'requests?side=all', 'cii', 'requests/1', `objects/${OBJECT}/onboarding`]) {
            await go(page, hash);
            await whole(page, `${language} ${hash}`);
        }
        await page.context().close();
    }
});

test('no script failed, every answer fits the API', async () => {
    await b.settled();
    assert.deepEqual([...new Set(b.problems)], []);
});
