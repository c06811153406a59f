// The two-person rule: what waits for somebody else.
import { CENTRE, OWNERS, type Page } from '../lib/page';

export const pages: Page[] = [
  {
    path: 'approvals', roles: ['administrator', ...CENTRE, ...OWNERS, 'auditor'], component: () => import('../pages/approvals/Approvals.svelte'),
    title: 'ui.nav.approvals', group: 'work', order: 4, counter: 'approvals',
  },
];
