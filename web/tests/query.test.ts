import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addFilter, filterTerm, hasBareOr, resolveRange, searchFromParams, searchToParams, splitPipes } from '../src/lib/query';
import { parseHash, toHash } from '../src/lib/route';

test('an address gives the page back that made it', () => {
  const q = 'host.name:"web-01" AND "50% & more #1?"';
  const hash = toHash(['events'], searchToParams({ q, preset: '24h', from: null, to: null, live: true }));
  const back = parseHash(hash);
  assert.deepEqual(back.path, ['events']);
  assert.deepEqual(searchFromParams(back.params), { q, preset: '24h', from: null, to: null, live: true });
  assert.equal(toHash([], {}), '#/');
  assert.deepEqual(parseHash(''), { path: [], params: {} });
  assert.deepEqual(parseHash('#/cases/a%2Fb'), { path: ['cases', 'a/b'], params: {} });
  assert.deepEqual(parseHash('#/cases/%E0%A4%A'), { path: ['cases', '%E0%A4%A'], params: {} });
});

test('a broken address is the default search', () => {
  assert.deepEqual(searchFromParams({ range: 'constructor', from: 'never' }), { q: '', preset: '1h', from: null, to: null, live: false });
});

test('a preset is counted back from now, an own range is kept', () => {
  const now = Date.parse('2026-03-20T18:50:00Z');
  assert.deepEqual(resolveRange({ q: '', preset: '1h', from: null, to: null, live: false }, now), {
    from: '2026-03-20T17:50:01.000Z',
    to: '2026-03-20T18:50:01.000Z',
  });
  const own = { from: '2026-03-19T00:00:00Z', to: '2026-03-19T01:00:00Z' };
  assert.deepEqual(resolveRange({ q: '', preset: null, ...own, live: false }, now), own);
});

test('filters', () => {
  assert.equal(filterTerm('user.name', 'root'), 'user.name:"root"');
  assert.equal(filterTerm('process.command_line', 'say "C:\\x"'), 'process.command_line:"say \\"C:\\\\x\\""');
  assert.equal(filterTerm('saqshy.types', ['OS-04', 'UX-01']), 'saqshy.types:"OS-04"');
  assert.equal(addFilter('', 'a', 'b', false), 'a:"b"');
  assert.equal(addFilter('', 'a', 'b', true), 'NOT a:"b"');
  assert.equal(addFilter('sshd', 'a', 'b', true), 'sshd AND NOT a:"b"');
  assert.equal(addFilter('x OR y', 'a', 'b', false), '(x OR y) AND a:"b"');
  assert.equal(addFilter('sshd AND a:"b"', 'a', 'b', false), 'sshd AND a:"b"', 'not twice');
  assert.equal(hasBareOr('"this OR that"'), false);
  assert.equal(hasBareOr('(x OR y) AND z'), false);
  assert.equal(hasBareOr('"a \\" b" or c'), true);
  assert.equal(hasBareOr('order'), false);
});

test('pipes begin at a sign that stands by itself, outside quotes and patterns', () => {
  for (const [q, filter, pipes] of [
    ['a | head 5', 'a', 'head 5'], ['a| head 5', 'a', 'head 5'], ['a |head 5', 'a', 'head 5'], ['| stats count()', '', 'stats count()'], ['a|b', 'a|b', null],
    ['"a | b"', '"a | b"', null], ['x:/a | b/ | head 1', 'x:/a | b/', 'head 1'], ['"a \\" | b" | tail 1', '"a \\" | b"', 'tail 1'], ['u:(a, "b | c") | head 2', 'u:(a, "b | c")', 'head 2'],
    ['', '', null],
  ] as const)
    assert.deepEqual(splitPipes(q), { filter, pipes }, q);
});

test('a filter that is added stands before the pipes', () => {
  assert.equal(addFilter('a | stats count()', 'user.name', 'root', false), 'a AND user.name:"root" | stats count()');
  assert.equal(addFilter('| head 5', 'user.name', 'root', true), 'NOT user.name:"root" | head 5');
});
