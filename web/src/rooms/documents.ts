// Surveys of the technical documentation of Annex 3: surveys, the register of an object, violations, the library of requirements.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const READ = ['administrator', ...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'auditor'] as const;

export const pages: Page[] = [
  { path: 'document-surveys', roles: READ, component: () => import('../pages/documents/Surveys.svelte'), title: 'ui.documents.surveys', group: 'surveys', order: 60 },
  { path: 'document-surveys/new', roles: ['document_auditor', ...CENTRE], component: () => import('../pages/documents/SurveyNew.svelte'), title: 'ui.documents.new' },
  { path: 'document-surveys/:id', roles: READ, component: () => import('../pages/documents/SurveyPage.svelte'), title: 'ui.documents.surveys' },
  { path: 'document-surveys/:id/checklist', roles: READ, component: () => import('../pages/documents/CheckListPage.svelte'), title: 'ui.documents.checklist' },
  { path: 'document-violations', roles: READ, component: () => import('../pages/documents/Violations.svelte'), title: 'ui.documents.violations', group: 'surveys', order: 61 },
  { path: 'document-violations/:id', roles: READ, component: () => import('../pages/documents/ViolationPage.svelte'), title: 'ui.documents.violations' },
  { path: 'document-requirements', roles: READ, component: () => import('../pages/documents/Library.svelte'), title: 'ui.documents.library', group: 'surveys', order: 62 },
  { path: 'objects/:id/documents', roles: READ, component: () => import('../pages/documents/Register.svelte'), title: 'ui.documents.register' },
];
