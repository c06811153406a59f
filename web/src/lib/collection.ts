// What the pages of collection share: sizes and spans in words, how states look, what is told of clocks.
import type { IconName } from '../components/Icon.svelte';
import { COVERAGE_LOGS, type CollectionListener, type CollectionSource, type CoverageType, type CoverageWaiting, type Skew, type SourceFlag } from './api/collection';
import { SOURCE_CLASSES } from './api/types';
import { sizeUnit } from './format';
import { n, t } from './i18n.svelte';

export type Look = ['late' | 'urgent' | 'soon' | 'calm' | 'plain', IconName];

export const FLAG_LOOK: Record<SourceFlag, Look> = {
  silent: ['late', 'late'], skewed: ['urgent', 'urgent'], late: ['soon', 'soon'], unparsed: ['plain', 'soon'], low_score: ['soon', 'soon'], unassigned: ['urgent', 'urgent'],
  encoding: ['plain', 'soon'], gaps: ['urgent', 'urgent'],
};
export const LISTENER_LOOK: Record<CollectionListener['state'], Look> = { listening: ['calm', 'done'], paused: ['urgent', 'urgent'], refuses: ['late', 'late'], loses: ['late', 'late'] };
export const SPACE_LOOK: Record<string, Look> = { ok: ['calm', 'done'], low: ['soon', 'soon'], touched: ['late', 'late'] };
export const UPSTREAM_LOOK: Record<string, Look> = { connected: ['calm', 'done'], connecting: ['soon', 'soon'], waiting: ['urgent', 'urgent'], off: ['plain', 'soon'] };

export function size(bytes: number): string {
  const s = sizeUnit(bytes);
  return t(`ui.size.${s.unit}`, { value: n(Math.round(s.value * 10) / 10) });
}

/** «40 s», «15 min», «6 h», «3 d»: roughly, as people say it. */
export function span(seconds: number): string {
  const s = Math.abs(Math.round(seconds));
  if (s < 90) return t('ui.collection.span.s', { value: n(s) });
  if (s < 3600) return t('ui.collection.span.min', { value: n(Math.round(s / 60)) });
  if (s < 36 * 3600) return t('ui.collection.span.h', { value: n(Math.round(s / 360) / 10) });
  return t('ui.collection.span.d', { value: n(Math.round(s / 8640) / 10) });
}

/** What a clock that is off looks like, in one sentence. */
export function clockWords(k: Skew): string {
  return t(`ui.collection.skew_means.${k.kind}`, { by: span(k.median_s), way: t(k.median_s < 0 ? 'ui.collection.ahead' : 'ui.collection.behind'), spread: span(k.spread_s), samples: k.samples });
}

export function share(part: number, whole: number): string {
  const percent = (part / Math.max(1, whole)) * 100;
  return percent > 0 && percent < 0.1 ? t('ui.percent_below', { value: 0.1 }) : t('ui.percent', { value: n(Math.round(percent * 10) / 10) });
}

/** The id of an agent's source begins with the host, which stands above it already. */
export const restOf = (s: CollectionSource) => (s.id === s.host ? '' : s.id.startsWith(`${s.host}/`) ? s.id.slice(s.host.length + 1) : s.id);

const isClass = (c: string): c is (typeof SOURCE_CLASSES)[number] => SOURCE_CLASSES.some((x) => x === c);
/** The class in words; one that is not known has the words given. */
export const classWords = (c: string | null, otherwise: string) => (c !== null && isClass(c) ? t(`ui.class.${c}`) : otherwise);

export const percent = (v: number | null) => (v === null ? '—' : t('ui.percent', { value: v }));

/** Our own log is nobody's object and nobody's duty: how it keeps to Annex 4 is told, but not as something to act on. */
export const isOwnLog = (sourceId: string) => sourceId === 'saqshyd';
/** Whether a score is one that somebody must look at. */
export const isLow = (sourceId: string, score: number | null) => score !== null && score < 80 && !isOwnLog(sourceId);

export const COVERAGE_LOOK: Record<CoverageType['state'], Look> = { arriving: ['calm', 'done'], late: ['soon', 'soon'], never: ['late', 'late'] };

const CLOUDS = ['aws', 'azure', 'gcp', 'm365', 'okta', 'onelogin', 'github', 'bitbucket', 'google_workspace', 'kubernetes', 'cisco_duo', 'cisco'];
/** The log that rules wait for, in words: what is to be collected. */
export function logWords(w: CoverageWaiting): string {
  const wanted = [`${w.product}.${w.category}`, `${w.product}.${w.service}`, w.category, w.service, CLOUDS.includes(w.product) ? 'cloud' : ''];
  const known = COVERAGE_LOGS.find((k) => wanted.includes(k));
  const name = [w.product, w.category, w.service].filter((x) => x !== '').join(' · ');
  return known === undefined ? name || t('ui.collection.coverage_any') : known === 'cloud' ? `${t('ui.collection.coverage_log.cloud')}: ${name}` : t(`ui.collection.coverage_log.${known}`);
}
