// Pages that everybody has: what is asked of me, and my own account.
import { CENTRE, everybody, OWNERS, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: '', roles: everybody, component: () => import('../pages/Home.svelte'), title: 'ui.nav.home', group: 'work', order: 1, key: 'h', counter: 'late' },
  {
    path: 'inbox', roles: [...CENTRE, ...OWNERS, 'knb', 'authorised_body'], component: () => import('../pages/Inbox.svelte'), title: 'ui.nav.inbox', group: 'work',
    order: 2, key: 'i', counter: 'unread',
  },
  { path: 'clocks', roles: everybody, component: () => import('../pages/Clocks.svelte'), title: 'ui.clocks.title' },
  { path: 'account', roles: everybody, component: () => import('../pages/Account.svelte'), title: 'ui.account.title' },
];
