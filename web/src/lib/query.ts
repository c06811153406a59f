// The state of the event search: its address, its time range, and building filters in the search language.

import type { EventValue } from './api/types';

export const PRESETS = { '15m': 900, '1h': 3600, '4h': 14400, '24h': 86400, '7d': 604800, '30d': 2592000 } as const;
export type Preset = keyof typeof PRESETS;

export interface SearchState {
  q: string;
  preset: Preset | null;
  from: string | null;
  to: string | null;
  live: boolean;
}

function isPreset(text: string): text is Preset {
  return Object.hasOwn(PRESETS, text);
}

function instantOrNull(text: string | undefined): string | null {
  return text !== undefined && !Number.isNaN(Date.parse(text)) ? text : null;
}

export function searchFromParams(params: Record<string, string>): SearchState {
  const from = instantOrNull(params['from']);
  const to = instantOrNull(params['to']);
  const range = params['range'] ?? '';
  let preset: Preset | null = isPreset(range) ? range : null;
  if (!preset && !from && !to) preset = '1h';
  return { q: params['q'] ?? '', preset, from: preset ? null : from, to: preset ? null : to, live: params['live'] === '1' };
}

export function searchToParams(s: SearchState): Record<string, string | null> {
  return { q: s.q || null, range: s.preset, from: s.from, to: s.to, live: s.live ? '1' : null };
}

export function resolveRange(s: SearchState, now_ms: number): { from: string; to: string } {
  if (s.preset) {
    // A second ahead, so that what arrives in this very second is inside.
    const to = now_ms + 1000;
    return { from: new Date(to - PRESETS[s.preset] * 1000).toISOString(), to: new Date(to).toISOString() };
  }
  const to = s.to ?? new Date(now_ms + 1000).toISOString();
  return { from: s.from ?? new Date(Date.parse(to) - PRESETS['24h'] * 1000).toISOString(), to };
}

/** As a value of the search language: always quoted, since a quoted value needs no other care. */
export function quoteValue(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function filterTerm(field: string, value: EventValue): string {
  const one = Array.isArray(value) ? (value[0] ?? '') : String(value);
  return `${field}:${quoteValue(one)}`;
}

/** True if OR stands outside quotes and brackets: then the query must be bracketed before AND is added. */
export function hasBareOr(q: string): boolean {
  let depth = 0;
  let quoted = false;
  let word = '';
  for (let i = 0; i <= q.length; i += 1) {
    const c = q[i] ?? ' ';
    if (quoted) {
      if (c === '\\') i += 1;
      else if (c === '"') quoted = false;
      continue;
    }
    if (/[\s()"]/.test(c)) {
      if (word.toUpperCase() === 'OR' && depth === 0) return true;
      word = '';
      if (c === '(') depth += 1;
      if (c === ')') depth -= 1;
      if (c === '"') quoted = true;
    } else word += c;
  }
  return false;
}

/** Where the pipes of a search begin: a "|" outside quotes and patterns that stands by itself at one side. The filter, and what is behind the sign; null: none. */
export function splitPipes(q: string): { filter: string; pipes: string | null } {
  let closing = '';
  for (let i = 0; i < q.length; i += 1) {
    const c = q[i] ?? '';
    const before = q[i - 1] ?? ' ';
    if (closing !== '') {
      if (c === '\\') i += 1;
      else if (c === closing) closing = '';
    } else if (c === '"' && /[\s(:~,-]/.test(before)) closing = '"';
    else if (c === '/' && before === ':' && q[i + 1] !== '/') closing = '/';
    else if (c === '|' && (/[\s)"]/.test(before) || /\s/.test(q[i + 1] ?? ' '))) return { filter: q.slice(0, i).trim(), pipes: q.slice(i + 1).trim() };
  }
  return { filter: q.trim(), pipes: null };
}

/** A term more in the filter; pipes behind it stay. */
export function addFilter(whole: string, field: string, value: EventValue, negate: boolean): string {
  const { filter: q, pipes } = splitPipes(whole);
  const longer = addTerm(q, field, value, negate);
  return pipes === null ? longer : `${longer} | ${pipes}`;
}

function addTerm(q: string, field: string, value: EventValue, negate: boolean): string {
  const term = `${negate ? 'NOT ' : ''}${filterTerm(field, value)}`;
  const base = q.trim();
  if (base === '' || base === '*') return term;
  if (base === term || base.endsWith(` AND ${term}`)) return base;
  return `${hasBareOr(base) ? `(${base})` : base} AND ${term}`;
}
