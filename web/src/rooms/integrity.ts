// What hosts are made of, as their agents report it: differences that wait for the owner, which hosts report, the facts of an object.
import { everybody, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'integrity', roles: everybody, component: () => import('../pages/integrity/Integrity.svelte'), title: 'ui.integrity.title', group: 'surveys', order: 60 },
  { path: 'integrity/hosts', roles: everybody, component: () => import('../pages/integrity/Hosts.svelte'), title: 'ui.integrity.hosts', group: 'surveys', order: 61 },
  { path: 'objects/:id/facts', roles: everybody, component: () => import('../pages/integrity/Facts.svelte'), title: 'ui.facts.title' },
];
