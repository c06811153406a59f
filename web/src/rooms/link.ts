// Exchange with other nodes.
import { CENTRE, type Page } from '../lib/page';

const readers: Page['roles'] = ['administrator', ...CENTRE, 'owner_administrator', 'auditor'];
export const pages: Page[] = [
  { path: 'nodes', roles: readers, component: () => import('../pages/link/Nodes.svelte'), title: 'ui.link.title', group: 'exchange', order: 1 },
  { path: 'nodes/:node', roles: readers, component: () => import('../pages/link/Node.svelte'), title: 'ui.link.title' },
  {
    path: 'proposals', roles: ['administrator', ...CENTRE, 'owner_officer', 'owner_administrator', 'auditor'], component: () => import('../pages/link/Proposals.svelte'),
    title: 'ui.link.proposals', group: 'exchange', order: 2,
  },
];
