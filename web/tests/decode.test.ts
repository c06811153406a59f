import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from '../src/lib/api/decode';
import { decodeCatalogue, decodeChange, decodeErrorBody, decodeEvent, decodeHistogram, decodeSession } from '../src/lib/api/types';

const user = { id: '1', login: 'aigul', name: 'Айгүл', role: 'centre_analyst', org_id: null, language: 'kk' };

test('a right answer passes, what is not known is dropped', () => {
  assert.deepEqual(decodeSession({ user: { ...user, extra: 1 }, csrf: 'x'.repeat(20), more: true }), { user, csrf: 'x'.repeat(20) });
  assert.deepEqual(decodeChange({ type: 'case', id: '7' }), { type: 'case', id: '7' });
  assert.equal(decodeErrorBody({ error: { code: 'forbidden', message: 'm' } }).error.retry_after, null);
});

test('a wrong answer names the place', () => {
  for (const [value, path] of [
    [{ user: { ...user, role: 'root' }, csrf: 'x' }, 'user.role'],
    [{ user: { ...user, login: 5 }, csrf: 'x' }, 'user.login'],
    [{ user, csrf: null }, 'csrf'],
    [[], ''],
    ['<html>', ''],
    [null, ''],
  ] as const)
    assert.throws(() => decodeSession(value), (e) => e instanceof DecodeError && e.path === path, JSON.stringify(value));
  assert.throws(() => decodeHistogram({ buckets: [{ from: 'x', to: 'y', count: 1 }], total: 1 }), /buckets\[0\]\.from/);
  assert.throws(() => decodeCatalogue({ a: { b: 'c' } }));
});

test('an event is a flat map with its three names', () => {
  const e = { '@timestamp': '2026-03-20T18:50:00.123456789Z', 'saqshy.seq': '18446744073709551615', 'event.original': 'x', 'saqshy.types': ['OS-04'], 'saqshy.count': 3 };
  assert.deepEqual(decodeEvent(e), e);
  assert.throws(() => decodeEvent({ ...e, 'saqshy.seq': undefined }));
  assert.throws(() => decodeEvent({ ...e, nested: { a: 1 } }), /nested/);
  assert.throws(() => decodeEvent({ ...e, '@timestamp': 'yesterday' }), /@timestamp/);
});
