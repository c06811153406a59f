// Events as they arrive: the search.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const ROLES = ['administrator', ...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'auditor'] as const;

export const pages: Page[] = [
  { path: 'events', roles: ROLES, component: () => import('../pages/Events.svelte'), title: 'ui.nav.events', group: 'events', order: 1, key: 's' },
];
