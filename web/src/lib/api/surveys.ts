// Surveys for vulnerabilities. Names are those of the JSON.
import type { FieldSpec, Values } from '../fields';
import { addressOf, get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeMap as map, decodeNullable as nullable, decodeNumber as num,
  decodeObject as object, decodeString as str, type Decoded,
} from './decode';
import { filled, record } from './requests';
import { clock, page, ref, ROLES } from './types';

// i18n: survey.mode.*
export const MODES = ['pentest_auto', 'update_config', 'source_code', 'pentest_manual'] as const;
// i18n: survey.kind.*
export const KINDS = ['main', 'control'] as const;
// i18n: survey.state.*
export const STATES = ['planned', 'in_progress', 'blocked', 'completed', 'results_sent', 'results_received', 'measures_received', 'cancelled'] as const;
// i18n: ui.surveys.waits.*
export const WAITS = ['nobody', 'owner', 'centre'] as const;
// i18n: ui.surveys.side.*
export const SIDES = ['mine', 'other', 'ended', 'all'] as const;
// i18n: ui.surveys.source.*
export const SOURCES = ['annex1', 'passport', 'manual', 'adjacent'] as const;
// i18n: ui.surveys.file_role.*
export const FILE_ROLES = ['photo', 'video', 'screenshot', 'note', 'document'] as const;
// i18n: ui.surveys.condition.*
export const CONDITION_STATES = ['required', 'provided', 'refused'] as const;
// i18n: ui.surveys.run_state.*
export const RUN_STATES = ['proposed', 'confirmed', 'running', 'done', 'failed', 'cancelled'] as const;
// i18n: survey.answer.*
export const ANSWERS = ['fixed', 'until', 'claim', 'comment', 'nothing'] as const;
// i18n: survey.severity.*
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info', 'unknown'] as const;
// i18n: ui.surveys.verdict.*
export const VERDICTS = ['fixed', 'not_fixed', 'new', 'reopened', 'not_covered', 'claimed'] as const;
// i18n: ui.surveys.reason.*
export const REASONS = ['host_not_seen', 'port_not_seen', 'check_not_run', 'tool_absent', 'path_not_seen', 'checks_not_named', 'seen_outside', 'seen_other_name'] as const;
// i18n: ui.surveys.action.*
export const ACTIONS = [
  'start', 'block', 'complete', 'send_results', 'receive', 'record_receipt', 'send_measures', 'record_measures', 'cancel', 'notify', 'assign', 'move', 'scope_take', 'scope_set', 'scope_add',
  'adjacent', 'result_remove', 'result_restore', 'remedy', 'run_propose', 'run_confirm', 'run_cancel',
] as const;
// i18n: ui.surveys.field.*
export const FIELDS = [
  'not_needed', 'note', 'conditions', 'reason', 'completed_at', 'received_at', 'proof', 'items', 'all', 'nothing_to_fix', 'files', 'people', 'from_on', 'to_on', 'item', 'included', 'name', 'hosts',
  'adjacent', 'lan', 'result', 'vulnerability', 'kk', 'ru', 'en', 'profile', 'targets', 'run', 'command',
] as const;
export const FIELD_TYPES = ['string', 'text', 'date', 'datetime', 'enum', 'bool', 'strings', 'items', 'part'] as const;
// i18n: ui.surveys.step.*
export const STEPS = [
  'planned', 'moved', 'notified', 'started', 'blocked', 'completed', 'cancelled', 'assigned', 'scope_taken', 'scope_included', 'scope_excluded', 'scope_added', 'adjacent_absent', 'adjacent_surveyed', 'file',
  'result_added', 'result_removed', 'result_restored', 'results_sent', 'results_received', 'measures_received', 'run_proposed', 'run_confirmed', 'run_cancelled', 'run_done', 'run_failed', 'clock_started',
  'clock_fulfilled', 'clock_cancelled', 'clock_overdue', 'notice_sent', 'notice_registered', 'reminder',
] as const;
// i18n: ui.surveys.result_state.*
export const RESULT_STATES = ['waiting', 'reading', 'applying', 'applied', 'refused', 'withdrawn'] as const;
// i18n: ui.surveys.column.*
export const COLUMN_FIELDS = [
  'title', 'description', 'severity', 'solution', 'impact', 'evidence', 'check', 'id', 'cve', 'cwe', 'cvss', 'cvss_v2', 'cvss_v3', 'cvss_v4', 'host', 'ip', 'port', 'protocol', 'service', 'component', 'version',
  'fixed_version', 'path', 'url', 'references', 'tags', 'seen_at', 'status',
] as const;

const summary = object({
  id: str, number: str, object: ref, org: ref, mode: oneOf(MODES), kind: oneOf(KINDS), state: oneOf(STATES), waits: oneOf(WAITS), from_on: str, to_on: str, ordinal: num, main: nullable(str),
  control: nullable(str), completed_at: nullable(instant), updated_at: instant, ended: bool, next_due: nullable(object({ obligation: str, due: instant, remaining_s: num })), overdue: bool,
  reason: nullable(str),
});
export type SurveySummary = Decoded<typeof summary>;
const surveyRef = object({ id: str, number: str, state: oneOf(STATES) });
const author = object({ id: str, name: str, role: oneOf(ROLES) });
const condition = object({ code: str, title: str, state: oneOf(CONDITION_STATES) });
const access = object({ request: nullable(object({ id: str, number: str, state: str, updated_at: instant })), conditions: arr(condition) });
const place = object({ id: str, source: oneOf(SOURCES), name: str, hosts: arr(str), included: bool, reason: nullable(str), updated_at: instant, updated_by: nullable(str) });
export type Place = Decoded<typeof place>;
const file = object({
  id: str, role: oneOf(FILE_ROLES), name: str, type: str, size_bytes: num, sha256: str, captured_at: nullable(instant), place: nullable(str), note: nullable(str), added_at: instant, added_by: nullable(str),
});
const result = object({
  id: str, name: str, size_bytes: num, sha256: str, format: str, mapping: nullable(str), run: nullable(str), added_at: instant, added_by: nullable(str), removed_at: nullable(instant), removed_by: nullable(str),
  reason: nullable(str), state: nullable(str), error: nullable(str), line: nullable(num), done: nullable(num), total: nullable(num), findings: nullable(num), sightings: nullable(num), outside: nullable(num),
  tool: nullable(str), applied_at: nullable(instant),
});
export type Result = Decoded<typeof result>;
const run = object({
  id: str, profile: str, tool: str, targets: arr(str), command: str, state: oneOf(RUN_STATES), proposed_at: instant, proposed_by: str, confirmed_at: nullable(instant), confirmed_by: nullable(str),
  started_at: nullable(instant), ended_at: nullable(instant), exit_code: nullable(num), story: nullable(str), result: nullable(str),
});
export type Run = Decoded<typeof run>;
const field = object({ name: oneOf(FIELDS), type: oneOf(FIELD_TYPES), required: bool, enum: arr(str) });
const action = object({ name: oneOf(ACTIONS), fields: arr(field) });
export type Action = Decoded<typeof action>;
const step = object({
  id: str, kind: str, happened_at: instant, recorded_at: instant, due_at: nullable(instant), author: nullable(author), obligation: nullable(str), addressee: nullable(str), text: nullable(str),
});
export type SurveyStep = Decoded<typeof step>;
const survey = object({
  now: instant, id: str, number: str, object: ref, org: ref, mode: oneOf(MODES), kind: oneOf(KINDS), ordinal: num, main: nullable(surveyRef), control: nullable(surveyRef), line: nullable(str),
  reason: nullable(str), from_on: str, to_on: str, state: oneOf(STATES), waits: oneOf(WAITS), ended: bool, team: nullable(ref), values: record, created_at: nullable(instant), told_at: nullable(instant),
  started_at: nullable(instant), completed_at: nullable(instant), results_sent_at: nullable(instant), results_received_at: nullable(instant), measures_at: nullable(instant), busy: bool, own_team: bool, access,
  scope: arr(place), people: arr(author), candidates: arr(author), files: arr(file), results: arr(result), runs: arr(run), counts: nullable(map(num)), clocks: arr(clock), timeline: arr(step),
  notices: arr(object({ id: str, number: str, title: str, made_at: instant, pdf_sha256: nullable(str) })),
  consultations: arr(object({ id: str, number: str, state: str, title: nullable(str) })), actions: arr(action),
});
export type Survey = Decoded<typeof survey>;
const measure = object({ answer: oneOf(ANSWERS), on: nullable(str), comment: nullable(str), at: instant });
const found = object({
  id: str, number: nullable(str), title: str, severity: oneOf(SEVERITIES), cve: nullable(str), host: nullable(str), place: nullable(str), component: nullable(str), fixed_version: nullable(str),
  description: nullable(str), cvss: nullable(num), kev: bool, state: nullable(str), kind: nullable(str), first_detected_at: nullable(instant),
  remedy: object({ kk: str, ru: str, en: str, edited: bool }), measure: nullable(measure),
});
export type Found = Decoded<typeof found>;
const tool = object({ id: str, tool: str, title: str, modes: arr(oneOf(MODES)), local: bool, present: bool, missing: nullable(str) });
const column = object({ heading: str, field: str });
const mapping = object({ name: str, tool: str, sheet: str, columns: arr(column), updated_at: instant, author: nullable(str) });
export type SavedMapping = Decoded<typeof mapping>;
const comparison = object({
  ready: bool, counts: map(num), items: arr(object({ vulnerability: record, verdict: str, reason: nullable(str), of_main: bool })), next: nullable(str),
});
export type Comparison = Decoded<typeof comparison>;

export const surveys = (query: Query) => get('/surveys', object({ now: instant, items: arr(summary), next: nullable(str) }), query);
export const surveyTable = (query: Query) => addressOf('/survey-table', query);
export const surveyOf = (surveyId: string) => get(`/surveys/${id(surveyId)}`, survey);
export const create = (body: Values) => send('POST', '/surveys', survey, {}, filled(body));
export const act = (surveyId: string, name: string, body: Values) => send('POST', `/surveys/${id(surveyId)}/actions/${id(name)}`, survey, {}, filled(body));
export const attach = (surveyId: string, body: Values) => send('POST', `/surveys/${id(surveyId)}/files`, survey, {}, filled(body));
export const addResult = (surveyId: string, body: Values) => send('POST', `/surveys/${id(surveyId)}/results`, survey, {}, filled(body));
export const fileAddress = (surveyId: string, fileId: string) => addressOf(`/surveys/${id(surveyId)}/files/${id(fileId)}`);
export const resultAddress = (surveyId: string, resultId: string) => addressOf(`/surveys/${id(surveyId)}/results/${id(resultId)}`);
export const foundOf = (surveyId: string, query: Query) => get(`/surveys/${id(surveyId)}/vulnerabilities`, page(found), query);
export const foundTable = (surveyId: string) => addressOf(`/surveys/${id(surveyId)}/vulnerability-table`);
export const compare = (surveyId: string, query: Query) => get(`/surveys/${id(surveyId)}/comparison`, comparison, query);
export const tools = () => get('/survey-tools', object({ running: bool, items: arr(tool) }));
export const mappings = async () => (await get('/survey-mappings', page(mapping))).items;
export const saveMapping = async (body: Values) => (await send('POST', '/survey-mappings', page(mapping), {}, body)).items;
export const headings = (upload_id: string, sheet: string | null) =>
  send('POST', '/survey-headings', object({ sheets: arr(str), headings: arr(str), rows: arr(arr(str)), fields: arr(str) }), {}, sheet ? { upload_id, sheet } : { upload_id });

/** A field of the server's table as a field of a form; lists of conditions and people have their options from the survey. */
export function fieldSpec(s: Survey, f: Decoded<typeof field>): FieldSpec {
  const common = { name: f.name, label: `ui.surveys.field.${f.name}`, required: f.required };
  const plain = (text: string) => ({ kk: text, ru: text, en: text });
  if (f.name === 'people') return { ...common, type: 'set', options: s.candidates.map((p) => ({ value: p.id, label: plain(p.name) })) };
  if (f.name === 'not_needed') {
    return { ...common, type: 'set', options: s.access.conditions.filter((x) => x.state !== 'provided').map((x) => ({ value: x.code, label: plain(x.title) })) };
  }
  if (f.name === 'conditions') return { ...common, type: 'set', options: s.access.conditions.map((x) => ({ value: x.code, label: plain(x.title) })) };
  if (f.type === 'enum') return { ...common, type: 'radio', options: f.enum.map((value) => ({ value, label: f.name === 'lan' ? `survey.lan.${value}` : value })) };
  if (f.type === 'bool') return { ...common, type: 'check' };
  if (f.type === 'date' || f.type === 'datetime') return { ...common, type: f.type, now: f.type === 'datetime' };
  if (f.type === 'strings') return { ...common, type: 'lines' };
  return { ...common, type: f.type === 'text' ? 'text' : 'string' };
}
