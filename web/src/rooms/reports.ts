// The quarterly summaries.
import { CENTRE, type Page } from '../lib/page';

const readers: Page['roles'] = ['administrator', ...CENTRE, 'surveyor', 'document_auditor', 'knb', 'authorised_body', 'auditor'];
export const pages: Page[] = [
  { path: 'reports', roles: readers, component: () => import('../pages/reports/Reports.svelte'), title: 'ui.nav.reports', group: 'reports', order: 1 },
  {
    path: 'reports/figures', roles: ['administrator', ...CENTRE, 'surveyor', 'document_auditor', 'knb', 'auditor'], component: () => import('../pages/reports/Figures.svelte'),
    title: 'ui.report.figures', group: 'reports', order: 2,
  },
  { path: 'reports/:id', roles: readers, component: () => import('../pages/reports/ReportPage.svelte'), title: 'ui.nav.reports' },
];
