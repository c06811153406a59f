// What is asked of owners and declared by them; objects on their way into monitoring; the list of critical objects.
import { everybody, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'requests', roles: everybody, component: () => import('../pages/requests/Requests.svelte'), title: 'ui.requests.title', group: 'requests', order: 1, key: 'q' },
  {
    path: 'requests/new', roles: ['centre_analyst', 'centre_lead', 'owner_officer', 'owner_administrator', 'ocib_analyst', 'cii_responsible', 'document_auditor', 'authorised_body'],
    component: () => import('../pages/requests/RequestNew.svelte'), title: 'ui.requests.new',
  },
  { path: 'requests/:id', roles: everybody, component: () => import('../pages/requests/RequestPage.svelte'), title: 'ui.requests.title' },
  { path: 'cii', roles: everybody, component: () => import('../pages/requests/CiiList.svelte'), title: 'ui.requests.cii', group: 'requests', order: 2 },
  { path: 'objects/:id/onboarding', roles: everybody, component: () => import('../pages/requests/Onboarding.svelte'), title: 'ui.requests.onboarding' },
];
