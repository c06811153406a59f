// The room of cases.
import { CENTRE, everybody, OWNERS, type Page } from '../lib/page';

const ROLES = everybody;

export const pages: Page[] = [
  { path: 'cases', roles: ROLES, component: () => import('../pages/Cases.svelte'), title: 'ui.nav.cases', group: 'cases', order: 1, key: 'c' },
  { path: 'cases/new', roles: [...CENTRE, ...OWNERS], component: () => import('../pages/cases/CaseNew.svelte'), title: 'ui.case.new' },
  { path: 'cases/:id', roles: ROLES, component: () => import('../pages/CasePage.svelte'), title: 'ui.nav.cases' },
];
