// Detection: the rules that look at events, what is excepted from them, and the indicators of compromise that events are held against.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const SEE = ['administrator', ...CENTRE, 'auditor'] as const;

export const pages: Page[] = [
  { path: 'rules', roles: SEE, component: () => import('../pages/detection/Rules.svelte'), title: 'ui.nav.rules', group: 'detection', order: 1, key: 'd' },
  { path: 'rules/:id', roles: SEE, component: () => import('../pages/detection/Rule.svelte'), title: 'ui.nav.rules' },
  { path: 'exceptions', roles: ['administrator', ...CENTRE, ...OWNERS, 'auditor'], component: () => import('../pages/detection/Exceptions.svelte'), title: 'ui.detection.exceptions', group: 'detection', order: 2 },
  { path: 'exceptions/new', roles: ['administrator', ...CENTRE], component: () => import('../pages/detection/ExceptionNew.svelte'), title: 'ui.detection.exception_new' },
  { path: 'tester', roles: ['administrator', ...CENTRE], component: () => import('../pages/detection/TestPage.svelte'), title: 'ui.detection.tester', group: 'detection', order: 5 },
  { path: 'risk', roles: ['administrator', ...CENTRE, ...OWNERS, 'auditor'], component: () => import('../pages/detection/Risk.svelte'), title: 'ui.detection.risk', group: 'detection', order: 3 },
  { path: 'indicators', roles: SEE, component: () => import('../pages/detection/Indicators.svelte'), title: 'ui.detection.indicators', group: 'detection', order: 4 },
];
