// The yearly schedule of monitoring works: its calendar and table, an object's year, teams and closed days.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const readers: Page['roles'] = [...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'knb', 'auditor'];
export const pages: Page[] = [
  { path: 'schedule', roles: readers, component: () => import('../pages/schedule/Plans.svelte'), title: 'ui.schedule.title', group: 'surveys', order: 1 },
  { path: 'schedule/teams', roles: [...CENTRE, 'surveyor', 'document_auditor', 'auditor'], component: () => import('../pages/schedule/Teams.svelte'), title: 'ui.schedule.teams', group: 'surveys', order: 8 },
  {
    path: 'schedule/closed', roles: [...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'auditor'], component: () => import('../pages/schedule/Closed.svelte'), title: 'ui.schedule.closed',
    group: 'surveys', order: 9,
  },
  { path: 'schedule/:id', roles: readers, component: () => import('../pages/schedule/PlanPage.svelte'), title: 'ui.schedule.title' },
  { path: 'schedule/:id/objects/:object', roles: readers, component: () => import('../pages/schedule/ObjectYear.svelte'), title: 'ui.schedule.object_year' },
];
