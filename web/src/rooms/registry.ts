// The registry: organisations, people, monitored objects, contracts.
import { CENTRE, everybody, type Page } from '../lib/page';

const KEEPERS = ['administrator', ...CENTRE] as const;
const OWN_KEEPERS = [...KEEPERS, 'owner_officer', 'owner_administrator'] as const;

export const pages: Page[] = [
  { path: 'objects', roles: everybody, component: () => import('../pages/registry/Objects.svelte'), title: 'ui.nav.objects', group: 'registry', order: 1, key: 'o' },
  { path: 'objects/new', roles: KEEPERS, component: () => import('../pages/registry/Object.svelte'), title: 'ui.object.new' },
  { path: 'objects/:id', roles: everybody, component: () => import('../pages/registry/Object.svelte'), title: 'ui.nav.objects' },
  { path: 'organisations', roles: everybody, component: () => import('../pages/registry/Organisations.svelte'), title: 'ui.registry.many.organisation', group: 'registry', order: 2, key: 'n' },
  { path: 'organisations/new', roles: KEEPERS, component: () => import('../pages/registry/Organisation.svelte'), title: 'ui.registry.add.organisation' },
  { path: 'organisations/:id', roles: everybody, component: () => import('../pages/registry/Organisation.svelte'), title: 'ui.registry.many.organisation' },
  { path: 'people', roles: everybody, component: () => import('../pages/registry/People.svelte'), title: 'ui.registry.many.person', group: 'registry', order: 3, key: 'p' },
  { path: 'people/new', roles: OWN_KEEPERS, component: () => import('../pages/registry/Person.svelte'), title: 'ui.registry.add.person' },
  { path: 'people/:id', roles: everybody, component: () => import('../pages/registry/Person.svelte'), title: 'ui.registry.many.person' },
  { path: 'contracts', roles: everybody, component: () => import('../pages/registry/Contracts.svelte'), title: 'ui.registry.many.contract', group: 'registry', order: 9 },
  { path: 'contracts/new', roles: KEEPERS, component: () => import('../pages/registry/Contract.svelte'), title: 'ui.registry.add.contract' },
  { path: 'contracts/:id', roles: everybody, component: () => import('../pages/registry/Contract.svelte'), title: 'ui.registry.many.contract' },
];
