import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldPlace, readRefusal } from '../src/lib/api/client';

test('a problem document names the wrong fields', () => {
  const e = readRefusal(400, 'Bad Request', {
    type: 'about:blank', title: 'Bad request', status: 400, detail: 'Two fields are wrong', code: 'bad_request',
    errors: [{ field: 'components[2].ip', code: 'not_ip', detail: 'no address' }, { field: '/name', code: 'missing', detail: '' }],
  });
  assert.equal(e.code, 'bad_request');
  assert.equal(e.message, 'Two fields are wrong');
  assert.deepEqual(e.errors.map((x) => x.field), ['components.2.ip', 'name']);
  assert.equal(e.field, 'components.2.ip');
});

test('a problem document of one field, and one without a code', () => {
  assert.deepEqual(readRefusal(400, '', { title: 'x', detail: 'no BIN', code: 'bad_bin', field: 'bin' }).errors, [{ field: 'bin', code: 'bad_bin', detail: 'no BIN' }]);
  const e = readRefusal(409, '', { type: 'urn:saqshy:problem:wrong_state', title: 'Wrong state' });
  assert.deepEqual([e.code, e.message, e.errors.length], ['wrong_state', 'Wrong state', 0]);
});

test('the first shape of refusals, and what is none', () => {
  const e = readRefusal(400, '', { error: { code: 'bad_request', message: 'm', field: 'a.b' } });
  assert.deepEqual([e.code, e.field, e.errors[0]?.field], ['bad_request', 'a.b', 'a.b']);
  for (const body of [null, 'x', [], { error: 5 }]) assert.equal(readRefusal(502, 'Bad Gateway', body).code, 'bad_answer');
});

test('places of fields', () => {
  for (const [given, want] of [['a', 'a'], ['a.b', 'a.b'], ['a[0].b[12]', 'a.0.b.12'], ['/a/0/b', 'a.0.b'], ['[1].x', '1.x']] as const) assert.equal(fieldPlace(given), want);
});
