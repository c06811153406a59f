// Surveys of documents, the register of Annex 3, violations, the library of requirements. Names are those of the JSON.
import type { FieldSpec, Values } from '../fields';
import { addressOf, get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object, decodeString as str,
  type Decoded,
} from './decode';
import { filled } from './requests';
import { clock, page, ref, ROLES } from './types';

// i18n: ui.documents.state.*
export const STATES = [
  'planned', 'notice_sent', 'notice_received', 'td_received', 'in_progress', 'completed', 'results_sent', 'results_received', 'measures_received', 'closed', 'withdrawn',
] as const;
// i18n: ui.documents.waits.*
export const WAITS = ['nobody', 'owner', 'centre'] as const;
// i18n: ui.documents.side.*
export const SIDES = ['mine', 'other', 'ended', 'all'] as const;
// i18n: ui.documents.action.*
export const ACTIONS = [
  'send_notice', 'start', 'set_verdict', 'confirm_last', 'not_presented', 'complete', 'send_results', 'receive', 'record_receipt', 'set_measure', 'send_measures', 'close', 'withdraw',
] as const;
// i18n: ui.documents.field.*
export const FIELDS = [
  'survey_from', 'text', 'note', 'requirement', 'verdict', 'reason', 'quote', 'page', 'description', 'recommendation_kk', 'recommendation_ru', 'recommendation_en', 'document', 'completed_at',
  'confirmed', 'received_at', 'proof', 'violation', 'measure', 'done_on',
] as const;
// i18n: ui.documents.verdict.*
export const VERDICTS = ['met', 'partly', 'not_met', 'not_applicable'] as const;
export type Verdict = (typeof VERDICTS)[number];
// i18n: ui.documents.violation.*
export const VIOLATION_STATES = ['found', 'sent', 'measure_reported', 'fixed', 'not_applicable', 'persisting'] as const;
// i18n: ui.documents.file_role.*
export const FILE_ROLES = ['photo', 'video', 'document'] as const;
// i18n: ui.documents.source.*
export const SOURCES = ['owner', 'centre', 'request'] as const;
// i18n: ui.documents.level.*
export const LEVELS = ['1', '2', '3', '4'] as const;
// i18n: ui.documents.step.*
export const STEPS = [
  'planned', 'notice_received', 'copies_received', 'line_moved', 'line_dropped', 'clock_started', 'clock_fulfilled', 'clock_cancelled', 'clock_overdue', 'notice_sent',
  'notice_queued', 'notice_failed', 'notice_read', 'notice_registered', 'reminder',
] as const;
const FACT_STATES = ['measured', 'not_measured'] as const;

const numbered = object({ id: str, number: str });
const texts = object({ kk: str, ru: str, en: str });
const tdFile = object({ id: str, name: str, type: str, size_bytes: num, sha256: str, dated_on: nullable(str), added_at: instant });
const version = object({
  id: str, version: num, number: nullable(str), dated_on: nullable(str), edition: nullable(str), approved_by: nullable(str), approved_on: nullable(str), signed: bool, sealed: nullable(bool),
  certified: bool, valid_until: nullable(str), expired: bool, review_on: nullable(str), review_due: bool, note: nullable(str), source: oneOf(SOURCES), request: nullable(numbered),
  added_at: instant, added_by: nullable(str), files: arr(tdFile),
});
export type Version = Decoded<typeof version>;
const rowShape = { document: str, row: str, level: num, number: num, title: str, missing: bool, newest: nullable(version) };
const registerRow = object(rowShape);
export type RegisterRow = Decoded<typeof registerRow>;
const register = object({ now: instant, object: ref, may_add: bool, items: arr(registerRow) });

const fact = object({ measure: str, state: oneOf(FACT_STATES), text: str, measured_at: instant, by: str });
export type Fact = Decoded<typeof fact>;

const summary = object({
  id: str, number: str, state: oneOf(STATES), waits: oneOf(WAITS), ended: bool, object: ref, org: ref, planned_from: nullable(str), planned_to: nullable(str), planned: bool,
  opened_at: instant, updated_at: instant, next_due: nullable(object({ obligation: str, due: instant, remaining_s: num })), overdue: bool,
});
export type SurveySummary = Decoded<typeof summary>;
const list = object({ now: instant, may_plan: bool, items: arr(summary), next: nullable(str) });

const progress = object({ ...rowShape, total: num, met: num, partly: num, not_met: num, not_applicable: num });
export type Progress = Decoded<typeof progress>;
const evidence = object({
  id: str, role: oneOf(FILE_ROLES), requirement: nullable(str), violation: nullable(str), name: str, type: str, size_bytes: num, sha256: str, captured_at: nullable(instant),
  place: nullable(str), note: nullable(str), added_at: instant, added_by: nullable(str),
});
export type Evidence = Decoded<typeof evidence>;
const author = object({ id: str, name: str, role: oneOf(ROLES) });
const step = object({
  id: str, kind: str, happened_at: instant, recorded_at: instant, due_at: nullable(instant), author: nullable(author), obligation: nullable(str), addressee: nullable(str), text: nullable(str),
});
export type Step = Decoded<typeof step>;
const FIELD_TYPES = ['string', 'text', 'date', 'datetime', 'enum', 'bool'] as const;
const field = object({ name: oneOf(FIELDS), type: oneOf(FIELD_TYPES), required: bool, enum: arr(oneOf(VERDICTS)) });
export type Field = Decoded<typeof field>;
const action = object({ name: oneOf(ACTIONS), fields: arr(field) });
export type Action = Decoded<typeof action>;
const survey = object({
  now: instant, id: str, number: str, state: oneOf(STATES), waits: oneOf(WAITS), ended: bool, object: ref, org: ref, planned_from: nullable(str), planned_to: nullable(str),
  reason: nullable(str), plan_line: nullable(str), opened_at: instant, started_at: nullable(instant), completed_at: nullable(instant), results_sent_at: nullable(instant),
  results_received_at: nullable(instant), measures_at: nullable(instant), ended_at: nullable(instant), whole: bool, clocks: arr(clock), timeline: arr(step), files: arr(evidence),
  request: nullable(object({ id: str, number: str, state: str, provided: num, missing: num, count: num })),
  previous: nullable(object({ id: str, number: str, completed_at: instant })), documents: arr(progress),
  found: nullable(object({ partly: num, not_met: num, fixed: num, measures: num, not_applicable: num })),
  notices: arr(object({ id: str, number: str, title: str, made_at: instant, pdf_sha256: nullable(str) })), actions: arr(action),
});
export type Survey = Decoded<typeof survey>;

const line = object({
  position: num, requirement: str, document: str, text: str, look: str, recommendation: texts, basis: nullable(str), version: num, presence: bool, facts: arr(fact),
  verdict: nullable(oneOf(VERDICTS)), reason: nullable(str), quote: nullable(str), page: nullable(str), note: nullable(str), as_last: bool, description: nullable(str),
  judged_at: nullable(instant), judged_by: nullable(str),
  last: nullable(object({
    verdict: oneOf(VERDICTS), reason: nullable(str), quote: nullable(str), page: nullable(str), note: nullable(str), description: nullable(str), survey: str, at: instant,
  })),
  open: nullable(object({ id: str, number: str, state: oneOf(VIOLATION_STATES) })), looked_at: nullable(object({ version: num, edition: nullable(str) })),
});
export type Line = Decoded<typeof line>;
const change = object({
  requirement: str, document: str, text: str, was: nullable(oneOf(VERDICTS)), became: oneOf(VERDICTS), quote_was: nullable(str), quote: nullable(str), violation: nullable(str),
  outcome: nullable(oneOf(VIOLATION_STATES)), reason: nullable(str),
});
export type Change = Decoded<typeof change>;

const violationShape = {
  id: str, number: str, document: str, title: str, requirement: str, text: str, state: oneOf(VIOLATION_STATES), open: bool, description: nullable(str), recommendation: texts, object: ref,
  found_at: instant, sent_at: nullable(instant), settled_at: nullable(instant), found_by: numbered, survey: numbered, measure: nullable(str), done_on: nullable(str), ended_why: nullable(str),
};
const violationRow = object(violationShape);
export type ViolationRow = Decoded<typeof violationRow>;
const violation = object({
  ...violationShape, life: arr(object({ state: oneOf(VIOLATION_STATES), at: instant, by: nullable(str), text: nullable(str), survey: numbered })),
});
export type Violation = Decoded<typeof violation>;
const requirement = object({
  code: str, document: str, title: str, shown: str, text: texts, look: texts, recommendation: texts, basis: nullable(str), measures: arr(str), version: num, presence: bool,
});
export type Requirement = Decoded<typeof requirement>;
const library = object({ problem: nullable(str), sha256: nullable(str), items: arr(requirement) });

export const documents = (objectId: string) => get(`/objects/${id(objectId)}/documents`, register);
export const versions = (objectId: string, document: string, query: Query) => get(`/objects/${id(objectId)}/documents/${id(document)}`, page(version), query);
export const addVersion = (objectId: string, body: Values) => send('POST', `/objects/${id(objectId)}/documents`, page(version), {}, filled(body));
export const versionFile = (objectId: string, file: string) => addressOf(`/objects/${id(objectId)}/document-files/${id(file)}`);
export const facts = async (objectId: string) => (await get(`/objects/${id(objectId)}/document-facts`, page(fact))).items;
export const surveys = (query: Query) => get('/document-surveys', list, query);
export const planSurvey = (body: Values) => send('POST', '/document-surveys', survey, {}, filled(body));
export const surveyOf = (surveyId: string) => get(`/document-surveys/${id(surveyId)}`, survey);
export const act = (surveyId: string, name: string, body: Values) => send('POST', `/document-surveys/${id(surveyId)}/actions/${id(name)}`, survey, {}, filled(body));
export const checklist = (surveyId: string, query: Query) => get(`/document-surveys/${id(surveyId)}/checklist`, page(line), query);
export const comparison = async (surveyId: string) => (await get(`/document-surveys/${id(surveyId)}/comparison`, page(change))).items;
export const attach = (surveyId: string, body: Values) => send('POST', `/document-surveys/${id(surveyId)}/files`, survey, {}, filled(body));
export const evidenceFile = (surveyId: string, file: string) => addressOf(`/document-surveys/${id(surveyId)}/files/${id(file)}`);
export const violations = (query: Query) => get('/document-violations', page(violationRow), query);
export const violationOf = (violationId: string) => get(`/document-violations/${id(violationId)}`, violation);
export const requirements = (document: string) => get('/document-requirements', library, { document });
export const tableFile = (name: 'register' | 'checklist' | 'violations', of: string) => `${addressOf(`/document-tables/${id(name)}`)}?of=${encodeURIComponent(of)}`;

/** A field of the server's table as a field of a form. */
export function fieldSpec(f: Field): FieldSpec {
  const common = { name: f.name, label: `ui.documents.field.${f.name}`, required: f.required };
  if (f.type === 'enum') return { ...common, type: 'radio', options: f.enum.map((value) => ({ value, label: `ui.documents.verdict.${value}` })) };
  if (f.type === 'bool') return { ...common, type: 'check', wide: true };
  if (f.type === 'date' || f.type === 'datetime') return { ...common, type: f.type, now: f.type === 'datetime' };
  if (f.type === 'text') return { ...common, type: 'text', rows: 3 };
  return { ...common, type: 'string' };
}
