// Collection: listeners, sources, parsers, what nobody understood, conformance with Annex 4, upstreams, storage; profiles and tokens. Names are those of the JSON.
import { addressOf, get, id, send, type Query } from './client';
import { decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeMap as map, decodeNullable as nullable, decodeNumber as num,
  decodeObject as object, decodeString as str, type Decoded } from './decode';
import { page, ref } from './types';

// i18n: ui.collection.alarm.*
export const ALARMS = ['collector_down', 'config_refused', 'listener_refuses', 'listener_loses', 'listener_paused', 'parser_refused', 'upstream_dead', 'upstream_slow', 'upstream_gave_up',
  'source_silent', 'disk_reserve', 'disk_low', 'disk_soon', 'archive_missing'] as const;
const alarm = object({ kind: oneOf(ALARMS), subject: nullable(str), count: nullable(num), since_at: nullable(instant), text: nullable(str), names: arr(str) });
export type CollectionAlarm = Decoded<typeof alarm>;
export const collectionAlarms = async () => (await get('/collection/alarms', object({ now: instant, items: arr(alarm) }))).items;

// i18n: ui.collection.listener_state.*
export const LISTENER_STATES = ['listening', 'paused', 'refuses', 'loses'] as const;
// i18n: ui.collection.reason.*
export const REFUSED_REASONS = ['empty', 'repeated', 'too_large', 'no_space', 'stopped', 'unsupported'] as const;
// i18n: ui.collection.away.*
export const AWAY_REASONS = ['peer_limit', 'handshake', 'certificate', 'idle', 'protocol'] as const;
const listener = object({
  id: str, kind: str, address: str, port: num, tls: bool, client: str, state: oneOf(LISTENER_STATES), last_event_at: nullable(instant), rate_s: num, connections: num,
  accepted: num, slowed: num, read: num, events: num, bytes: num, unparsed: num, truncated: num, kernel_drops: num, rate_min: num, refused: map(num), turned_away: map(num),
  lately: object({ refused: num, turned_away: num, kernel_drops: num }), details: arr(object({ name: str, value: str })),
});
export type CollectionListener = Decoded<typeof listener>;
const listeners = object({ now: instant, at: nullable(instant), expected: bool, running: bool, reloads: num, config_error: nullable(str), items: arr(listener) });
export const collectionListeners = () => get('/collection/listeners', listeners);

// i18n: ui.collection.flag.*
export const SOURCE_FLAGS = ['silent', 'skewed', 'late', 'unparsed', 'low_score', 'unassigned', 'encoding', 'gaps'] as const;
export type SourceFlag = (typeof SOURCE_FLAGS)[number];
// i18n: ui.collection.sort.*
export const SOURCE_SORTS = ['trouble', 'name', 'rate', 'events', 'unparsed', 'last', 'score', 'skew'] as const;
// i18n: ui.collection.skew.* ui.collection.skew_means.*
export const SKEW_KINDS = ['ok', 'zone', 'old_zone', 'off', 'late'] as const;
const skew = object({ kind: oneOf(SKEW_KINDS), median_s: num, spread_s: num, samples: num, zone_min: nullable(num) });
export type Skew = Decoded<typeof skew>;
const source = object({
  id: str, host: str, object: nullable(ref), org: nullable(ref), class: str, listener: str, address: nullable(str), profile: nullable(str), flags: arr(oneOf(SOURCE_FLAGS)),
  first_seen_at: nullable(instant), last_seen_at: nullable(instant), parsers: arr(object({ name: str, count: num })), silent_after_s: num, rate_min: num, events: num,
  unparsed: num, bytes: num, truncated: num, not_utf8: num, encoding: nullable(str), gaps: nullable(num), skew: nullable(skew), score: nullable(num),
});
export type CollectionSource = Decoded<typeof source>;
const sources = object({ now: instant, total: num, counts: map(num), items: arr(source), next: nullable(str) });
export const collectionSources = (query: Query) => get('/collection/sources', sources, query);
export const collectionSource = async (sourceId: string) => (await get('/collection/source', object({ now: instant, source }), { id: sourceId })).source;

// i18n: ui.collection.parser_state.*
export const PARSER_STATES = ['loaded', 'old', 'refused'] as const;
// i18n: ui.collection.parser_origin.*
export const PARSER_ORIGINS = ['own', 'ours', 'built_in'] as const;
const parser = object({ id: str, title: str, class: str, origin: oneOf(PARSER_ORIGINS), state: oneOf(PARSER_STATES), patterns: num, samples: num, lines: num, file: str, reason: nullable(str), version: nullable(str) });
export type CollectionParser = Decoded<typeof parser>;
export const collectionParsers = async () => (await get('/collection/parsers', object({ limits: num, items: arr(parser) }))).items;

// i18n: ui.collection.origin.*
export const PROFILE_ORIGINS = ['desk', 'file'] as const;
const profile = object({
  id: str, origin: oneOf(PROFILE_ORIGINS), name: str, address: nullable(str), host: nullable(str), listener: nullable(str), zone: nullable(str), encoding: nullable(str),
  class: nullable(str), parser: nullable(str), object: nullable(ref), note: nullable(str), version: num, changed_at: nullable(instant), changed_by: nullable(ref),
});
export type SourceProfile = Decoded<typeof profile>;
export const sourceProfiles = async () => (await get('/collection/profiles', object({ items: arr(profile) }))).items;
export const createProfile = (body: unknown) => send('POST', '/collection/profiles', profile, {}, body);
export const updateProfile = (profileId: string, body: unknown) => send('PUT', `/collection/profiles/${id(profileId)}`, profile, {}, body);
const nothing = () => null;
export const removeProfile = (profileId: string) => send('DELETE', `/collection/profiles/${id(profileId)}`, nothing);

const token = object({ name: str, object: nullable(ref), last_event_at: nullable(instant), events: num });
export type SenderToken = Decoded<typeof token>;
export const senderTokens = async () => (await get('/collection/tokens', object({ items: arr(token) }))).items;
export const createToken = (name: string, object_id: string | null) => send('POST', '/collection/tokens', object({ name: str, token: str }), {}, { name, object_id });
export const removeToken = (name: string) => send('DELETE', `/collection/tokens/${id(name)}`, nothing);

const upstream = object({
  name: str, kind: str, address: str, state: str, seq: num, behind_events: num, behind_s: num, sent: num, bytes: num, rate_s: nullable(num), last_error: nullable(str),
  last_sent_at: nullable(instant), held_bytes: num, refused: num, given_up: num, damaged: num, failures: num, filter: str, tls: bool, last_error_at: nullable(instant), alarm: bool,
});
export type Upstream = Decoded<typeof upstream>;
// i18n: ui.collection.upstream_state.*
export const UPSTREAM_STATES = ['connected', 'connecting', 'waiting', 'off'] as const;
export const collectionUpstreams = () => get('/collection/upstreams', object({ now: instant, expected: bool, running: bool, config_error: nullable(str), items: arr(upstream) }));

const place = object({ name: str, path: str, total: num, free: num, reserve: num, state: oneOf(['ok', 'low', 'touched'] as const), since: nullable(instant) });
export type Place = Decoded<typeof place>;
// i18n: ui.collection.space.*
export const SPACE_STATES = ['ok', 'low', 'touched'] as const;
const retention = object({
  at: nullable(instant), fresh: bool,
  terms: object({
    days: num, fast_days: num, least_days: num, least_fast_days: num, basis: str, longer: arr(object({ name: str, filter: str, days: num })), shorter: bool, reason: str,
    decided_by: str, decided_on: str,
  }),
  store: object({
    events: num, bytes: num, parts: num, oldest_day: nullable(str), newest_day: nullable(str), fast_oldest_day: nullable(str), fast_bytes: num,
    archive: nullable(object({ folder: str, there: bool, parts: num, bytes: num, newest_day: nullable(str), error: str, moved_parts: num, moved_at: nullable(instant) })),
    removed: object({ days: num, events: num, bytes: num, at: nullable(instant), error: str }),
  }),
  growth: arr(object({ day: nullable(str), bytes: num, events: num })),
  outlook: object({
    bytes_day: num, events_day: num, other_day: num, measured_days: num, full_in_days: nullable(num), full_on: nullable(str), full_where: str, need_bytes: num, have_bytes: num, enough: bool,
  }),
  space: object({ state: oneOf(SPACE_STATES), since: nullable(instant), places: arr(place) }),
  holds: object({ active: num, all: num, unreadable: num, error: str }),
});
export type Retention = Decoded<typeof retention>;
// i18n: ui.holds.state.*
export const HOLD_STATES = ['active', 'released', 'over'] as const;
const hold = object({
  id: str, kind: oneOf(['object', 'case', 'query'] as const), subject: str, filter: str, from: nullable(instant), to: nullable(instant), reason: str, set_by: str, set_at: nullable(instant),
  until: nullable(instant), released: nullable(object({ at: instant, by: str, reason: str })), state: oneOf(HOLD_STATES), waiting: arr(object({ id: str })),
});
export type Hold = Decoded<typeof hold>;
const allHolds = object({ items: arr(hold), unreadable: num, error: str });
export const holds = () => get('/collection/holds', allHolds);
export const setHold = (body: unknown) => send('POST', '/collection/holds', hold, {}, body);
export const releaseHold = (holdId: string, reason: string) => send('POST', `/collection/holds/${id(holdId)}/release`, allHolds, {}, { reason });
// i18n: ui.holds.rule.*
export const DROP_RULES = ['term', 'thinned', 'folded'] as const;
const drop = object({
  at: instant, rule: oneOf(DROP_RULES), first_day: str, last_day: str, term_days: num, parts: num, events: num, bytes: num, kept: num, held: num, holds: num, first_link: num, last_link: num,
});
export type Dropped = Decoded<typeof drop>;
export const dropped = async () => (await get('/collection/dropped', object({ items: arr(drop) }))).items;

export const collectionStorage = async () => (await get('/collection/storage', object({ now: instant, retention: nullable(retention) }))).retention;

// i18n: ui.collection.format.*
export const LINE_FORMATS = ['annex4', 'keyvalue', 'audit', 'other'] as const;
const conformanceFinding = object({ row: str, code: str, field: nullable(str), message: str, checked: num, failed: num, line: num, column: num, sample: nullable(str), last: instant });
const conformance = object({
  source: str, host: str, object: nullable(ref), class: str, chapter: nullable(num), listener: str, score: nullable(num), form_score: nullable(num), field_score: nullable(num),
  seen: num, judged: num, format: str, formats: map(num), since: nullable(instant), last: nullable(instant),
  change: nullable(object({ at: nullable(instant), before: str, after: str, score_before: num, score_after: num, announced: nullable(ref) })),
  findings: arr(conformanceFinding), sample: nullable(str),
});
export type Conformance = Decoded<typeof conformance>;
export const conformances = (query: Query) => get('/collection/conformance', page(conformance), query);

// i18n: ui.collection.shape.* ui.collection.shape_means.*
export const SHAPE_KINDS = ['failed', 'header', 'partial'] as const;
const shape = object({
  shape: str, kind: oneOf(SHAPE_KINDS), program: nullable(str), count: num, over: num, first: instant, last: instant, sources: arr(object({ id: str, count: num })),
  more_sources: bool, examples: arr(str),
});
export type Shape = Decoded<typeof shape>;
const unparsedAnswer = object({ lines: num, shapes: num, complete: bool, items: arr(shape) });
export const unparsedShapes = (query: Query) => get('/collection/unparsed', unparsedAnswer, query);
export const draftParser = (parserId: string, lines: readonly string[]) =>
  send('POST', '/collection/parsers/draft', object({ id: str, file: str, lines: num, reads: num }), {}, { id: parserId, lines });

// i18n: ui.collection.coverage_state.*
export const COVERAGE_STATES = ['arriving', 'late', 'never'] as const;
// i18n: ui.collection.coverage_log.*
export const COVERAGE_LOGS = ['windows.process_creation', 'windows.registry_set', 'windows.registry_event', 'windows.file_event', 'windows.image_load', 'windows.network_connection',
  'windows.dns_query', 'windows.pipe_created', 'windows.process_access', 'windows.driver_load', 'windows.ps_script', 'windows.ps_module', 'windows.security', 'windows.system',
  'windows.windefend', 'linux.process_creation', 'linux.auditd', 'macos.process_creation', 'webserver', 'proxy', 'firewall', 'dns', 'antivirus', 'cloud'] as const;
const coverageType = object({
  type: str, row: str, title: str, wanted: bool, state: oneOf(COVERAGE_STATES), events: num, first_at: nullable(instant), last_at: nullable(instant), rate_h: num, silence_s: num,
  late_after_s: num, sources: num, late: num, last_source: nullable(str), last_seq: num, seen: arr(str), lacks: arr(str),
});
export type CoverageType = Decoded<typeof coverageType>;
const coveragePart = object({
  object: nullable(ref), class: str, sources: num, silent: num, events: num, first_at: nullable(instant), last_at: nullable(instant), arriving: num, late: num, never: num,
  types: arr(coverageType),
});
export type CoveragePart = Decoded<typeof coveragePart>;
const coverageSource = object({
  source: str, object: nullable(ref), class: str, state: oneOf(COVERAGE_STATES), events: num, first_at: nullable(instant), last_at: nullable(instant), rate_h: num, late_after_s: num,
  lacks: arr(str), types: arr(object({ type: str, state: oneOf(COVERAGE_STATES), events: num, last_at: nullable(instant), rate_h: num, late_after_s: num, lacks: arr(str) })),
});
export type CoverageSource = Decoded<typeof coverageSource>;
const coverageWaiting = object({ product: str, category: str, service: str, count: num, rules: arr(object({ id: str, title: str, level: str })) });
export type CoverageWaiting = Decoded<typeof coverageWaiting>;
const coverageAnswer = object({
  now: instant, at: nullable(instant), running: bool, since: nullable(instant), counts: object({ arriving: num, late: num, never: num }), waiting: arr(coverageWaiting),
  sources: arr(coverageSource), items: arr(coveragePart), next: nullable(str),
});
export type Coverage = Decoded<typeof coverageAnswer>;
/** All pages of what was asked for, up to so many parts. */
export async function coverage(query: Query): Promise<Coverage> {
  let answer = await get('/collection/coverage', coverageAnswer, { ...query, limit: '500' });
  const items = [...answer.items];
  while (answer.next !== null && items.length < 5000) {
    answer = await get('/collection/coverage', coverageAnswer, { ...query, limit: '500', before: answer.next });
    items.push(...answer.items);
  }
  return { ...answer, items };
}
export const coverageTable = (query: Query) => addressOf('/collection/coverage/table', query);
