// A form as a list of field descriptions: its first values, what is wrong with them before they are sent, and what is sent. Pure, tested.
import type { FieldError } from './api/client';
import type { Text3 } from './api/types';

/** A key of the catalogue, or a text that came with the law's data. */
export type Label = string | Text3;

export interface Option {
  value: string;
  label: Label;
  hint?: Label;
}

export type Value = string | number | boolean | null | string[] | Values[];
export interface Values {
  [name: string]: Value;
}

interface Common {
  name: string;
  label: Label;
  hint?: Label;
  required?: boolean;
  /** Over the whole width. */
  wide?: boolean;
  /** Shown, sent and checked only when this holds. */
  when?: (values: Values) => boolean;
  /** A key of the catalogue that says what is wrong, or null. */
  check?: (value: Value, values: Values) => string | null;
}
/** One member of the union for each type, so that a check of the type narrows it. */
type Typed<K extends string, More = unknown> = K extends string ? { type: K } & More : never;
export type FieldSpec = Common &
  (
    | Typed<'string' | 'email' | 'tel' | 'ip' | 'url' | 'password', { max?: number; mono?: boolean; placeholder?: string; suggestions?: string[] }>
    | Typed<'text', { rows?: number; max?: number; mono?: boolean }>
    | Typed<'lines', { rows?: number; mono?: boolean }>
    | Typed<'integer' | 'number', { min?: number; max?: number; unit?: Label }>
    | Typed<'quantity', { units: Option[]; unitName: string; min?: number; max?: number }>
    | Typed<'select' | 'radio' | 'set', { options: Option[] }>
    /** One of many, found by typing; `shown` are the words of the value that it begins with. */
    | Typed<'lookup', { find: (text: string) => Promise<Option[]>; shown?: string }>
    | Typed<'date' | 'datetime', { now?: boolean }>
    | Typed<'yesno' | 'check' | 'heading'>
    | Typed<'group', { fields: FieldSpec[]; least?: number; most?: number; add?: Label; item?: Label }>
  );
export type GroupSpec = Extract<FieldSpec, { type: 'group' }>;

export const isBlank = (v: Value | undefined): boolean => v === null || v === undefined || (typeof v === 'string' && v.trim() === '') || (Array.isArray(v) && v.length === 0);

export function isGroups(v: Value | undefined): v is Values[] {
  return Array.isArray(v) && v.every((x) => typeof x === 'object');
}
export function isTexts(v: Value | undefined): v is string[] {
  return Array.isArray(v) && v.every((x) => typeof x === 'string');
}

function firstValue(f: FieldSpec, given: Value | undefined): Value {
  if (f.type === 'group') {
    const items = isGroups(given) ? given.map((g) => firstValues(f.fields, g)) : [];
    while (items.length < (f.least ?? 0)) items.push(firstValues(f.fields));
    return items;
  }
  if (f.type === 'set' || f.type === 'lines') return isTexts(given) ? [...given] : [];
  if (f.type === 'check') return given === true;
  return given ?? null;
}

/** The values with which a form begins: what is given, and an empty place for every other field. */
export function firstValues(fields: readonly FieldSpec[], given: Values = {}): Values {
  const out: Values = {};
  for (const f of fields) {
    if (f.type === 'heading') continue;
    out[f.name] = firstValue(f, given[f.name]);
    if (f.type === 'quantity') out[f.unitName] = given[f.unitName] ?? f.units[0]?.value ?? null;
  }
  return out;
}

const IP = /^(\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?|[0-9a-f:]*:[0-9a-f:.]*(\/\d{1,3})?)$/i;

function wrong(f: FieldSpec, v: Value, values: Values): string | null {
  if (f.required && isBlank(v)) return 'ui.field_missing';
  if (f.check) {
    const own = f.check(v, values);
    if (own !== null) return own;
  }
  if (isBlank(v)) return null;
  if (f.type === 'integer' || f.type === 'number' || f.type === 'quantity') {
    const x = Number(v);
    if (!Number.isFinite(x) || (f.type === 'integer' && !Number.isInteger(x))) return 'ui.form.not_number';
    if ((f.min !== undefined && x < f.min) || (f.max !== undefined && x > f.max)) return 'ui.form.out_of_range';
  }
  if (f.type === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(String(v).trim())) return 'ui.form.not_email';
  if (f.type === 'ip' && !IP.test(String(v).trim())) return 'ui.form.not_ip';
  if ((f.type === 'string' || f.type === 'text') && f.max !== undefined && String(v).length > f.max) return 'ui.form.too_long';
  return null;
}

/** What is wrong, in the order of the form; `detail` is a key of the catalogue. */
export function checkFields(fields: readonly FieldSpec[], values: Values, place = ''): FieldError[] {
  const found: FieldError[] = [];
  for (const f of fields) {
    if (f.type === 'heading' || (f.when && !f.when(values))) continue;
    const v = values[f.name] ?? null;
    const field = place + f.name;
    const detail = wrong(f, v, values);
    if (detail !== null) found.push({ field, code: 'own', detail });
    if (f.type === 'group' && isGroups(v)) v.forEach((item, i) => found.push(...checkFields(f.fields, item, `${field}.${i}.`)));
  }
  return found;
}

function sent(f: FieldSpec, v: Value): Value {
  if (f.type === 'group') return isGroups(v) ? v.map((x) => sentValues(f.fields, x)) : [];
  if (f.type === 'set') return isTexts(v) ? v : [];
  if (f.type === 'lines') return isTexts(v) ? v.map((x) => x.trim()).filter((x) => x !== '') : [];
  if (f.type === 'check') return v === true;
  if (isBlank(v)) return null;
  if (f.type === 'integer' || f.type === 'number' || f.type === 'quantity') return Number(v);
  if (f.type === 'password') return v;
  return typeof v === 'string' ? v.trim() : v;
}

/** What is sent: numbers are numbers, empty texts null, what is not shown is null too. */
export function sentValues(fields: readonly FieldSpec[], values: Values): Values {
  const out: Values = {};
  for (const f of fields) {
    if (f.type === 'heading') continue;
    const shown = !f.when || f.when(values);
    out[f.name] = shown ? sent(f, values[f.name] ?? null) : f.type === 'group' || f.type === 'set' || f.type === 'lines' ? [] : f.type === 'check' ? false : null;
    if (f.type === 'quantity') out[f.unitName] = shown && !isBlank(values[f.name]) ? (values[f.unitName] ?? null) : null;
  }
  return out;
}

/** The element that stands for a place of a form: «components.2.ip» in the form «o» is #o-components-2-ip. */
export const fieldId = (prefix: string, place: string) => `${prefix}-${place.replaceAll('.', '-')}`;

export interface Named {
  label: Label;
  /** Which of a repeated group, from one; null outside groups. */
  item: number | null;
}

/** The words of the field at a place; the last field on the way that is known. */
export function nameOf(fields: readonly FieldSpec[], place: string): Named | null {
  const [head, index, ...rest] = place.split('.');
  const f = fields.find((x) => x.name === head || (x.type === 'quantity' && x.unitName === head));
  if (!f) return null;
  if (f.type !== 'group' || index === undefined) return { label: f.label, item: null };
  const inner = rest.length > 0 ? nameOf(f.fields, rest.join('.')) : null;
  return { label: inner?.label ?? f.label, item: /^\d+$/.test(index) ? Number(index) + 1 : null };
}
