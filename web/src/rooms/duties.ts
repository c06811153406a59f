// The room of duties: what is asked of me until when, one duty with its arithmetic and trace, what moved, and the table of the Rules.
import { CENTRE, everybody, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'duties', roles: everybody, component: () => import('../pages/duties/Duties.svelte'), title: 'ui.nav.duties', group: 'duties', order: 1, key: 't' },
  { path: 'duties/:id', roles: everybody, component: () => import('../pages/duties/Duty.svelte'), title: 'ui.nav.duties' },
  {
    path: 'duties/rules', roles: everybody, component: () => import('../pages/duties/Obligations.svelte'), title: 'ui.nav.obligations', group: 'duties', order: 2,
  },
  { path: 'duties/words', roles: everybody, component: () => import('../pages/duties/Words.svelte'), title: 'ui.nav.words', group: 'duties', order: 4 },
  {
    path: 'duties/changes', roles: ['administrator', ...CENTRE, 'auditor'], component: () => import('../pages/duties/Changes.svelte'),
    title: 'ui.nav.duty_changes', group: 'duties', order: 3,
  },
];
