// Annex forms as values: what is missing before they may be sent. Pure, so that it can be tested.

import type { FormDef, FormField, FormValue, FormValues } from './api/types';

export function isEmpty(v: FormValue | undefined): boolean {
  return v === null || v === undefined || v === '' || (Array.isArray(v) && v.length === 0);
}

/** Said by the sender: the log holds no data for this field. */
export type NoData = Record<string, boolean>;

export function isMissing(f: FormField, values: FormValues, noData: NoData): boolean {
  if (f.type === 'group' || !isEmpty(values[f.id])) return false;
  return f.presence === 'required' || (f.presence === 'required_or_no_data' && !noData[f.id]);
}

/** Fields of the form that must be filled and are not, in the form's order. */
export function missingFields(form: FormDef, values: FormValues, noData: NoData = {}): FormField[] {
  return form.fields.filter((f) => isMissing(f, values, noData));
}

/** A field of several values is drawn as one of a single value where the server keeps a single value in it. */
export function fitted(form: FormDef, start: FormValues): FormDef {
  return { ...form, fields: form.fields.map((f) => (f.type === 'enum_set' && typeof start[f.id] === 'string' ? { ...f, type: 'enum' } : f)) };
}

/** What is sent: empty texts are null, numbers are numbers, indicators without value are dropped. */
export function normalised(form: FormDef, values: FormValues): FormValues {
  const out: FormValues = { ...values };
  for (const f of form.fields) {
    const v = out[f.id];
    if (f.type === 'group') continue;
    if (f.type === 'iocs') out[f.id] = Array.isArray(v) ? v.flatMap((x) => (typeof x === 'object' && x.value.trim() !== '' ? [x] : [])) : [];
    else if (f.type === 'enum_set') out[f.id] = Array.isArray(v) ? v : [];
    else if (f.type === 'integer') out[f.id] = isEmpty(v) ? null : Number(v);
    else if (typeof v === 'string') out[f.id] = v.trim() === '' ? null : v.trim();
    else out[f.id] = v ?? null;
  }
  return out;
}

/** Choosing «no consequences» takes the others away, and choosing another takes it away. */
export function toggleSet(values: readonly string[], value: string, on: boolean): string[] {
  const rest = values.filter((v) => v !== value);
  if (!on) return rest;
  if (value === 'none') return ['none'];
  return [...rest.filter((v) => v !== 'none'), value];
}

/** «ip» for 192.0.2.7, «hash» for 64 hexadecimal digits …: a first guess at the kind of an indicator. */
export function guessIoc(value: string): string {
  const v = value.trim();
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(v) || /^[0-9a-f:]*:[0-9a-f:]+$/i.test(v)) return 'ip';
  if (/^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/i.test(v)) return 'hash';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(v)) return 'url';
  if (/^[^\s@/]+@[^\s@/]+$/.test(v)) return 'email';
  if (/^[/\\]|^[A-Za-z]:\\/.test(v)) return 'file';
  if (/^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(v)) return 'domain';
  return 'other';
}

/** A long form in parts that are filled one after another: a group with what belongs to it is one, what stands between groups is taken by fours. */
export function partsOf(form: FormDef, size = 4): FormField[][] {
  const parts: FormField[][] = [];
  let group = '';
  for (const f of form.fields) {
    const last = parts[parts.length - 1];
    if (f.type === 'group') {
      group = `${f.number}.`;
      parts.push([f]);
    } else if (group !== '' && f.number.startsWith(group)) last?.push(f);
    else if (!last || group !== '' || last.length >= size) {
      group = '';
      parts.push([f]);
    } else last.push(f);
  }
  return parts;
}
