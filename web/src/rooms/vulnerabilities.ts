// Vulnerabilities: the queue, one with everything that was seen and said of it, Annex 5, comparison of surveys, rules of keys, lists of known exploited ones.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const readers: Page['roles'] = [...CENTRE, ...OWNERS, 'surveyor', 'auditor'];
const sts: Page['roles'] = [...CENTRE, 'surveyor', 'auditor'];
export const pages: Page[] = [
  { path: 'vulnerabilities', roles: readers, component: () => import('../pages/vulnerabilities/Vulnerabilities.svelte'), title: 'ui.vulns.title', group: 'surveys', order: 3, key: 'v' },
  { path: 'vulnerabilities/new', roles: ['owner_officer', 'owner_administrator'], component: () => import('../pages/vulnerabilities/OwnNew.svelte'), title: 'ui.vulns.own_new' },
  { path: 'vulnerabilities/:id', roles: readers, component: () => import('../pages/vulnerabilities/VulnPage.svelte'), title: 'ui.vulns.title' },
  { path: 'vulnerability-surveys/:id', roles: readers, component: () => import('../pages/vulnerabilities/ComparisonPage.svelte'), title: 'ui.vulns.comparison' },
  { path: 'vulnerability-rules', roles: sts, component: () => import('../pages/vulnerabilities/Rules.svelte'), title: 'ui.vulns.rules', group: 'surveys', order: 7 },
  { path: 'vulnerability-lists', roles: [...sts, 'administrator'], component: () => import('../pages/vulnerabilities/Lists.svelte'), title: 'ui.vulns.lists', group: 'surveys', order: 7 },
];
