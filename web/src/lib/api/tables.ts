// Tables into the registry and out of it; passports of objects; changes of objects.
import { get, id, send, type Query } from './client';
import { decodeArray as arr, decodeBoolean as bool, decodeEnum, decodeMap as map, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded, type Decoder } from './decode';
import { page, ref } from './types';

// i18n: ui.import.kind.*
export const IMPORT_KINDS = ['organisation', 'person', 'object', 'component', 'contact', 'contract'] as const;
// i18n: ui.import.action.*
export const ROW_ACTIONS = ['create', 'change', 'same', 'error'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

const column = object({ heading: str, field: nullable(str) });
export type ImportColumn = Decoded<typeof column>;
const imported = object({
  id: str, kind: decodeEnum(IMPORT_KINDS), file_name: str, sheet: str, sheets: arr(str),
  headings: arr(object({ column: str, number: num, heading: str, field: nullable(str), samples: arr(str) })),
  state: decodeEnum(['read', 'checked', 'applied'] as const), checked: num, columns: nullable(arr(column)), empty: nullable(str),
  counts: object({ create: num, change: num, same: num, error: num }), created_at: str, applied_at: nullable(str),
});
export type Import = Decoded<typeof imported>;

/** A value of a record as a person reads it. */
const shown: Decoder<string | null> = (v) => (v === null || v === undefined || v === '' ? null : typeof v === 'string' ? v : JSON.stringify(v));
const row = object({
  row: num, action: decodeEnum(ROW_ACTIONS), id: nullable(str), parent: nullable(str), name: str,
  changes: arr(object({ field: str, from: shown, to: shown })),
  errors: arr(object({ column: str, field: str, code: str, value: str, detail: str, text: str })),
});
export type ImportRow = Decoded<typeof row>;
const mapping = object({ kind: decodeEnum(IMPORT_KINDS), name: str, columns: arr(column), empty: str });
export type ImportMapping = Decoded<typeof mapping>;
const field = object({ name: str, label: str, required: bool });
export type ImportField = Decoded<typeof field>;

export const readImport = (upload_id: string, kind: ImportKind, sheet: string | null) => send('POST', '/imports', imported, {}, { upload_id, kind, sheet });
export const importOf = (i: string) => get(`/imports/${id(i)}`, imported);
export const checkImport = (i: string, body: { columns: ImportColumn[]; empty: string; mapping: string | null }) =>
  send('POST', `/imports/${id(i)}/check`, imported, {}, body);
export const importRows = (i: string, query: Query) => get(`/imports/${id(i)}/rows`, page(row), query);
export const applyImport = (i: string, checked: number, leave_errors: boolean) => send('POST', `/imports/${id(i)}/apply`, imported, {}, { checked, leave_errors });
export const importMappings = (kind: ImportKind) => get('/import-mappings', page(mapping), { kind });
export const importFields = (kind: ImportKind) => get('/import-fields', page(field), { kind });
export const exportAddress = (kind: ImportKind, format: 'xlsx' | 'csv') => `/api/v1/export?kind=${kind}&format=${format}`;

/* --- passports and changes --- */

// i18n: ui.passport.source.*
export const ALL_SOURCES = ['architecture_portal', 'conformity_testing', 'owner', 'observation'] as const;
export const PASSPORT_SOURCES = ALL_SOURCES.filter((s) => s !== 'observation');
export const TESTED_KINDS = ['service_software_product', 'ict_platform', 'internet_resource', 'information_system'] as const;
// i18n: ui.passport.kind.*
export const ITEM_KINDS = ['hardware', 'software', 'diagram', 'checksum', 'database'] as const;
// i18n: ui.passport.field.*
export const ITEM_FIELDS = ['name', 'host', 'address', 'domain', 'version', 'purpose', 'description', 'file', 'algorithm', 'value', 'structure'] as const;
// i18n: ui.passport.verdict.*
export const VERDICTS = ['no_passport', 'appeared', 'changed', 'same'] as const;
// i18n: ui.change.what.*
export const HAPPENINGS = ['appeared', 'changed', 'missing'] as const;
// i18n: ui.change.decide.* ui.change.decide_means.*
export const DECISIONS = ['accept', 'question'] as const;
export type Decision = (typeof DECISIONS)[number];
// i18n: ui.change.state.*
export const CHANGE_STATES = ['open', 'questioned', 'accepted', 'recorded', 'withdrawn'] as const;

const value: Decoder<string | boolean | null> = (v) => (typeof v === 'boolean' || v === null || v === undefined ? (v ?? null) : String(v));
const item = map(value);
export type PassportItem = Decoded<typeof item>;
const summary = { version: num, source: str, tested_kind: nullable(str), reference: nullable(str), received_on: nullable(str), note: nullable(str), item_count: num,
  created_at: str, author: nullable(ref) };
const passportSummary = object(summary);
const passport = object({ ...summary, items: arr(item) });
export type Passport = Decoded<typeof passport>;
const observed = object({ item, passport: nullable(item), verdict: decodeEnum(VERDICTS), source: str, last_seen_at: str });
const observedPage = object({ passport_version: nullable(num), items: arr(observed), next: nullable(str) });
const change = object({
  id: str, object: ref, kind: str, what: decodeEnum(HAPPENINGS), before: nullable(item), after: nullable(item), found_by: str,
  state: decodeEnum(CHANGE_STATES), found_at: str, decided_at: nullable(str), decided_by: nullable(ref), passport_version: nullable(num), note: nullable(str),
});
export type ObjectChange = Decoded<typeof change>;

export const passports = (object_id: string) => get(`/objects/${id(object_id)}/passports`, page(passportSummary), { limit: 100 });
export const passportOf = (object_id: string, version: number) => get(`/objects/${id(object_id)}/passports/${version}`, passport);
export const observedOf = (object_id: string) => get(`/objects/${id(object_id)}/observed`, observedPage, { limit: 1000 });
export const addPassport = (object_id: string, body: unknown) => send('POST', `/objects/${id(object_id)}/passports`, passport, {}, body);
export const passportFile = (object_id: string, sha256: string) => `/api/v1/objects/${id(object_id)}/passport-files/${sha256}`;
export const changes = (query: Query) => get('/changes', page(change), query);
export const decideChanges = (decision: Decision, ids: string[], note: string) =>
  send('POST', '/changes/decisions', object({ decided: num }), {}, note === '' ? { decision, ids } : { decision, ids, note });

/** «nginx 1.22 · web-1» */
export const itemWords = (i: PassportItem | null) =>
  i === null ? null : [[i.name ?? i.file, i.version].filter(Boolean).join(' '), i.host, i.address, i.algorithm ? `${String(i.algorithm)} ${String(i.value)}` : null].filter(Boolean).join(' · ');
