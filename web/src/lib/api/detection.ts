// Detection: rules as they run, one rule, indicators of compromise. Names are those of the JSON.
import { get, id, send, type Query } from './client';
import { decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeMap as map, decodeNullable as nullable, decodeNumber as num,
  decodeObject as object, decodeString as str, type Decoded, type Decoder } from './decode';
import { decodeEventFields, ref, RULE_LEVELS } from './types';

// i18n: ui.detection.flag.*
export const RULE_FLAGS = ['matched', 'never_fed', 'costly', 'filtered', 'own', 'dismissed'] as const;
export type RuleFlag = (typeof RULE_FLAGS)[number];
// i18n: ui.detection.sort.*
export const RULE_SORTS = ['trouble', 'title', 'level', 'matched', 'cost', 'last'] as const;
const ruleShape = {
  id: str, title: str, level: oneOf(RULE_LEVELS), status: str, author: str, tags: arr(str), file: str, line: num, origin: oneOf(['ours', 'own'] as const), correlation: bool,
  silent: bool, fed: bool, costly: bool, events: num, looked: num, matched: num, findings: num, cases: num, open: num, dismissed: num, confirmed: num, share: nullable(num),
  last_match_at: nullable(instant), filters: arr(str),
};
const rule = object(ruleShape);
export type DetectionRule = Decoded<typeof rule>;
// i18n: ui.detection.verdict.*
export const VERDICTS = ['broken', 'unsupported'] as const;
const refused = object({ file: str, line: num, column: num, id: str, verdict: oneOf(VERDICTS), reason: str });
export type RefusedRule = Decoded<typeof refused>;
// i18n: ui.detection.policy_wrong.*
export const POLICY_READERS = ['desk', 'detection'] as const;
const set = object({ policies_wrong: arr(object({ by: oneOf(POLICY_READERS), reason: str })), loaded: num, unsupported: num, broken: num, kept: num, compiled_bytes: num, events: num, refused: arr(refused), remarks: arr(object({ file: str, line: num, text: str })) });
const rules = object({ now: instant, at: nullable(instant), expected: bool, running: bool, set, total: num, counts: map(num), items: arr(rule), next: nullable(str) });
export type DetectionRules = Decoded<typeof rules>;
export const detectionRules = (query: Query) => get('/detection/rules', rules, query);
/** Rules by a part of their title, for a field that chooses one. */
export const findRule = async (q: string) =>
  (await detectionRules({ q, limit: '20', sort: 'title' })).items.map((r) => ({ value: r.id, label: { kk: r.title, ru: r.title, en: r.title }, hint: { kk: r.id, ru: r.id, en: r.id } }));
const whole = object({ ...ruleShape, text: nullable(str), auto_notify: nullable(bool) });
export type DetectionRuleWhole = Decoded<typeof whole>;
export const detectionRule = async (ruleId: string) => (await get('/detection/rule', object({ now: instant, at: nullable(instant), rule: whole }), { id: ruleId })).rule;

// i18n: ui.detection.indicator.*
export const INDICATOR_TYPES = ['ip', 'network', 'domain', 'url', 'hash', 'email', 'user_agent', 'file', 'other'] as const;
const indicator = object({
  type: oneOf(INDICATOR_TYPES), value: str, source: str, tlp: str, confidence: nullable(num), valid_from: nullable(instant), valid_until: nullable(instant), id: nullable(str),
  note: nullable(str), warning: nullable(str), over: bool,
});
export type Indicator = Decoded<typeof indicator>;
export const indicators = (query: Query) => get('/detection/indicators', object({ all: num, complete: bool, items: arr(indicator), next: nullable(str) }), query);
export const checkIndicator = (value: string) => get('/detection/indicators/check', object({ asked: str, type: nullable(oneOf(INDICATOR_TYPES)), items: arr(indicator) }), { value });
const source = object({ name: str, indicators: num, bytes: num, changed_at: nullable(instant), broken: bool });
export type IndicatorSource = Decoded<typeof source>;
export const indicatorSources = () => get('/detection/indicators/sources', object({ all: num, broken: bool, items: arr(source) }));
// i18n: ui.detection.skip.*
export const SKIPS = ['not_for_detection', 'revoked', 'type', 'value', 'pattern', 'private_or_wide'] as const;
const imported = object({ source: str, format: str, taken: num, skipped: arr(object({ reason: str, count: num, example: str })), own: num, all: num });
export type Imported = Decoded<typeof imported>;
export const importIndicators = (body: unknown) => send('POST', '/detection/indicators/imports', imported, {}, body);
const nothing = () => null;
export const removeIndicatorSource = (name: string) => send('DELETE', `/detection/indicators/sources/${id(name)}`, nothing);

// i18n: ui.detection.account.*
export const ACCOUNTS = ['host', 'user'] as const;
const account = object({
  kind: oneOf(ACCOUNTS), name: str, object: nullable(ref), score: num, over: bool, first_at: nullable(instant), last_at: nullable(instant), findings: num,
  rules: arr(object({ id: str, title: str, level: str, points: num, count: num, last_at: nullable(instant) })),
});
export type RiskAccount = Decoded<typeof account>;
const risk = object({ now: instant, at: nullable(instant), running: bool, half_life_s: num, threshold: object({ host: num, user: num }), total: num, items: arr(account), next: nullable(str) });
export type Risk = Decoded<typeof risk>;
export const risks = (query: Query) => get('/detection/risk', risk, query);

// i18n: ui.detection.exception_state.*
export const EXCEPTION_STATES = ['active', 'expired'] as const;
const exception = object({
  id: str, title: str, author: str, reason: str, expires_at: nullable(instant), state: oneOf(EXCEPTION_STATES), objects: arr(ref), everywhere: bool,
  rules: arr(object({ id: str, title: str })), file: str, removable: bool, text: nullable(str),
});
export type RuleException = Decoded<typeof exception>;
export const exceptions = (query: Query = {}) => get('/detection/exceptions', object({ now: instant, at: nullable(instant), items: arr(exception) }), query);
const preview = object({
  id: str, text: str, findings: num, hits: num, removed: num, removed_hits: num, unknown: num, since: nullable(instant), cases: num, confirmed: num, open: num,
  items: arr(object({ id: str, number: str, state: str, confirmed: bool })), may: bool,
  complete: bool, until: nullable(instant), wide: bool,
});
export type ExceptionPreview = Decoded<typeof preview>;
export const previewException = (body: unknown) => send('POST', '/detection/exceptions/preview', preview, {}, body);
export const createException = (body: unknown) => send('POST', '/detection/exceptions', object({ id: str, text: str }), {}, body);
export const removeException = (exceptionId: string) => send('DELETE', `/detection/exceptions/${id(exceptionId)}`, nothing);

const otherwise = <T>(inner: Decoder<T>, missing: T): Decoder<T> => (v, path) => (v === undefined || v === null ? missing : inner(v, path));
// i18n: ui.detection.comparison.*
export const COMPARISONS = ['is_there_and_not_null', 'equals', 'starts_with', 'ends_with', 'contains', 'is_like', 'is_the_number', 'matches', 'is_in_the_network', 'is_less_than', 'is_at_most',
  'is_more_than', 'is_at_least', 'is_absent_or_null', 'is_there', 'is_not_there', 'as_a_moment_has', 'equals_the_field', 'starts_with_the_field', 'ends_with_the_field',
  'contains_the_field', 'is_one_of'] as const;
// i18n: ui.detection.part.*
export const PART_KINDS = ['and', 'or', 'not', 'leaf'] as const;
const explained = object({
  depth: num, kind: oneOf(PART_KINDS), name: str, holds: bool, field: otherwise(str, ''), comparison: otherwise(str, ''), wanted: otherwise(arr(str), []), tests: otherwise(num, 0),
  cased: otherwise(bool, false), present: otherwise(bool, false), event_field: otherwise(str, ''), value: otherwise(str, ''), text: nullable(str), at: otherwise(num, 0),
  length: otherwise(num, 0), in_line: nullable(num),
});
export type ExplainedPart = Decoded<typeof explained>;
// i18n: ui.detection.because.*
export const BECAUSE = ['matches', 'logsource', 'condition', 'filtered', 'correlation', 'not_read', 'no_group'] as const;
const explanation = object({
  matches: bool, why: oneOf(BECAUSE), logsource: object({ applies: bool, wanted: map(str), event: map(str) }), condition: arr(explained),
  filters: arr(object({ id: str, title: str, counts: bool, holds: bool, parts: arr(explained) })), refs: arr(object({ id: str, title: str, holds: bool, missing: str })), stopped: bool,
});
export type Explanation = Decoded<typeof explanation>;
const answer = object({ events: arr(object({ event: decodeEventFields, explain: nullable(explanation) })), more: bool, matches: arr(object({ id: str, title: str, level: oneOf(RULE_LEVELS), silent: bool })) });
export type Explained = Decoded<typeof answer>;
/** Either a rule that runs or the text of one; without both, which rules match. */
export interface Which {
  rule: string | null;
  text: string | null;
}
export const explainRule = (which: Which, event: string) => send('POST', '/detection/explain', answer, {}, { ...which, event });
const would = object({
  id: str, title: str, level: oneOf(RULE_LEVELS), count: num, days: arr(object({ day: str, count: num })), objects: arr(object({ object: nullable(ref), count: num })), other_objects: num,
  samples: arr(object({ seq: str, time: nullable(instant), object: nullable(ref), line: str })),
});
const wouldHave = object({ from: instant, to: instant, complete: bool, events: num, all: num, items: arr(would) });
export type WouldHave = Decoded<typeof wouldHave>;
export const previewRule = (which: Which, days: number) => send('POST', '/detection/preview', wouldHave, {}, { ...which, days });
