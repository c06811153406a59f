// Surveys for vulnerabilities: from the line of the schedule to the measures of the owner.
import { CENTRE, everybody, type Page } from '../lib/page';

export const pages: Page[] = [
  { path: 'surveys', roles: everybody, component: () => import('../pages/surveys/Surveys.svelte'), title: 'ui.surveys.title', group: 'surveys', order: 2 },
  { path: 'surveys/new', roles: [...CENTRE, 'surveyor'], component: () => import('../pages/surveys/SurveyNew.svelte'), title: 'ui.surveys.new' },
  { path: 'surveys/mapping', roles: [...CENTRE, 'surveyor'], component: () => import('../pages/surveys/Mapping.svelte'), title: 'ui.surveys.mapping' },
  { path: 'surveys/:id', roles: everybody, component: () => import('../pages/surveys/SurveyPage.svelte'), title: 'ui.surveys.title' },
];
