import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCountdown, formatDate, formatInstant, formatInstantMs, formatNumber, formatUtc, parseDate, parseInstant, sizeUnit, urgency } from '../src/lib/format';

test('an instant is shown in Kazakhstan time, day first', () => {
  assert.equal(formatInstant('2026-03-20T18:50:00Z'), '20.03.2026 23:50:00');
  assert.equal(formatInstant('2026-03-20T19:00:00.999999999Z'), '21.03.2026 00:00:00');
  assert.equal(formatInstant('2026-03-20T23:50:00+05:00'), '20.03.2026 23:50:00');
  // Before 1 March 2024 Almaty stood at UTC+6.
  assert.equal(formatInstant('2024-01-10T00:00:00Z'), '10.01.2024 06:00:00');
  assert.equal(formatInstantMs('2026-03-20T18:50:00.123456Z'), '20.03.2026 23:50:00.123');
  assert.equal(formatInstant('no time'), 'no time');
  assert.equal(formatUtc('2026-03-20T18:50:00Z'), '2026-03-20 18:50:00 UTC');
  assert.equal(formatDate('2026-03-20'), '20.03.2026');
});

test('what is typed comes back as the same instant', () => {
  for (const [text, want] of [
    ['20.03.2026 23:50:00', '2026-03-20T18:50:00Z'],
    ['20.03.2026 23:50', '2026-03-20T18:50:00Z'],
    ['1.4.2026', '2026-03-31T19:00:00Z'],
    ['10.01.2024 06:00:00', '2024-01-10T00:00:00Z'],
    [' 29.02.2028 00:00:01 ', '2028-02-28T19:00:01Z'],
  ] as const) assert.equal(parseInstant(text), want, text);
  for (const text of ['', '31.02.2026', '29.02.2026 10:00', '00.01.2026', '20.13.2026', '20.03.2026 24:00', '20.03.2026 23:60', '2026-03-20', '20/03/2026', 'x'])
    assert.equal(parseInstant(text), null, text);
  assert.equal(parseDate('1.4.2026'), '2026-04-01');
  assert.equal(parseDate('1.4.2026 10:00'), null);
});

test('a countdown keeps hours beyond a day', () => {
  assert.equal(formatCountdown(0), '00:00:00');
  assert.equal(formatCountdown(1799), '00:29:59');
  assert.equal(formatCountdown(-61), '00:01:01');
  assert.equal(formatCountdown(72 * 3600), '72:00:00');
  assert.equal(formatCountdown(1234 * 3600), '1234:00:00');
});

test('urgency follows the term', () => {
  assert.equal(urgency(-1, 1800), 'late');
  assert.equal(urgency(0, 1800), 'urgent');
  assert.equal(urgency(599, 259200), 'urgent');
  assert.equal(urgency(600, 1800), 'calm');
  assert.equal(urgency(3600, 259200), 'soon');
  assert.equal(urgency(200000, 259200), 'calm');
});

test('numbers and sizes', () => {
  assert.equal(formatNumber(1234567, 'en'), '1,234,567');
  assert.match(formatNumber(1234567, 'ru'), /^1\s234\s567$/u);
  assert.match(formatNumber(1234567, 'kk'), /^1\s234\s567$/u);
  assert.deepEqual(sizeUnit(999), { value: 999, unit: 'B' });
  assert.deepEqual(sizeUnit(48_300), { value: 48.3, unit: 'kB' });
});
