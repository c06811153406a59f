// Looking after the node: users and the audit trail.
import type { Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'users', roles: ['administrator'], component: () => import('../pages/Users.svelte'), title: 'ui.nav.users', group: 'administration', order: 1, key: 'u' },
  {
    path: 'audit', roles: ['administrator', 'auditor'], component: () => import('../pages/Audit.svelte'), title: 'ui.nav.audit', group: 'administration',
    order: 2, key: 'a',
  },
];
