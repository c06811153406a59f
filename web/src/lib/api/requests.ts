// Requests and small duties between the centre and owners; onboarding of objects. Names are those of the JSON.
import type { FieldSpec, Values } from '../fields';
import { addressOf, api, get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded, type Decoder,
} from './decode';
import { clock, page, ref, ROLES } from './types';

// i18n: ui.requests.kind.* ui.requests.kind_hint.*
export const KINDS = [
  'commissioning', 'termination', 'information', 'contact_change', 'contact_check', 'logging_change', 'access', 'collector_access', 'exclusion', 'cii_connection',
  'vulnerability_notice', 'document_survey', 'testing_data', 'consultation',
] as const;
// i18n: ui.requests.state.*
export const STATES = [
  'awaited', 'complete', 'archived', 'sent', 'received', 'answered', 'registered', 'withdrawn', 'changed', 'suspected', 'recorded', 'unchanged', 'due', 'ok', 'failed', 'planned',
  'notified', 'made', 'non_conforming', 'verified', 'open', 'settled', 'requested', 'granted', 'tested', 'refused', 'revoked', 'proposed', 'excluded', 'declined', 'ended', 'listed',
  'declared', 'connected', 'disconnected', 'no_ocib_provider', 'delisted', 'corrected', 'closed', 'notice_sent', 'notice_received', 'td_received', 'handed_over', 'given',
] as const;
// i18n: ui.requests.action.*
export const ACTIONS = [
  'record_paper', 'send_information', 'archive', 'receive', 'record_receipt', 'return', 'register', 'withdraw', 'declare', 'say_unchanged', 'send_contacts', 'record', 'record_ok',
  'record_failed', 'notify', 'move', 'made', 'compare', 'compare_source', 'set_item', 'add_item', 'record_test', 'record_visit', 'settle', 'grant', 'refuse', 'record_use', 'revoke', 'approve', 'decline',
  'end', 'choose_mode', 'designate', 'declare_connection', 'confirm_connection', 'decline_connection', 'say_no_provider', 'disconnect', 'delist', 'correct', 'confirm', 'dispute',
  'send_notice', 'record_copy', 'send_copies', 'hand_over', 'give',
] as const;
// i18n: ui.requests.step.*
export const STEPS = ['opened', 'file', 'late_notice', 'clock_started', 'clock_fulfilled', 'clock_cancelled', 'clock_overdue', 'notice_sent', 'reminder'] as const;
// i18n: ui.requests.field.*
export const FIELDS = [
  'accompanied_by', 'actions', 'address', 'after', 'agent', 'agreed_on', 'answer', 'approved', 'approved_at', 'approved_by', 'basis', 'basis_date', 'before', 'change_at', 'changed_at', 'check', 'cii_monitoring_system', 'class', 'commissioned_on', 'component', 'complete',
  'configured_in', 'confirmed', 'connected_at', 'contact_id', 'contacts_sent_at', 'contour', 'contract_date', 'contract_number', 'contractor', 'copies_sent_at', 'corrected_at', 'count', 'credentials_reference', 'delisted_on',
  'delisting_basis', 'designated_on', 'disconnected_at', 'ended_on', 'granted_on', 'ground', 'host', 'included_on', 'information_sent_at', 'information_sha256', 'item', 'kept_days', 'laboratory',
  'letter_date', 'letter_number', 'letter_received_on', 'log', 'log_class', 'made_at', 'missing', 'mode', 'month', 'name', 'note', 'notice_late', 'notice_sent_at', 'notified_at', 'number', 'ocib_technical_means', 'operation',
  'operations', 'paper_number', 'paper_reason', 'paper_received_at', 'paper_received_by', 'paper_recorded_by', 'passport_version', 'path', 'person_email', 'person_language', 'person_name', 'person_phone', 'person_position', 'place', 'planned', 'port', 'proof', 'protection', 'protocol',
  'protocol_date', 'protocol_number', 'raised', 'reached_by', 'reason', 'received_at', 'received_by', 'refused', 'result', 'revoked_on', 'role_name', 'same_network', 'schedule', 'sealed', 'sender', 'signatory', 'signed',
  'since_at', 'source', 'source_id', 'state', 'survey_from', 'terminated_on', 'tested_at', 'tested_kind', 'text', 'title', 'used_at', 'version', 'visited_at', 'visitors', 'workplace',
] as const;
// i18n: ui.requests.value.*
export const VALUES = [
  'required', 'provided', 'refused', 'awaited', 'missing', 'ok', 'failed', 'state_secret_resource', 'state_secret_protected_system', 'national_bank_not_integrated', 'own_unit', 'third_party',
  'ocib', 'sts', 'service_software_product', 'ict_platform', 'internet_resource', 'information_system', 'kk', 'ru', 'en', 'lcs', 'server', 'internal', 'external', 'otlp_https', 'syslog_tls',
  'syslog_tcp', 'syslog_udp', 'file', 'other', 'conforming', 'non_conforming', 'os-unix', 'os-windows', 'db', 'net', 'fw', 'app', 'sec',
] as const;
// i18n: ui.requests.side.*
export const SIDES = ['mine', 'other', 'ended', 'all'] as const;
// i18n: ui.requests.waits.*
export const WAITS = ['nobody', 'owner', 'centre', 'ocib'] as const;
// i18n: ui.requests.file_role.*
export const FILE_ROLES = ['letter', 'information', 'formats', 'format_description', 'photo', 'video', 'document', 'protocol', 'contract'] as const;
// i18n: ui.requests.list.*
export const LISTS = ['tests', 'visits', 'uses'] as const;
// i18n: ui.requests.way_action.*
export const WAY_ACTIONS = [
  'propose', 'add', 'edit', 'approve', 'logging_organised', 'to_lcs', 'agent_installed', 'link', 'retire', 'collector', 'sending', 'agree',
] as const;
// i18n: ui.requests.way_state.*
export const WAY_STATES = ['proposed', 'identified', 'logging_organised', 'to_lcs', 'agent_installed', 'to_siem', 'silent', 'non_conforming', 'retired'] as const;
// i18n: ui.requests.way_row.*
export const WAY_ROWS = ['R-10.1-01', 'R-12-02', 'R-12-03', 'R-12-04', 'R-12-05', 'R-12-06', 'R-12-09', 'R-10.1-02', 'R-10.1-04', 'R-10.1-05'] as const;
// i18n: ui.requests.warning.*
export const WARNINGS = ['other_contour', 'other_network'] as const;

export const FIELD_TYPES = ['string', 'text', 'date', 'datetime', 'enum', 'bool', 'count', 'email'] as const;
const field = object({ name: oneOf(FIELDS), type: oneOf(FIELD_TYPES), required: bool, enum: arr(oneOf(VALUES)) });
export type Field = Decoded<typeof field>;

/** Values of any shape that JSON has; what is shown of them is looked at where it is shown. */
const json: Decoder<unknown> = (v) => v;
const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
export const record: Decoder<Record<string, unknown>> = (v) => (isRecord(v) ? v : {});
export const entries = (v: unknown): Record<string, unknown>[] => (Array.isArray(v) ? v.map((x: unknown) => record(x)) : []);

const kind = object({ name: oneOf(KINDS), paragraph: str, rows: arr(str), opens: bool, states: arr(oneOf(STATES)), fields: arr(field) });
export type Kind = Decoded<typeof kind>;
const target = object({ id: str, name: str, org: ref });
export type Target = Decoded<typeof target>;

const summary = object({
  id: str, number: str, kind: oneOf(KINDS), paragraph: str, state: oneOf(STATES), waits: oneOf(WAITS), ended: bool, object: ref, org: ref, title: nullable(str), opened_at: instant,
  updated_at: instant, next_due: nullable(object({ obligation: str, due: instant, remaining_s: num })), overdue: bool,
});
export type RequestSummary = Decoded<typeof summary>;
const author = object({ id: str, name: str, role: oneOf(ROLES) });
const item = object({ code: str, row: nullable(str), title: str, state: oneOf(VALUES), note: nullable(str), values: record, updated_at: nullable(instant), updated_by: nullable(str) });
export type Item = Decoded<typeof item>;
const file = object({
  id: str, role: oneOf(FILE_ROLES), item: nullable(str), name: str, type: str, size_bytes: num, sha256: str, captured_at: nullable(instant), place: nullable(str), note: nullable(str),
  added_at: instant, added_by: nullable(str),
});
export type RequestFile = Decoded<typeof file>;
const stepShape = object({
  id: str, kind: str, happened_at: instant, recorded_at: instant, due_at: nullable(instant), author: nullable(author), obligation: nullable(str), addressee: nullable(str),
  text: nullable(str), values: json,
});
export type Step = Decoded<typeof stepShape>;
const action = object({ name: oneOf(ACTIONS), fields: arr(field), files: arr(oneOf(FILE_ROLES)) });
export type Action = Decoded<typeof action>;
const request = object({
  now: instant, id: str, number: str, kind: oneOf(KINDS), paragraph: str, batch: nullable(str), state: oneOf(STATES), waits: oneOf(WAITS), ended: bool, object: ref, org: ref,
  opened_at: instant, opened_by: nullable(author), item_fields: arr(field), values: record, items: arr(item), files: arr(file), clocks: arr(clock), timeline: arr(stepShape),
  actions: arr(action), notices: arr(object({ id: str, number: str, title: str, made_at: instant, pdf_sha256: nullable(str) })),
});
export type Request = Decoded<typeof request>;

export const arriving = object({ id: str, host: str, class: str, last_seen: nullable(instant), events: num, unparsed: num });
const logSource = object({
  id: str, component: str, host: nullable(str), class: oneOf(VALUES), log: str, path: nullable(str), agent: oneOf(VALUES), protection: bool, rule: nullable(str), reason: nullable(str),
  stored: oneOf(WAY_STATES), state: oneOf(WAY_STATES), approved_at: nullable(instant), approved_by: nullable(str), source_id: nullable(str), note: nullable(str),
  arriving: nullable(arriving),
});
export type LogSource = Decoded<typeof logSource>;
const onboardingShape = object({
  now: instant, object: ref, org: ref, warnings: arr(oneOf(WARNINGS)), collector: nullable(object({ version: num, values: record, at: instant, by: nullable(str) })),
  sending: nullable(object({ version: num, values: record, at: instant, by: nullable(str), agreed_on: nullable(str), agreed_by: nullable(str) })),
  sources: arr(logSource), unlisted: arr(arriving), steps: arr(object({ row: oneOf(WAY_ROWS), done: num, of: num })),
  actions: arr(object({ name: oneOf(WAY_ACTIONS), fields: arr(object({ name: str, type: oneOf(FIELD_TYPES), required: bool, enum: arr(oneOf(VALUES)) })) })),
});
export type Onboarding = Decoded<typeof onboardingShape>;

export const kinds = async () => (await get('/request-kinds', page(kind))).items;
export const targets = async (kindName: string, q: string) => (await get(`/request-kinds/${id(kindName)}/objects`, page(target), { q })).items;
export const requests = (query: Query) => get('/requests', object({ now: instant, items: arr(summary), next: nullable(str) }), query);
export const requestOf = (requestId: string) => get(`/requests/${id(requestId)}`, request);
const opened = page(object({ id: str, number: str, object: ref }));
export const open = (kindName: string, object_ids: string[], values: Values) => send('POST', '/requests', opened, {}, { kind: kindName, object_ids, values: filled(values) });
export const act = (requestId: string, name: string, body: Values) => send('POST', `/requests/${id(requestId)}/actions/${id(name)}`, request, {}, filled(body));
export const attach = (requestId: string, body: Values) => send('POST', `/requests/${id(requestId)}/files`, request, {}, filled(body));
export const noticePdf = (noticeId: string) => addressOf(`/notices/${id(noticeId)}/pdf`);
export const fileAddress = (requestId: string, fileId: string) => addressOf(`/requests/${id(requestId)}/files/${id(fileId)}`);
export const onboarding = (objectId: string) => get(`/objects/${id(objectId)}/onboarding`, onboardingShape);
export const takeStep = (objectId: string, name: string, body: Values) => send('POST', `/objects/${id(objectId)}/onboarding/actions/${id(name)}`, onboardingShape, {}, filled(body));

/** What was left empty is not sent. */
export function filled(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== null && v !== ''));
}

/** A field of the server's table as a field of a form. */
export function fieldSpec(f: Field): FieldSpec {
  const common = { name: f.name, label: `ui.requests.field.${f.name}`, required: f.required };
  if (f.type === 'enum') {
    const options = f.enum.map((value) => ({ value, label: `ui.requests.value.${value}` }));
    return { ...common, type: f.enum.length <= 4 ? 'radio' : 'select', options };
  }
  if (f.type === 'bool') return { ...common, type: f.name === 'confirmed' ? 'check' : 'yesno', wide: f.name === 'confirmed' };
  if (f.type === 'count') return { ...common, type: 'integer', min: 0 };
  if (f.type === 'date' || f.type === 'datetime') return { ...common, type: f.type, now: f.type === 'datetime' };
  if (f.type === 'text') return { ...common, type: 'text', rows: f.name === 'before' || f.name === 'after' ? 8 : 4, mono: f.name === 'before' || f.name === 'after' };
  return { ...common, type: f.type };
}

const LINES = 50;
/** Lines as they arrived from an object's logs of a class, the last ones before or the first ones of what came after a moment; oldest first. */
async function arrived(objectId: string, logClass: string, range: Query): Promise<string> {
  const answer = await api.events({ q: `saqshy.object:"${objectId}" saqshy.class:"${logClass}"`, limit: String(LINES), ...range });
  return answer.items.map((e) => e['event.original']).filter((x) => typeof x === 'string').reverse().join('\n');
}
/** What the comparison of a logging change begins with, where the events of the object arrive here. */
export async function samples(r: Request): Promise<Values> {
  const at = r.values['made_at'];
  const logClass = r.values['log_class'];
  if (typeof at !== 'string' || typeof logClass !== 'string') return {};
  const [before, after] = await Promise.all([arrived(r.object.id, logClass, { to: at }), arrived(r.object.id, logClass, { from: at })]);
  return { before, after };
}
