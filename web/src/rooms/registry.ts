// The registry: organisations, people, monitored objects.
import { everybody, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'objects', roles: everybody, component: () => import('../pages/Objects.svelte'), title: 'ui.nav.objects', group: 'registry', order: 1, key: 'o' },
  { path: 'objects/new', roles: ['administrator'], component: () => import('../pages/ObjectNew.svelte'), title: 'ui.object.new' },
  { path: 'objects/:id', roles: everybody, component: () => import('../pages/ObjectPage.svelte'), title: 'ui.nav.objects' },
];
