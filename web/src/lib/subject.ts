// Where the thing stands that a duty or a notice is about, and the act that fulfils the duty.
import type { ActionName, Clock } from './api/types';
import { t } from './i18n.svelte';
import { findPage } from './rooms';
import { toHash } from './route';
import { session } from './session.svelte';

const PATHS: Record<string, string> = { case: 'cases', object: 'objects', organisation: 'organisations', request: 'requests', report: 'reports', person: 'people', document_survey: 'document-surveys', survey: 'surveys' };

/** The acts of a case that fulfil its duties (requirements, 5.1). */
const ACTS: Record<string, ActionName> = {
  'D-05': 'notify', 'D-06': 'eliminate', 'D-09': 'report_measures', 'D-10': 'event_analysis', 'D-11': 'report_measures', 'D-25': 'report_measures',
  'D-29': 'report_measures', 'D-30': 'report_measures', 'D-31': 'review_level',
};

/** The address of a subject, if this user has a page for it. */
export function subjectHref(kind: string, id: string, params: Record<string, string> = {}): string | null {
  const head = PATHS[kind];
  if (!head || !session.user || !findPage([head, id], session.user.role)) return null;
  return toHash([head, id], params);
}

export interface SubjectLink {
  text: string;
  href: string | null;
  act: string | null;
}

export function subjectLink(c: Clock): SubjectLink {
  if (c.case_id) {
    const act = ACTS[c.obligation];
    const text = [c.case_number, c.case_title].filter((x) => x).join(' ');
    return { text, href: subjectHref('case', c.case_id), act: subjectHref('case', c.case_id, act ? { do: act } : {}) };
  }
  const kind = c.subject?.kind ?? '';
  const href = c.subject ? subjectHref(kind, c.subject.id) : null;
  const text = c.object?.name ?? (kind ? `${t(kind in PATHS ? `ui.subject.${kind as keyof typeof PATHS}` : 'ui.subject.other')} ${c.subject?.id ?? ''}` : '—');
  return { text, href, act: href };
}
