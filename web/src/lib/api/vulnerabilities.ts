// Vulnerabilities: what surveys found and owners reported. Names are those of the JSON.
import type { FieldSpec, Values } from '../fields';
import { addressOf, get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeMap as map, decodeNullable as nullable, decodeNumber as num,
  decodeObject as object, decodeString as str, type Decoded,
} from './decode';
import { filled, record } from './requests';
import { clock, page, ref } from './types';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'unknown', 'info'] as const;
export const STATES = [
  'found_by_survey', 'found_by_owner', 'sent_to_owner', 'reported_to_sts', 'measures_reported', 'claimed_production_necessity', 'claimed_zero_day', 'claimed_false_positive',
  'claim_returned', 'claim_expired', 'under_control_survey', 'persisting', 'reappeared', 'fixed', 'closed',
] as const;
// i18n: ui.vulns.verdict.*
export const VERDICTS = ['fixed', 'not_fixed', 'new', 'reopened', 'not_covered', 'claimed'] as const;
// i18n: ui.vulns.action.*
export const ACTIONS = ['report', 'claim', 'withdraw_claim', 'return_claim', 'accept_false_positive', 'report_measures', 'ask', 'close', 'note'] as const;
// i18n: ui.vulns.field.*
export const FIELDS = [
  'all', 'category', 'vulnerability_and_state_description', 'measures_taken', 'required_changes', 'elimination_due_on', 'mitigation_measures', 'characteristic_or_state_description',
  'missing', 'reason', 'note', 'measures', 'eliminated', 'done_at', 'text', 'detected_at', 'contour', 'component_name', 'component_ip', 'component_hostname', 'component_other', 'port',
  'description', 'additional_info', 'cve', 'answer', 'on', 'comment',
] as const;
// i18n: ui.vulns.value.*
export const VALUES = [
  'production_necessity', 'zero_day', 'false_positive', 'vulnerability_and_state_description', 'measures_taken', 'required_changes', 'elimination_due_on', 'mitigation_measures',
  'characteristic_or_state_description', 'external', 'internal',
] as const;
// What an owner answers about one vulnerability. i18n: survey.answer.*
export const ANSWERS = ['fixed', 'until', 'claim', 'comment', 'nothing'] as const;
// i18n: ui.vulns.act.*
export const ACTS = ['found', 'reported', 'claim', 'return', 'withdraw', 'expire', 'accept', 'measures', 'close', 'consultation', 'note'] as const;
// i18n: ui.vulns.reason.*
export const REASONS = ['tool_absent', 'host_not_seen', 'port_not_seen', 'path_not_seen', 'check_not_run', 'checks_not_named', 'seen_outside', 'seen_other_name'] as const;
// i18n: ui.vulns.rule.*
export const RULES = ['merge', 'split', 'host', 'check'] as const;
// i18n: ui.vulns.ran.*
export const RAN = ['all', 'check', 'passed', 'seen'] as const;
// i18n: ui.vulns.list.*
export const LISTS = ['kev', 'epss'] as const;
// i18n: ui.vulns.list_state.*
export const LIST_STATES = ['waiting', 'counting', 'applied', 'replaced', 'refused'] as const;

const maybe = nullable;
const rowShape = {
  id: str, number: str, state: oneOf([...STATES, 'none'] as const), severity: oneOf(SEVERITIES), cvss: maybe(num), kev: bool, epss: maybe(num), cves: str, host: str, port: maybe(num), protocol: str,
  component: str, path: str, first_detected_at: maybe(instant), last_seen_at: maybe(instant), due_at: maybe(instant), overdue: bool, object: ref, org: ref, title: str, own: bool, open: bool,
};
const row = object(rowShape);
export type VulnRow = Decoded<typeof row>;
const cover = object({
  id: str, tool: str, check: maybe(str), host: str, ran: oneOf(RAN), port: num, port_to: num, protocol: str, path: str, reason: str, sha256: str, by: maybe(str), at: maybe(instant),
  result: maybe(str), file: maybe(str),
});
export type Cover = Decoded<typeof cover>;
const sighting = object({
  id: str, survey: ref, result: ref, tool: str, check: str, title: str, key: str, seen_at: maybe(instant), severity: oneOf(SEVERITIES), severity_text: str, cvss: maybe(num), cvss_vector: str,
  status: str, occurrences: num, host_name: str, version: str, fixed_version: str, cwe: str, evidence: str, check_id: str, key_id: str,
});
export type Sighting = Decoded<typeof sighting>;
const keyRule = object({ id: str, kind: oneOf(RULES), was: str, becomes: str, reason: str, at: instant, by: maybe(str), ended_at: maybe(instant), end_reason: str });
const action = object({ name: oneOf(ACTIONS), fields: arr(object({ name: oneOf(FIELDS), type: str, required: bool, enum: arr(oneOf(VALUES)) })) });
export type VulnAction = Decoded<typeof action>;
const one = object({
  ...rowShape, now: instant, key: str, live: bool, sent: bool, cvss_vector: str, contour: str, since: maybe(instant), merged_into: maybe(str), description: maybe(str), impact: maybe(str),
  solution: maybe(str), references: maybe(str), keys: arr(object({ id: str, text: str, weakness: str, host: str, same: bool, sightings: num })), rules: arr(keyRule),
  sightings: arr(sighting),
  surveys: arr(object({
    survey: str, number: str, mode: str, control: bool, begun_at: maybe(instant), completed_at: maybe(instant), sent_at: maybe(instant), measures_at: maybe(instant),
    verdict: maybe(oneOf(VERDICTS)), reason: maybe(str), seen: bool, proof: maybe(cover),
  })),
  acts: arr(object({
    id: str, kind: oneOf(ACTS), at: instant, recorded_at: instant, category: maybe(oneOf(VALUES)), until: maybe(instant), notice: maybe(str), request: maybe(str), by: maybe(str),
    survey: maybe(str), values: record,
  })),
  intel: arr(object({
    cve: str, kev: bool, kev_added_on: maybe(str), kev_due_on: maybe(str), ransomware: bool, epss: maybe(num), percentile: maybe(num), kev_version: maybe(str), kev_released: maybe(str),
    epss_version: maybe(str), epss_released: maybe(str),
  })),
  notices: arr(object({ id: str, number: str, title: str, made_at: instant, pdf_sha256: maybe(str) })), clocks: arr(clock), actions: arr(action),
});
export type Vuln = Decoded<typeof one>;
const comparison = object({
  now: instant, survey: ref, main: maybe(str), mode: str, control: bool, ready: bool, counts: map(num),
  items: arr(object({ vulnerability: row, verdict: oneOf(VERDICTS), reason: str, proof: maybe(cover), of_main: bool })), next: maybe(str),
});
export type Compared = Decoded<typeof comparison>['items'][number];
const rule = object({
  id: str, kind: oneOf(RULES), object: maybe(ref), was: str, becomes: str, reason: str, at: instant, by: maybe(str), ended_at: maybe(instant), ended_by: maybe(str), end_reason: str,
});
export type Rule = Decoded<typeof rule>;
const list = object({
  id: str, kind: oneOf(LISTS), version: str, released: str, name: str, sha256: str, entries: num, state: oneOf(LIST_STATES), error: str, at: instant, by: maybe(str),
});
export type IntelList = Decoded<typeof list>;
const outside = object({ host: str, name: str, findings: num, worst: oneOf(SEVERITIES), tools: str });
export type Outside = Decoded<typeof outside>;
const summary = object({ object_id: str, open: num, kev: num, overdue: num, severities: map(num), states: map(num) });
const made = object({ id: str });

export const vulnerabilities = (query: Query) => get('/vulnerabilities', object({ now: instant, items: arr(row), next: nullable(str) }), query);
export const vulnerabilityOf = (vulnId: string) => get(`/vulnerabilities/${id(vulnId)}`, one);
export const actOn = (vulnId: string, name: string, body: Values) => send('POST', `/vulnerabilities/${id(vulnId)}/actions/${id(name)}`, one, {}, filled(body));
export const addOwn = (body: Values) => send('POST', '/vulnerabilities', page(object({ id: str, number: str })), {}, body);
export const exportAddress = (query: Query) => addressOf('/vulnerabilities/export', query);
export const merge = (vulnId: string, body: Values) => send('POST', `/vulnerabilities/${id(vulnId)}/merge`, made, {}, body);
export const split = (vulnId: string, body: Values) => send('POST', `/vulnerabilities/${id(vulnId)}/split`, made, {}, body);
export const summaryOf = (objectId: string) => get(`/objects/${id(objectId)}/vulnerabilities`, summary);
export const comparisonOf = (surveyId: string, query: Query) => get(`/vulnerability-surveys/${id(surveyId)}/comparison`, comparison, query);
export const outsideOf = (surveyId: string) => get(`/vulnerability-surveys/${id(surveyId)}/outside`, page(outside));
export const takeIn = (surveyId: string, body: Values) => send('POST', `/vulnerability-surveys/${id(surveyId)}/outside`, nothing, {}, body);
export const coverageOf = (surveyId: string, query: Query) => get(`/vulnerability-surveys/${id(surveyId)}/coverage`, page(cover), query);
export const declareCoverage = (surveyId: string, body: Values) => send('POST', `/vulnerability-surveys/${id(surveyId)}/coverage`, made, {}, filled(body));
export const rules = (query: Query) =>
  get('/vulnerability-rules', object({ items: arr(rule), next: nullable(str), policy: arr(object({ check: str, weakness: str })) }), query);
export const addHostRule = (body: Values) => send('POST', '/vulnerability-rules/hosts', made, {}, body);
export const addCheckRule = (body: Values) => send('POST', '/vulnerability-rules/checks', made, {}, body);
export const endRule = (ruleId: string, body: Values) => send('POST', `/vulnerability-rules/${id(ruleId)}/end`, nothing, {}, body);
export const intelLists = () => get('/vulnerability-lists', page(list));
export const loadIntel = (kind: string, upload_id: string) => send('POST', '/vulnerability-lists', page(list), {}, { kind, upload_id });

function nothing(): null {
  return null;
}

/** A field of an act as a form draws it. */
export function fieldSpec(f: VulnAction['fields'][number]): FieldSpec {
  const common = { name: f.name, label: `ui.vulns.field.${f.name}`, required: f.required, wide: f.type === 'text' || f.type === 'enums' };
  const options = f.enum.map((v) => ({ value: v, label: `ui.vulns.value.${v}` }));
  if (f.type === 'enum') return { ...common, type: 'radio', options, wide: true };
  if (f.type === 'enums') return { ...common, type: 'set', options };
  if (f.type === 'bool') return { ...common, type: 'check' };
  if (f.type === 'date') return { ...common, type: 'date' };
  if (f.type === 'datetime') return { ...common, type: 'datetime' };
  return { ...common, type: 'text', max: 8000 };
}

/** What each category of Annex 6 must say: the form shows these fields alone and asks for all of them. */
const SAYS: Record<string, string[]> = {
  production_necessity: ['vulnerability_and_state_description', 'measures_taken', 'required_changes', 'elimination_due_on'],
  zero_day: ['vulnerability_and_state_description', 'mitigation_measures'],
  false_positive: ['characteristic_or_state_description'],
};
export function claimSpec(a: VulnAction): FieldSpec[] {
  return a.fields.map(fieldSpec).map((f) =>
    f.name === 'category' ? f : { ...f, required: true, when: (v: Values) => typeof v['category'] === 'string' && (SAYS[v['category']] ?? []).includes(f.name) });
}
