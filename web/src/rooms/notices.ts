// Notices: the journal, one notice, a new one, one that came from outside.
import { CENTRE, everybody, OWNERS, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'notices', roles: everybody, component: () => import('../pages/notices/Notices.svelte'), title: 'ui.notices.title', group: 'notices', order: 1, key: 'j' },
  { path: 'notices/new', roles: [...CENTRE, ...OWNERS, 'knb', 'authorised_body'], component: () => import('../pages/notices/NoticeNew.svelte'), title: 'ui.notices.new' },
  { path: 'notices/register', roles: CENTRE, component: () => import('../pages/notices/NoticeRegister.svelte'), title: 'ui.notices.register' },
  { path: 'notices/:id', roles: everybody, component: () => import('../pages/notices/Notice.svelte'), title: 'ui.notices.title' },
];
