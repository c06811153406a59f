// The mock server keeps to docs/openapi.yaml, so what works against it has a chance with the real one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openapi } from '../../tests/portal/openapi.mjs';
import { server } from '../mock/server.mjs';

const spec = openapi();
let base;
before(async () => {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}/api/v1`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function call(who, method, path, body) {
  const r = await fetch(base + path, {
    method,
    headers: { Cookie: who.cookie ?? '', 'X-CSRF-Token': who.csrf ?? '', 'Accept-Language': 'ru', 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await r.text();
  const json = text === '' || !/json/.test(r.headers.get('content-type')) ? undefined : JSON.parse(text);
  assert.deepEqual(spec.problems(method, path, r.status, json), []);
  const cookie = r.headers.get('set-cookie');
  if (cookie) who.cookie = cookie.split(';')[0];
  return { status: r.status, json };
}
async function signIn(login) {
  const who = {};
  who.csrf = (await call(who, 'POST', '/session', { login, password: 'saqshy-demo-2026' })).json.csrf;
  return who;
}

test('reads of every role', async () => {
  for (const login of ['admin', 'aigul', 'daniyar']) {
    const who = await signIn(login);
    for (const path of ['/session', '/clocks', '/cases', '/cases?open=false', '/cases/c4', '/cases/none', '/objects', '/objects/o1', '/organisations', '/sources', '/edition', '/rules', '/users', '/audit'])
      await call(who, 'GET', path);
  }
  const who = await signIn('aigul');
  for (const path of ['/inbox', '/events?limit=20', '/events?q=%22', '/events/histogram?from=2026-01-01T00:00:00Z&to=2036-01-02T00:00:00Z']) await call(who, 'GET', path);
  assert.equal((await call({}, 'GET', '/clocks')).status, 401);
  assert.equal((await call({}, 'POST', '/session', { login: 'aigul', password: 'x' })).status, 401);
});

test('acts', async () => {
  const who = await signIn('aigul');
  const c = (await call(who, 'GET', '/cases/c1')).json;
  assert.deepEqual(spec.schemaProblems('ActionNotify', { annex7: c.annex7, recommendations: c.recommendations, detection_kind: 'event' }), []);
  assert.equal((await call(who, 'POST', '/cases/c1/actions/notify', {})).status, 400);
  assert.equal((await call(who, 'POST', '/cases/c1/actions/notify', { annex7: c.annex7, recommendations: c.recommendations, detection_kind: 'event' })).json.state, 'notified');
  assert.equal((await call(who, 'POST', '/cases/c1/actions/notify', {})).status, 409);
});

test('the checker finds what is wrong', () => {
  const ok = { user: { id: '1', login: 'a', name: 'A', role: 'administrator', org_id: null, language: 'kk' }, csrf: 'x'.repeat(16) };
  assert.deepEqual(spec.problems('GET', '/session', 200, ok), []);
  for (const [change, want] of [
    [{ csrf: 'short' }, /shorter than 16/], [{ more: 1 }, /not in the schema/], [{ csrf: undefined }, /undefined instead of string/],
    [{ user: { ...ok.user, role: 'root' } }, /none of administrator/], [{ user: { ...ok.user, org_id: 5 } }, /number instead of string or null/],
  ]) assert.match(spec.problems('GET', '/session', 200, { ...ok, ...change }).join(), want);
  assert.match(spec.problems('GET', '/session', 418, ok).join(), /not described/);
  assert.match(spec.problems('GET', '/nothing', 200, ok).join(), /not described/);
  assert.match(spec.problems('GET', '/clocks', 200, { now: 'yesterday', items: [], next: null }).join(), /no date-time/);
});
