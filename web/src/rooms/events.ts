// Events as they arrive: the search, the rules that look at them.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const ROLES = ['administrator', ...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'auditor'] as const;

export const pages: Page[] = [
  { path: 'events', roles: ROLES, component: () => import('../pages/Events.svelte'), title: 'ui.nav.events', group: 'events', order: 1, key: 's' },
  {
    path: 'rules', roles: ['administrator', ...CENTRE, 'auditor'], component: () => import('../pages/Rules.svelte'), title: 'ui.nav.rules', group: 'events',
    order: 3, key: 'd',
  },
];
