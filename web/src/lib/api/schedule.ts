// The yearly schedule of monitoring works. Names are those of the JSON.
import type { FieldSpec, Values } from '../fields';
import { addressOf, get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded,
} from './decode';
import { filled } from './requests';
import { page, ref, ROLES } from './types';

// i18n: ui.schedule.plan_state.*
export const PLAN_STATES = ['draft', 'sent_for_agreement', 'returned', 'agreed', 'in_execution', 'amendment_draft', 'completed'] as const;
// i18n: schedule.mode.*
export const MODES = ['pentest_auto', 'update_config', 'source_code', 'pentest_manual', 'document'] as const;
export const KINDS = ['main', 'control', ''] as const;
// i18n: schedule.stands.*
export const STANDS = ['planned', 'in_progress', 'blocked', 'in_time', 'late', 'overdue', 'cancelled'] as const;
// i18n: ui.schedule.action.*
export const PLAN_ACTIONS = [
  'generate', 'set_reason', 'set_documents', 'send', 'agree', 'record_agreement', 'return', 'record_return', 'rework', 'amend', 'complete',
] as const;
// i18n: ui.schedule.field.*
export const PLAN_FIELDS = ['scope', 'object_id', 'mode', 'reason', 'count', 'note', 'remarks', 'letter_number', 'letter_date', 'version', 'sha256'] as const;
// i18n: ui.schedule.writing.*
export const WRITINGS = ['generate', 'amend', 'agree'] as const;
// i18n: ui.schedule.change.*
export const CHANGES = ['added', 'moved', 'dropped'] as const;
// i18n: ui.schedule.decision.*
export const DECISIONS = ['agreed', 'returned'] as const;

const headShape = {
  id: str, year: num, state: oneOf(PLAN_STATES), documents: num, from_on: str, version: num, agreed_version: num, reason: str, edition: str, estimated: bool, shows_draft: bool,
  writing: nullable(object({ what: oneOf(WRITINGS), done: num, total: num })),
  generated_at: nullable(instant), created_at: instant, updated_at: instant,
};
const head = object(headShape);
export type PlanHead = Decoded<typeof head>;
const version = object({
  number: num, sha256: str, lines: num, objects: num, reason: str, made_at: instant, made_by: nullable(str), notice_id: nullable(str), decision: nullable(oneOf(DECISIONS)),
  decided_at: nullable(instant), decided_by: nullable(str), remarks: nullable(str),
});
export type PlanVersion = Decoded<typeof version>;
const action = object({ name: oneOf(PLAN_ACTIONS), fields: arr(object({ name: oneOf(PLAN_FIELDS), type: oneOf(['string', 'text', 'date', 'enum', 'count']), required: bool, enum: arr(str) })) });
export type PlanAction = Decoded<typeof action>;
const plan = object({
  ...headShape, now: instant, versions: arr(version),
  counts: nullable(object({ agreed_lines: num, draft_lines: num, unplaced: num, agreed_objects: num, draft_objects: num, left_out: num })),
  frequencies: arr(object({ mode: oneOf(MODES), obligation: nullable(str), main: num, control: num })), actions: arr(action),
});
export type Plan = Decoded<typeof plan>;
const line = object({
  id: str, plan_id: str, object: ref, org: ref, mode: oneOf(MODES), kind: oneOf(KINDS), ordinal: num, pair_id: nullable(str), from_on: str, to_on: str, team: nullable(ref), fixed: bool,
  reason: str, state: oneOf(STANDS), subject: nullable(object({ kind: str, id: str })), completed_at: nullable(instant), held_since: nullable(instant),
});
export type PlanLine = Decoded<typeof line>;
const calendar = object({
  year: num, days: arr(object({ day: str, works: num, begin: num })), weeks: arr(object({ from_on: str, begin: num })), months: arr(object({ month: num, begin: num })), off: arr(str),
  closed: arr(object({ from_on: str, to_on: str, reason: str })), estimated: bool, draft: bool,
});
export type PlanCalendar = Decoded<typeof calendar>;
const progressRow = object({
  key: str, name: nullable(str), planned: num, in_time: num, late: num, cancelled: num, overdue: num, running: num, ahead: num, done_percent: num, in_time_percent: num,
});
export type Progress = Decoded<typeof progressRow>;
const objectYear = object({
  object: ref, year: num, state: oneOf(PLAN_STATES), since_on: str, until_on: str, draft: bool, estimated: bool, lines: arr(line),
  owed: arr(object({ mode: oneOf(MODES), obligation: nullable(str), full: num, main: num, control: num, arithmetic: arr(str) })),
  reasons: arr(object({ mode: oneOf(MODES), code: str, text: str })),
});
export type ObjectYear = Decoded<typeof objectYear>;
const unplaced = object({ id: str, object: ref, mode: oneOf(MODES), kind: oneOf(KINDS), ordinal: num, why: str, text: str, from_on: str, to_on: str });
export type Unplaced = Decoded<typeof unplaced>;
const mismatch = object({ object: ref, mode: oneOf(MODES), main: num, control: num, due_main: num, due_control: num, text: str });
export type Mismatch = Decoded<typeof mismatch>;
const days = nullable(object({ from_on: str, to_on: str, team: nullable(str) }));
const change = object({ line_id: str, change: oneOf(CHANGES), object: ref, mode: oneOf(MODES), kind: oneOf(KINDS), ordinal: num, now: days, was: days, reason: str });
export type PlanChange = Decoded<typeof change>;
const member = object({ id: str, name: str, role: oneOf(ROLES) });
export type Member = Decoded<typeof member>;
const team = object({
  id: str, name: str, at_once: num, days_week: num, modes: arr(oneOf(MODES)), active: bool, members: arr(member),
  absences: arr(object({ from_on: str, to_on: str, less: num, reason: str })),
});
export type Team = Decoded<typeof team>;
const blackout = object({ id: str, object: nullable(ref), org: nullable(ref), from_on: str, to_on: str, reason: str, created_at: instant, created_by: nullable(str) });
export type Blackout = Decoded<typeof blackout>;

export const plans = async () => (await get('/schedule/plans', page(head))).items;
export const openPlan = (body: Values) => send('POST', '/schedule/plans', plan, {}, filled(body));
export const planOf = (planId: string) => get(`/schedule/plans/${id(planId)}`, plan);
export const actOnPlan = (planId: string, name: string, body: Values) => send('POST', `/schedule/plans/${id(planId)}/actions/${id(name)}`, plan, {}, body);
export const planLines = (planId: string, query: Query) => get(`/schedule/plans/${id(planId)}/lines`, page(line), query);
export const addLine = (planId: string, body: Values) => send('POST', `/schedule/plans/${id(planId)}/lines`, line, {}, body);
export const changeLine = (planId: string, lineId: string, body: Values) => send('PUT', `/schedule/plans/${id(planId)}/lines/${id(lineId)}`, line, {}, body);
export const dropLine = (planId: string, lineId: string) => send('POST', `/schedule/plans/${id(planId)}/lines/${id(lineId)}/remove`, () => null, {}, {});
export const planCalendar = (planId: string, query: Query) => get(`/schedule/plans/${id(planId)}/calendar`, calendar, query);
export const progress = (planId: string, query: Query) => get(`/schedule/plans/${id(planId)}/progress`, page(progressRow), query);
export const planObject = (planId: string, objectId: string) => get(`/schedule/plans/${id(planId)}/objects/${id(objectId)}`, objectYear);
export const unplacedOf = (planId: string, query: Query) => get(`/schedule/plans/${id(planId)}/unplaced`, page(unplaced), query);
export const mismatchesOf = (planId: string) => get(`/schedule/plans/${id(planId)}/mismatches`, object({ items: arr(mismatch), next: nullable(str), total: num }), {});
export const changesOf = (planId: string, query: Query) => get(`/schedule/plans/${id(planId)}/changes`, page(change), query);
export const exportOf = (planId: string, format: string) => `${addressOf(`/schedule/plans/${id(planId)}/export`)}?format=${format}`;
export const teams = () => get('/schedule/teams', object({ items: arr(team), next: nullable(str), people: arr(member) }), {});
export const addTeam = (body: Values) => send('POST', '/schedule/teams', team, {}, body);
export const changeTeam = (teamId: string, body: Values) => send('PUT', `/schedule/teams/${id(teamId)}`, team, {}, body);
export const blackouts = (query: Query) => get('/schedule/blackouts', page(blackout), query);
export const addBlackout = (body: Values) => send('POST', '/schedule/blackouts', blackout, {}, filled(body));
export const dropBlackout = (blackoutId: string) => send('POST', `/schedule/blackouts/${id(blackoutId)}/remove`, () => null, {}, {});

/** A field of an act as a field of a form. */
export function planField(f: PlanAction['fields'][number]): FieldSpec {
  const common = { name: f.name, label: `ui.schedule.field.${f.name}`, required: f.required };
  if (f.type === 'count') return { ...common, type: 'integer', min: 0, max: 12 };
  if (f.type === 'date') return { ...common, type: 'date' };
  if (f.type === 'text') return { ...common, type: 'text', rows: 3, wide: true };
  return { ...common, type: 'string' };
}

/** What a line is, in words: mode, main or control and its number. */
export const STAND_TONES = {
  planned: ['plain', 'none'], in_progress: ['accent', 'right'], blocked: ['urgent', 'cross'], in_time: ['calm', 'done'], late: ['soon', 'soon'], overdue: ['late', 'late'], cancelled: ['plain', 'cross'],
} as const;
