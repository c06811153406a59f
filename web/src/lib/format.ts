// One formatter for instants, one for numbers, one for lengths of time. Everything a person sees is in Kazakhstan time.

import type { Language } from './api/types';

export const ZONE = 'Asia/Almaty';

const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
});

interface Wall {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

function wall(ms: number): Wall {
  const w: Wall = { year: '', month: '', day: '', hour: '', minute: '', second: '' };
  for (const p of parts.formatToParts(ms)) {
    if (p.type === 'year' || p.type === 'month' || p.type === 'day' || p.type === 'hour' || p.type === 'minute' || p.type === 'second') {
      w[p.type] = p.value;
    }
  }
  return w;
}

/** dd.mm.yyyy HH:mm:ss in Kazakhstan time, in every language. */
export function formatInstant(instant: string | number): string {
  const ms = typeof instant === 'number' ? instant : Date.parse(instant);
  if (Number.isNaN(ms)) return String(instant);
  const w = wall(ms);
  return `${w.day}.${w.month}.${w.year} ${w.hour}:${w.minute}:${w.second}`;
}

/** With milliseconds: for log lines, where order within a second matters. */
export function formatInstantMs(instant: string): string {
  const ms = Date.parse(instant);
  if (Number.isNaN(ms)) return instant;
  return `${formatInstant(ms)}.${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}`;
}

export function formatTime(ms: number): string {
  const w = wall(ms);
  return `${w.hour}:${w.minute}:${w.second}`;
}

/** yyyy-mm-dd → dd.mm.yyyy */
export function formatDate(date: string): string {
  const m = /^(\d{4})-(\d{2})-(\d{2})/.exec(date);
  return m ? `${m[3]}.${m[2]}.${m[1]}` : date;
}

/** The same instant in UTC, for the tooltip. */
export function formatUtc(instant: string): string {
  const ms = Date.parse(instant);
  return Number.isNaN(ms) ? instant : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const HOUR_MS = 3_600_000;

function wallAsUtc(ms: number): number {
  const w = wall(ms);
  return Date.UTC(Number(w.year), Number(w.month) - 1, Number(w.day), Number(w.hour), Number(w.minute), Number(w.second));
}

/** «dd.mm.yyyy HH:mm[:ss]» in Kazakhstan time → RFC 3339 UTC, or null if it is no moment. */
export function parseInstant(text: string): string | null {
  const m = /^\s*(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*$/.exec(text);
  if (!m) return null;
  const [day, month, year, hour, minute, second] = [m[1], m[2], m[3], m[4] ?? '0', m[5] ?? '0', m[6] ?? '0'].map(Number);
  if (day === undefined || month === undefined || year === undefined || hour === undefined || minute === undefined || second === undefined) return null;
  const want = Date.UTC(year, month - 1, day, hour, minute, second);
  const check = new Date(want);
  if (check.getUTCMonth() !== month - 1 || check.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return null;
  // The zone has changed its offset by an hour in the past, so try the guess and its neighbours.
  for (const offset of [5, 6, 7, 4]) {
    const ms = want - offset * HOUR_MS;
    if (wallAsUtc(ms) === want) return new Date(ms).toISOString().replace('.000Z', 'Z');
  }
  return null;
}

/** «dd.mm.yyyy» → yyyy-mm-dd, or null. */
export function parseDate(text: string): string | null {
  const instant = parseInstant(text);
  const m = /^\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s*$/.exec(text);
  if (!instant || !m) return null;
  return `${m[3]}-${String(m[2]).padStart(2, '0')}-${String(m[1]).padStart(2, '0')}`;
}

// Not every browser carries the numbers of Kazakh; they are written as in Russian.
const NUMBER_LOCALES = { kk: 'ru-RU', ru: 'ru-RU', en: 'en-GB' } as const;
const numberFormats = new Map<Language, Intl.NumberFormat>();

export function formatNumber(n: number, lang: Language): string {
  let f = numberFormats.get(lang);
  if (!f) {
    f = new Intl.NumberFormat(NUMBER_LOCALES[lang], { maximumFractionDigits: 1 });
    numberFormats.set(lang, f);
  }
  return f.format(n);
}

/** H:MM:SS without sign; hours are not folded into days, since every term of 72 hours is counted in hours. */
export function formatCountdown(seconds: number): string {
  const s = Math.abs(Math.trunc(seconds));
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}`;
}

export type Urgency = 'late' | 'urgent' | 'soon' | 'calm';

/** How a running clock is drawn: less than a third of the term left, or less than ten minutes, is no longer calm. */
export function urgency(remaining_s: number, total_s: number): Urgency {
  if (remaining_s < 0) return 'late';
  if (remaining_s < 600) return 'urgent';
  if (total_s > 0 && remaining_s < total_s / 3) return 'soon';
  return 'calm';
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

export function sizeUnit(bytes: number): { value: number; unit: (typeof SIZES)[number] } {
  let value = bytes;
  let i = 0;
  while (value >= 1000 && i < SIZES.length - 1) {
    value /= 1000;
    i += 1;
  }
  return { value, unit: SIZES[i] ?? 'B' };
}
