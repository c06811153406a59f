import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from '../src/lib/message';

const RU = '{count, plural, one {Найдено # событие} few {Найдено # события} many {Найдено # событий} other {Найдено # события}}';

test('Russian plurals', () => {
  for (const [n, want] of [
    [0, 'Найдено 0 событий'], [1, 'Найдено 1 событие'], [2, 'Найдено 2 события'], [5, 'Найдено 5 событий'],
    [11, 'Найдено 11 событий'], [21, 'Найдено 21 событие'], [22, 'Найдено 22 события'], [112, 'Найдено 112 событий'],
  ] as const) assert.equal(formatMessage(RU, { count: n }, 'ru'), want);
});

test('exact numbers come before categories', () => {
  assert.equal(formatMessage('{count, plural, =0 {nothing} one {# thing} other {# things}}!', { count: 0 }, 'en'), 'nothing!');
});

test('names are replaced, unknown names and odd braces stay', () => {
  assert.equal(formatMessage('{who} → {whom}', { who: 'A', whom: 'B' }, 'kk'), 'A → B');
  assert.equal(formatMessage('{who} {x}', { who: 'A' }, 'kk'), 'A {x}');
  assert.equal(formatMessage('a { b', {}, 'kk'), 'a { b');
  assert.equal(formatMessage('{n} мс', { n: 12345 }, 'en'), '12,345 мс');
  assert.equal(formatMessage('{a}', { a: '{b}', b: 'x' }, 'en'), '{b}', 'what is put in is not read again');
});
