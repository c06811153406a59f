// Tables into the registry, changes of objects, their passports.
import { CENTRE, everybody, OWNERS, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'import', roles: ['administrator', ...CENTRE], component: () => import('../pages/tables/Import.svelte'), title: 'ui.nav.import', group: 'registry', order: 80 },
  {
    path: 'changes', roles: ['administrator', ...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'auditor'],
    component: () => import('../pages/tables/Changes.svelte'), title: 'ui.nav.changes', group: 'registry', order: 70,
  },
  { path: 'objects/:id/passport', roles: everybody, component: () => import('../pages/tables/PassportPage.svelte'), title: 'ui.passport.title' },
];
