// What is owed under the Rules: lists, one duty with all that is known of it, what moved, the table of the edition.
import { get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeInstant as instant, decodeMap as map, decodeNullable as nullable, decodeNumber as num, decodeObject as object, decodeEnum as oneOf, decodeString as str,
  type Decoded,
} from './decode';
import { clock, decodeApproval, DUTY_BASES, subject, text3 } from './types';

// i18n: ui.duty.reason.*
export const CHANGE_REASONS = ['calendar', 'start', 'clock', 'resumed'] as const;
// i18n: ui.duty.reminder.*
const REMINDER_KINDS = ['before', 'due', 'after', 'chain'] as const;
// i18n: ui.duty.unit.*
const UNITS = ['minutes', 'hours', 'business_days', 'calendar_days', 'months', 'per_year'] as const;
const ALL_UNITS = [...UNITS, 'quarter', 'none'] as const;
// i18n: ui.duty.on_late.*
export const ON_LATE = ['notify_knb'] as const;
// Duties of one fact are named by their own title; these have several.
// i18n: ui.duty.fact.*
export const FACTS = ['commission_paper_at', 'commission_electronic_at', 'termination_paper_at', 'termination_electronic_at', 'causes_eliminated_at', 'consequences_eliminated_at'] as const;

const person = object({ id: str, name: str });
const change = {
  id: str, duty_id: str, at: instant, reason: oneOf(CHANGE_REASONS), author: nullable(person), note: nullable(str), from_was: nullable(instant), from_is: nullable(instant),
  due_was: nullable(instant), due_is: nullable(instant), calendar_was: nullable(str), calendar_is: nullable(str),
};
const details = object({
  edition: str, calendar: str, seq: num, estimated: bool, missing_year: nullable(num), acknowledged_at: nullable(instant), owed_by: str, from_day: bool,
  late: nullable(bool), trigger: nullable(str), content: nullable(str), from_name: nullable(str), on_late: nullable(str), reading: nullable(str),
  annex: nullable(num), parallel: arr(str),
  facts: arr(object({
    fact: str, at: nullable(instant), recorded_at: nullable(instant), author: nullable(person), notice_id: nullable(str), sha256: nullable(str),
    note: nullable(str),
  })),
  changes: arr(object(change)),
  reminders: arr(object({ kind: oneOf(REMINDER_KINDS), step: num, at: instant, sent_at: nullable(instant), outcome: nullable(str) })),
  approvals: arr(decodeApproval),
});
const decodeDuty = (v: unknown, path = '') => ({ ...clock(v, path), ...details(v, path) });
export type Duty = Decoded<typeof clock> & Decoded<typeof details>;

const decodePage = object({ now: instant, items: arr(clock), next: nullable(str) });
const decodeChanges = object({ items: arr(object({ ...change, obligation: str, subject })), next: nullable(str) });
export type DutyChange = Decoded<typeof decodeChanges>['items'][number];

const obligation = object({
  id: str, paragraph: str, title: text3, trigger: nullable(text3), content: nullable(text3), who: text3, whom: text3, amount: num, unit: oneOf(ALL_UNITS),
  basis: oneOf(DUTY_BASES), main: num, control: num, roll: bool, channels: arr(str), work: arr(str), parallel: arr(str), on_late: nullable(str),
  reading: nullable(str), annex: nullable(num), from: nullable(object({ id: str, day: bool, name: text3 })),
});
export type ObligationRow = Decoded<typeof obligation>;
const decodeTable = object({ id: str, title: text3, in_force_from: nullable(str), obligations: arr(obligation) });
const decodeWords = object({ id: str, title: text3, basis: nullable(text3), definitions: arr(object({ row: str, term: text3, meaning: text3 })), terms: map(text3) });
export type Words = Decoded<typeof decodeWords>;
const decodeEditions = object({
  items: arr(object({ id: str, title: text3, act: str, edition_of: str, in_force_from: nullable(str), configured: bool })), next: nullable(str),
});
const decodeDue = object({ id: str, due: nullable(str), nominal: nullable(str), basis: oneOf(DUTY_BASES), arithmetic: arr(str), estimated: bool });
export type DueAnswer = Decoded<typeof decodeDue>;

export const duties = (query: Query) => get('/duties', decodePage, query);
export const duty = (dutyId: string) => get(`/duties/${id(dutyId)}`, decodeDuty);
export const acknowledge = (dutyId: string) => send('POST', `/duties/${id(dutyId)}/acknowledge`, decodeDuty);
export const restart = (dutyId: string, from: string, reason: string) => send('POST', `/duties/${id(dutyId)}/start`, decodeDuty, {}, { from, reason });
export const dutyChanges = (query: Query) => get('/duty-changes', decodeChanges, query);
export const obligationTable = (edition: string) => get('/edition', decodeTable, { id: edition });
export const words = () => get('/edition', decodeWords);
export const editions = () => get('/editions', decodeEditions);
export const computeDue = (obligationId: string, from: string) => get(`/obligations/${id(obligationId)}/due`, decodeDue, { from });
