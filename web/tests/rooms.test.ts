import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROLES } from '../src/lib/api/types';
import type { Page } from '../src/lib/page';
import { currentPage, findPage, navigation, pages } from '../src/lib/rooms';

const none = () => Promise.reject(new Error('not drawn here'));
const page = (path: string, more: Partial<Page> = {}): Page => ({ path, roles: ROLES, component: none, title: path, ...more });
const some = [page('objects/:id'), page('objects/new', { roles: ['administrator'] }), page('objects', { group: 'registry' }), page('', { group: 'work' }), page('cases/:id/visits/:visit')];

test('an address finds its page, plain words before places, and nothing for a role that may not open it', () => {
  assert.equal(findPage([], 'knb', some)?.page.path, '');
  assert.equal(findPage(['objects', 'new'], 'administrator', some)?.page.path, 'objects/new');
  assert.equal(findPage(['objects', 'new'], 'knb', some), null, 'not the object «new»');
  assert.equal(findPage(['objects', '17'], 'knb', some)?.params['id'], '17');
  assert.deepEqual(findPage(['cases', '7', 'visits', 'a b'], 'knb', some)?.params, { id: '7', visit: 'a b' });
  assert.equal(findPage(['objects', '1', '2'], 'knb', some), null);
});

test('the navigation marks the page above', () => {
  const nav = navigation('knb', some);
  assert.deepEqual(nav.map((g) => g.group), ['work', 'registry']);
  assert.equal(currentPage(['objects', '17'], nav)?.path, 'objects');
  assert.equal(currentPage([], nav)?.path, '');
  assert.equal(currentPage(['account'], nav), null);
});

test('the tables of the rooms: every role has a first page, no path and no key twice for one role', () => {
  for (const role of ROLES) {
    const own = pages.filter((p) => p.roles.includes(role));
    assert.ok(findPage([], role), role);
    const paths = own.map((p) => p.path);
    assert.equal(new Set(paths).size, paths.length, `${role}: ${paths.join(' ')}`);
    const keys = own.flatMap((p) => (p.key ? [p.key] : []));
    assert.equal(new Set(keys).size, keys.length, `${role}: keys ${keys.sort().join('')}`);
    assert.ok(!keys.includes('g'), 'g begins every key');
  }
});
