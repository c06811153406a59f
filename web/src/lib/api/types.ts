// The answers of the API (docs/openapi.yaml) and their checks. Names are those of the JSON.

import {
  decodeArray as arr,
  decodeBoolean as bool,
  decodeEnum as oneOf,
  decodeInstant as instant,
  decodeMap as map,
  decodeNullable as nullable,
  decodeNumber as num,
  decodeObject as object,
  decodeString as str,
  type Decoded,
  type Decoder,
} from './decode';

export const LANGUAGES = ['kk', 'ru', 'en'] as const;
export const ROLES = [
  'administrator', 'centre_analyst', 'centre_lead', 'surveyor', 'document_auditor', 'owner_officer', 'owner_administrator', 'ocib_analyst',
  'cii_responsible', 'knb', 'authorised_body', 'auditor',
] as const;
export const CASE_STATES = [
  'detected', 'primary_analysis', 'dismissed_by_sts', 'notified', 'event_confirmed', 'event_analysed', 'incident_confirmed',
  'measures_reported', 'eliminated', 'escalated_knb', 'rejected', 'closed', 'self_detected', 'sts_notified', 'detected_by_ocib',
  'detected_by_unit', 'confirmed',
] as const;
export const CASE_MACHINES = ['sts', 'self', 'cii'] as const;
export const CASE_DETECTORS = ['centre', 'owner', 'ocib', 'unit'] as const;
export const TLP = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;
export const CASE_KINDS = ['event', 'incident', 'undetermined'] as const;
export const CLOCK_STATES = ['running', 'fulfilled', 'overdue', 'cancelled', 'superseded'] as const;
export const DUTY_BASES = ['law', 'target', 'open', 'frequency'] as const;
export const INCIDENT_LEVELS = ['high', 'medium', 'low', 'undefined'] as const;
export const RULE_LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export const RULE_STATUSES = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const;
export const CHANNELS = ['email', 'inbox', 'webhook', 'paper', 'link'] as const;
export const DOCUMENT_KINDS = ['annex7', 'annex2', 'knb_notice'] as const;
export const NOTICE_STATES = ['queued', 'sent', 'read', 'failed'] as const;
export const ACTIONS = [
  'analyse', 'dismiss', 'notify', 'acknowledge', 'confirm_event', 'confirm_incident', 'reject', 'dispute_rejection', 'event_analysis',
  'report_measures', 'eliminate', 'accept_elimination', 'return_elimination', 'notify_knb', 'close', 'decide_visit', 'send_employee',
  'visit_return', 'recommend', 'notify_incident', 'review_level', 'update', 'decide_recurrence', 'save_draft', 'consult_request',
  'consult_give', 'take', 'set_tlp', 'external_number', 'add_indicator', 'remove_indicator', 'merge', 'split', 'comment',
] as const;
export const ACTION_FIELD_TYPES = ['string', 'text', 'date', 'datetime', 'enum', 'enum_set', 'strings', 'annex7', 'annex2'] as const;
export const TIMELINE_KINDS = [
  'approval_asked', 'approval_given', 'approval_refused', 'approval_withdrawn',
  'clock_superseded', 'clock_fact', 'clock_recounted', 'clock_acknowledged', 'clock_overdue_undone', 'target_passed', 'reminder_due', 'reminder_late', 'escalation',
  'detected', 'finding', 'clock_started', 'clock_fulfilled', 'clock_overdue', 'clock_cancelled', 'reminder', 'notice_queued', 'notice_sent',
  'notice_failed', 'notice_read', 'notice_registered', 'document', 'auto_notify', ...ACTIONS,
] as const;
export const FORM_FIELD_TYPES = ['group', 'date', 'datetime', 'string', 'text', 'integer', 'ip', 'enum', 'enum_set', 'iocs'] as const;
export const PRESENCES = ['required', 'required_or_no_data', 'if_in_log', 'optional'] as const;
export const CRITICALITIES = ['high', 'medium', 'low'] as const;
export const CONTOURS = ['internal', 'external'] as const;
export const CONTACT_KINDS = ['responsible_person', 'ocib'] as const;
export const ORGANISATION_KINDS = ['sts', 'owner', 'ocib', 'knb'] as const;
export const SOURCE_CLASSES = ['os-unix', 'os-windows', 'db', 'net', 'fw', 'app', 'sec'] as const;
export const OUTCOMES = ['ok', 'refused', 'failed'] as const;
export const IOC_TYPES = ['ip', 'domain', 'url', 'hash', 'email', 'file', 'other'] as const;
export const CHANGES = ['case', 'clock', 'inbox', 'source', 'request', 'survey', 'plan', 'doc', 'change', 'link'] as const;

export type Language = (typeof LANGUAGES)[number];
export type Role = (typeof ROLES)[number];
export type ActionName = (typeof ACTIONS)[number];

export const text3 = object({ kk: str, ru: str, en: str });
export type Text3 = Decoded<typeof text3>;
export const ref = object({ id: str, name: str });
export type Ref = Decoded<typeof ref>;

export type PageOf<T> = { items: T[]; next: string | null };
/** A list as every list of the API is answered. */
export function page<T>(item: Decoder<T>): Decoder<PageOf<T>> {
  return object({ items: arr(item), next: nullable(str) });
}

export const decodeErrorBody = object({
  error: object({ code: str, message: str, field: nullable(str), at: nullable(num), retry_after: nullable(num) }),
});
/** RFC 9457: what a refusal says of itself, and of each field that was wrong. */
export const decodeProblem = object({
  type: nullable(str), title: nullable(str), status: nullable(num), detail: nullable(str), code: nullable(str), field: nullable(str), at: nullable(num),
  retry_after: nullable(num), errors: nullable(arr(object({ field: str, code: nullable(str), detail: nullable(str) }))),
});

const user = object({
  id: str, login: str, name: str, role: oneOf(ROLES), org_id: nullable(str), language: oneOf(LANGUAGES),
});
export const decodeSession = object({ user, csrf: str });
export type Session = Decoded<typeof decodeSession>;

/** What a duty or a notice is about: a case, an object, an organisation, a request, a report. */
export const subject = object({ kind: str, id: str });
export type Subject = Decoded<typeof subject>;
export const clock = object({
  id: str, subject: nullable(subject), obligation: str, paragraph: str, title: str, who: str, whom: str, case_id: nullable(str),
  case_number: nullable(str), case_title: nullable(str),
  object: nullable(ref), from: instant, due: nullable(instant), nominal: nullable(instant), state: oneOf(CLOCK_STATES), remaining_s: num,
  arithmetic: arr(str), fulfilled_at: nullable(instant), basis: oneOf(DUTY_BASES), performer: nullable(ref), accountable: nullable(ref),
});
export type Clock = Decoded<typeof clock>;

const ruleRef = object({ id: str, name: str, level: oneOf(RULE_LEVELS) });
const summaryShape = {
  id: str, number: str, kind: oneOf(CASE_KINDS), state: oneOf(CASE_STATES), title: str, rule: nullable(ruleRef), object: nullable(ref),
  machine: oneOf(CASE_MACHINES), detector: oneOf(CASE_DETECTORS), incident_type: nullable(str), tlp: oneOf(TLP), external_number: nullable(str), merged: bool,
  org: nullable(ref), detected_at: instant, last_seen_at: instant, count: num, level: nullable(oneOf(INCIDENT_LEVELS)),
  next_due: nullable(object({ obligation: str, due: instant, remaining_s: num })), overdue: bool, updated_at: instant,
};
const caseSummary = object(summaryShape);
export type CaseSummary = Decoded<typeof caseSummary>;
export const decodeCases = object({ now: instant, items: arr(caseSummary), next: nullable(str) });

const author = object({ id: str, name: str, role: oneOf(ROLES) });
const proof = object({
  channel: nullable(oneOf(CHANNELS)), addressee: nullable(str), message_id: nullable(str), smtp_reply: nullable(str), sha256: nullable(str),
});
export type Proof = Decoded<typeof proof>;
const timelineEntry = object({
  origin: nullable(str),
  id: str, kind: str, happened_at: instant, recorded_at: instant, due_at: nullable(instant), author: nullable(author),
  obligation: nullable(str), text: nullable(str), proof: nullable(proof),
});
export type TimelineEntry = Decoded<typeof timelineEntry>;
const document = object({
  sha256: str, kind: oneOf(DOCUMENT_KINDS), created_at: instant, size_bytes: num, author: nullable(author),
});
export type CaseDocument = Decoded<typeof document>;
const notice = object({
  id: str, kind: oneOf(DOCUMENT_KINDS), channel: oneOf(CHANNELS), addressee: str, state: oneOf(NOTICE_STATES), attempts: num,
  queued_at: instant, sent_at: nullable(instant), read_at: nullable(instant), message_id: nullable(str), smtp_reply: nullable(str),
  sha256: nullable(str), last_error: nullable(str),
});
export type Notice = Decoded<typeof notice>;

export type EventValue = string | number | boolean | string[];
export type EventMap = Record<string, EventValue>;
const eventValue: Decoder<EventValue> = (v, path = '') => {
  if (typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean') return v;
  return arr(str)(v, path);
};
/** An event that is in no journal: names and values alone. */
export const decodeEventFields: Decoder<EventMap> = map(eventValue);
/** Flat map; the three names that every event has are checked. */
export const decodeEvent: Decoder<EventMap> = (v, path = '') => {
  const e = map(eventValue)(v, path);
  instant(e['@timestamp'], `${path}.@timestamp`);
  str(e['saqshy.seq'], `${path}.saqshy.seq`);
  str(e['event.original'], `${path}.event.original`);
  return e;
};
export const decodeEvents = object({ items: arr(decodeEvent), next: nullable(str), hints: nullable(arr(str)), stats: object({ scanned: num, ms: num }) });
export const decodeHistogram = object({ buckets: arr(object({ from: instant, to: instant, count: num })), total: num });
export type Histogram = Decoded<typeof decodeHistogram>;

/** What the pipes of a search give: rows of cells. */
export type TableCell = string | number | string[] | null;
const tableCell: Decoder<TableCell> = (v, path = '') => (v === null || typeof v === 'string' || typeof v === 'number' ? v : arr(str)(v, path));
export const decodeTable = object({
  columns: arr(object({ name: str, type: oneOf(['any', 'number', 'time', 'text']), span_s: num, approximate: bool })), rows: arr(arr(tableCell)), more: bool, chart: bool, passed_over: num,
  stats: object({ scanned: num, ms: num }),
});
export type Table = Decoded<typeof decodeTable>;

export type IocValue = { type: string; value: string };
export type FormValue = string | number | string[] | IocValue[] | null;
export type FormValues = Record<string, FormValue>;
const formValue: Decoder<FormValue> = (v, path = '') => {
  if (v === null || v === undefined) return null;
  if (typeof v === 'string' || typeof v === 'number') return v;
  if (Array.isArray(v) && v.every((x) => typeof x === 'string')) return arr(str)(v, path);
  return arr(object({ type: str, value: str }))(v, path);
};
const form = map(formValue);

const action = object({
  name: oneOf(ACTIONS),
  fields: arr(object({ name: str, type: oneOf(ACTION_FIELD_TYPES), required: bool, enum: arr(str) })),
});
export type Action = Decoded<typeof action>;
export type ActionField = Action['fields'][number];

// i18n: ui.approval.state.*
export const APPROVAL_STATES = ['waiting', 'approved', 'refused', 'withdrawn'] as const;
/** What waits for a second person (docs/approvals.md). */
export const decodeApproval = object({
  id: str, kind: str, subject: object({ kind: str, id: str }), case_number: nullable(str), object: nullable(ref), reason: str,
  asked_by: object({ id: str, name: str }), asked_at: instant, state: oneOf(APPROVAL_STATES), decided_by: nullable(object({ id: str, name: str })),
  decided_at: nullable(instant), note: nullable(str), may_decide: bool, may_withdraw: bool,
});
export type Approval = Decoded<typeof decodeApproval>;

const caseLink = object({ id: str, number: str });
const casePerson = object({ id: str, name: str, org: nullable(ref) });
export const decodeCase = object({
  ...summaryShape,
  now: instant, edition: str, group: str, notified_at: nullable(instant), confirmed_at: nullable(instant),
  elimination_declared_at: nullable(instant), eliminated_at: nullable(instant), closed_at: nullable(instant), recommendations: nullable(str),
  clocks: arr(clock), timeline: arr(timelineEntry), documents: arr(document), notices: arr(notice), findings: arr(decodeEvent),
  annex7: nullable(form), annex2: nullable(form), actions: arr(action), approvals: arr(decodeApproval),
  indicators: arr(object({ type: str, value: str, own: bool, origin: str, note: nullable(str), at: instant, seen_in: num })),
  description: nullable(str), contact: nullable(str), recurrence: nullable(str), previous: nullable(caseLink), suggested: nullable(caseLink),
  merged_into: nullable(caseLink), assignee: nullable(casePerson), opened_by: nullable(casePerson),
  facts: object({
    acknowledged_at: nullable(instant), sts_notified_at: nullable(instant), second_notified_at: nullable(instant), measures_at: nullable(instant),
    escalated_at: nullable(instant), causes_at: nullable(instant), causes_accepted_at: nullable(instant), consequences_at: nullable(instant),
    consequences_accepted_at: nullable(instant), disputed_at: nullable(instant),
  }),
  updates: arr(object({ no: num, at: instant, side: str, text: str, author: nullable(str) })),
  visits: arr(object({
    id: str, state: str, decided_by: str, decided_at: instant, reason: str, employee: nullable(str), sent_at: nullable(instant),
    returned_at: nullable(instant), report: nullable(str),
  })),
  consultations: arr(object({ id: str, state: str, requested_at: instant, question: str, given_at: nullable(instant), answer: nullable(str) })),
  persons: arr(casePerson), merged_cases: arr(caseLink), nodes: arr(object({ node: str, title: str, number: nullable(str) })),
});
export const decodeCasePeople = page(casePerson);
/** First recommendations by type of incident: texts to begin with. */
export const decodeRecommendations = page(object({ incident_type: str, text: text3 }));
export type Case = Decoded<typeof decodeCase>;

const inboxItem = object({
  id: str, kind: str, case_id: nullable(str), case_number: nullable(str), case_title: nullable(str), object: nullable(ref), received_at: instant,
  read_at: nullable(instant), read_by: nullable(str), sha256: nullable(str), notice_id: nullable(str), number: nullable(str), title: nullable(str),
  subject: object({ kind: str, id: str }),
});
export type InboxItem = Decoded<typeof inboxItem>;
export const decodeInboxItem = inboxItem;
export const decodeInbox = object({ items: arr(inboxItem), next: nullable(str), unread: num });

const contact = object({ kind: oneOf(CONTACT_KINDS), name: str, email: nullable(str), phone: nullable(str), language: oneOf(LANGUAGES) });
export type Contact = Decoded<typeof contact>;
export const decodeMonitoredObject = object({
  id: str, name: str, org: ref, criticality: nullable(oneOf(CRITICALITIES)), contour: nullable(oneOf(CONTOURS)), hosts: arr(str),
  contacts: arr(contact), active: bool, open_cases: num, last_event_at: nullable(instant),
});
export type MonitoredObject = Decoded<typeof decodeMonitoredObject>;
export const decodeObjects = page(decodeMonitoredObject);

const organisation = object({ id: str, name: str, kind: oneOf(ORGANISATION_KINDS), bin: nullable(str), email: nullable(str) });
export type Organisation = Decoded<typeof organisation>;
export const decodeOrganisations = page(organisation);

export const decodeUserRecord = object({
  id: str, login: str, name: str, role: oneOf(ROLES), org: nullable(ref), language: oneOf(LANGUAGES), email: nullable(str), active: bool,
  locked_until: nullable(instant), last_login_at: nullable(instant),
});
export type UserRecord = Decoded<typeof decodeUserRecord>;
export const decodeUsers = page(decodeUserRecord);

export const decodeRule = object({
  id: str, title: str, description: str, level: oneOf(RULE_LEVELS), status: oneOf(RULE_STATUSES), tags: arr(str), auto_notify: bool, findings: num,
});
export type Rule = Decoded<typeof decodeRule>;
export const decodeRules = page(decodeRule);

const auditEntry = object({
  id: str, at: instant, login: str, role: nullable(oneOf(ROLES)), address: str, action: str, target: str, detail: str, outcome: oneOf(OUTCOMES), hash: str,
});
export type AuditEntry = Decoded<typeof auditEntry>;
export const decodeAudit = object({
  items: arr(auditEntry), next: nullable(str), chain: object({ ok: bool, broken_at: nullable(str) }),
});

const enumValue = object({ value: str, label: text3, hint: nullable(text3) });
const formField = object({
  id: str, number: str, label: text3, type: oneOf(FORM_FIELD_TYPES), presence: oneOf(PRESENCES), enum: nullable(str),
});
export type FormField = Decoded<typeof formField>;
const formDef = object({ id: str, title: text3, fields: arr(formField) });
export type FormDef = Decoded<typeof formDef>;
export const decodeEdition = object({
  id: str, title: text3, in_force_from: nullable(str),
  obligations: arr(object({ id: str, paragraph: str, title: text3, who: text3, whom: text3, amount: num, unit: str })),
  enums: map(arr(enumValue)), forms: arr(formDef), terms: map(text3),
});
export type Edition = Decoded<typeof decodeEdition>;

export const decodeChange = object({ type: oneOf(CHANGES), id: str });
export type Change = Decoded<typeof decodeChange>;
export const decodeDropped = object({ count: num });
export const decodeCatalogue = map(str);
export const decodeNothing: Decoder<null> = () => null;
