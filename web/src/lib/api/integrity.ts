// Facts of hosts, their differences to before and to the passport, explanations and decisions. Names are those of the JSON.
import { addressOf, get, id, send, type Query } from './client';
import { decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded } from './decode';
import { page, ref } from './types';

// i18n: ui.facts.kind.* ui.facts.name.* ui.facts.value.* ui.facts.none.*
export const FACT_KINDS = ['packages', 'settings', 'files'] as const;
export type FactKind = (typeof FACT_KINDS)[number];
const STATE_KINDS = [...FACT_KINDS, 'time'] as const;
// i18n: ui.facts.clock.*
export const CLOCK_STATES = ['synchronised', 'unsynchronised', 'unreadable'] as const;
// i18n: ui.integrity.state.*
export const INTEGRITY_STATES = ['open', 'denied', 'explained', 'questioned', 'accepted', 'recorded', 'withdrawn'] as const;
// i18n: ui.integrity.against.*
export const AGAINST = ['before', 'passport'] as const;
// i18n: ui.integrity.explanation.*
export const EXPLANATIONS = ['planned', 'not_ours'] as const;
export type Explanation = (typeof EXPLANATIONS)[number];
// i18n: ui.integrity.decide_means.*
export const INTEGRITY_DECISIONS = ['accept', 'question'] as const;
export type IntegrityDecision = (typeof INTEGRITY_DECISIONS)[number];
// i18n: ui.facts.verdict.*
export const VERDICTS = ['match', 'differs', 'missing', 'not_watched', 'not_comparable'] as const;
// i18n: ui.facts.setting.*
export const SETTING_VERDICTS = ['expected', 'otherwise', 'told', 'unknown'] as const;

const state = object({ kind: oneOf(STATE_KINDS), items: num, unreadable: num, over: num, received_at: nullable(instant), stale: bool, silent: bool });
const host = object({
  host: str, object: nullable(ref), first_seen_at: nullable(instant), last_seen_at: nullable(instant), refused: num, refused_text: nullable(str), states: arr(state),
  clock: nullable(object({ state: oneOf(CLOCK_STATES), offset_ms: nullable(num), error_ms: nullable(num), since_at: nullable(instant) })),
});
export type FactHost = Decoded<typeof host>;
const counts = object({ passport_version: nullable(num), at: nullable(instant), match: num, differs: num, missing: num, not_watched: num, not_comparable: num, extra: num });
const time = object({ hosts: num, synchronised: num, unsynchronised: num, unreadable: num, silent: num, none: num, since_at: nullable(instant) });
const facts = object({ now: instant, object: ref, hosts: arr(host), checksums: nullable(counts), time, waiting: num });
export type Facts = Decoded<typeof facts>;
const value = object({ text: str, state: nullable(str), file: nullable(str), size_bytes: nullable(num), mode: nullable(str), modified_at: nullable(instant) });
export type FactValue = Decoded<typeof value>;
const fact = object({
  key: str, value, since_at: nullable(instant), title: nullable(str), expected: nullable(str), severity: nullable(str), absent: nullable(str), verdict: nullable(str),
});
export type Fact = Decoded<typeof fact>;
const checksum = object({ file: str, host: nullable(str), path: str, verdict: oneOf(VERDICTS), expected: str, found: nullable(str), since_at: nullable(instant) });
export type Checksum = Decoded<typeof checksum>;
const explanation = object({ kind: oneOf(EXPLANATIONS), reason: nullable(str), document: nullable(object({ sha256: str, name: str })), at: nullable(instant), by: nullable(ref) });
const change = object({
  id: str, object: ref, host: nullable(str), kind: oneOf(FACT_KINDS), key: str, against: oneOf(AGAINST), what: oneOf(['appeared', 'changed', 'missing'] as const),
  before: nullable(value), after: nullable(value), state: oneOf(INTEGRITY_STATES), found_at: nullable(instant), last_at: nullable(instant), count: num,
  explanation: nullable(explanation), decided_at: nullable(instant), decided_by: nullable(ref), note: nullable(str), passport_version: nullable(num),
  case_due_at: nullable(instant), case: nullable(object({ id: str, number: str })),
});
export type IntegrityChange = Decoded<typeof change>;
const decided = object({ decided: num });

export const factHosts = (query: Query) => get('/integrity/hosts', object({ now: instant, unknown: arr(host), items: arr(host), next: nullable(str) }), query);
export const integrityChanges = (query: Query) => get('/integrity/changes', page(change), query);
export const explainIntegrity = (ids: string[], kind: Explanation, reason: string, upload_id: string | null) =>
  send('POST', '/integrity/explanations', decided, {}, { ids, kind, reason, upload_id });
export const decideIntegrity = (ids: string[], decision: IntegrityDecision, note: string) =>
  send('POST', '/integrity/decisions', decided, {}, { ids, decision, note: note || null });
export const explanationAddress = (changeId: string) => addressOf(`/integrity/changes/${id(changeId)}/document`);
export const factsOf = (objectId: string) => get(`/objects/${id(objectId)}/facts`, facts);
export const factItems = (objectId: string, kind: FactKind, query: Query) =>
  get(`/objects/${id(objectId)}/facts/${id(kind)}`, object({ host: nullable(str), received_at: nullable(instant), items: arr(fact), next: nullable(str) }), query);
export const factsFileAddress = (objectId: string, hostName: string) => addressOf(`/objects/${id(objectId)}/facts-file`, { host: hostName });
export const checksums = (objectId: string, query: Query) => get(`/objects/${id(objectId)}/checksums`, page(checksum), query);

// i18n: ui.surveys.facts_outcome.*
export const FACTS_OUTCOMES = ['taken', 'same', 'removed', 'incomplete', 'silent', 'none'] as const;
const taken = object({ host: str, outcome: oneOf(FACTS_OUTCOMES), result: nullable(str), sha256: nullable(str) });
export type FactsTaken = Decoded<typeof taken>;
/** What is known of hosts now becomes results of a survey; null: all hosts of its object. */
export const takeFacts = async (surveyId: string, hosts: string[] | null) => (await send('POST', `/surveys/${id(surveyId)}/facts`, page(taken), {}, { hosts })).items;
