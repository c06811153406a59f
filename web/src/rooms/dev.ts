// The page of the shared components; it is not in the portal that is delivered.
import { everybody, type Page } from '../lib/page';

export const pages: Page[] =
  import.meta.env.MODE === 'production' ? [] : [{ path: 'dev', roles: everybody, component: () => import('../pages/Dev.svelte'), title: 'Components', group: 'administration' }];
