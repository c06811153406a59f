// The registry: records of six kinds, all of one shape: a value, its version, and what this viewer may change of it.
import { get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded, type Decoder,
} from './decode';
import { CRITICALITIES, page, ref, text3 } from './types';

// i18n: ui.registry.kind.*
export const RECORD_KINDS = ['organisation', 'person', 'object', 'component', 'contact', 'contract'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];
// i18n: ui.registry.org_kind.*
export const ORG_KINDS = ['sts', 'owner', 'possessor', 'support', 'ocib', 'knb', 'authorised_body'] as const;
// i18n: ui.registry.channel.*
export const PERSON_CHANNELS = ['email', 'phone', 'mobile', 'messenger', 'portal'] as const;
// i18n: ui.registry.tested_kind.*
export const TESTED_KINDS = ['service_software_product', 'ict_platform', 'internet_resource', 'information_system'] as const;
// i18n: ui.registry.unit.*
export const UNITS = ['kbit/s', 'mbit/s', 'gbit/s'] as const;
// i18n: ui.registry.sector.*
export const SECTORS = [
  'heat', 'electricity', 'gas', 'water', 'industry', 'health', 'communications', 'banking', 'transport', 'hydraulic_structures', 'law_enforcement', 'e_government',
] as const;
// i18n: ui.registry.exclusion.*
export const EXCLUSIONS = ['state_secret_resource', 'state_secret_protected_system', 'national_bank_not_integrated'] as const;
// i18n: ui.registry.work_type.*
export const WORK_TYPES = ['incident_response', 'protection', 'secure_operation'] as const;
// i18n: ui.registry.performer.*
export const PERFORMERS = ['owner', 'possessor', 'ocib'] as const;
// i18n: ui.registry.asset_class.*
export const ASSET_CLASSES = ['hardware', 'software', 'ipt'] as const;
// i18n: ui.registry.contact_role.*
export const CONTACT_ROLES = ['responsible_person', 'ocib', 'deputy'] as const;
// i18n: ui.registry.regime.*
export const REGIMES = ['A', 'B', 'C', 'N1', 'N2', 'N3'] as const;
// i18n: ui.registry.state.*
export const OBJECT_STATES = [
  'known', 'commissioned', 'information_requested', 'information_received', 'excluded', 'listed', 'scheduled', 'onboarding', 'monitored', 'operation_terminated',
  'termination_received', 'archived',
] as const;
// i18n: ui.registry.file_kind.*
export const FILE_KINDS = [
  'logical_diagram', 'physical_diagram', 'network_diagram', 'letter', 'signing_certificate', 'photo', 'video', 'contract', 'order', 'test_report', 'other',
] as const;
// i18n: ui.registry.origin.*
const ORIGINS = ['centre', 'owner', 'import', 'peer', 'system'] as const;

export type Raw = Record<string, unknown>;
const raw: Decoder<Raw> = (v, path = '') => {
  if (typeof v === 'object' && v !== null && !Array.isArray(v)) return { ...v };
  return object({})(v, path);
};
const anything: Decoder<unknown> = (v) => v;

const shape = {
  kind: oneOf(RECORD_KINDS), id: str, parent: nullable(str), version: num, removed: bool, updated_at: instant, updated_by: str, value: raw,
  may: oneOf(['all', 'own', 'read'] as const),
};
const record = object({ ...shape, org: nullable(ref), knb: nullable(ref), sts: nullable(ref) });
export type RegistryRecord = Decoded<typeof record>;

const reason = object({ code: str, paragraph: str, text: text3 });
const missing = arr(object({ item: num, field: str }));
const objectRecord = object({
  ...shape, org: nullable(ref), possessor: nullable(ref), ocib: nullable(ref), regime: oneOf(REGIMES), monitored: bool, why: arr(reason), warnings: arr(reason),
  variant: nullable(str), state: oneOf(OBJECT_STATES), moves: arr(oneOf(OBJECT_STATES)),
  states: arr(object({ from: nullable(str), to: str, at: instant, recorded_at: instant, author: nullable(str), reason: str })), missing, acting_id: nullable(str),
  performers: object({ incident_response: nullable(str), protection: nullable(str), secure_operation: nullable(str) }), open_cases: num,
});
export type ObjectRecord = Decoded<typeof objectRecord>;

const contact = object({ ...shape, person: raw, checked: nullable(object({ at: instant, ok: bool, note: str })) });
export type ContactRecord = Decoded<typeof contact>;

const row = object({ id: str, version: num, value: raw, updated_at: instant, updated_by: str });
export type Row = Decoded<typeof row>;
const objectRow = object({
  id: str, name: str, name_ru: nullable(str), org: ref, possessor: nullable(ref), criticality: nullable(oneOf(CRITICALITIES)), regime: oneOf(REGIMES),
  state: oneOf(OBJECT_STATES), active: bool, city: nullable(str), region: nullable(str), open_cases: num, version: num,
});
export type ObjectRow = Decoded<typeof objectRow>;
const version = object({
  seq: str, kind: oneOf(RECORD_KINDS), id: str, version: num, at: instant, author: str, origin: oneOf(ORIGINS), reason: str, removed: bool,
  changes: arr(object({ field: str, from: anything, to: anything })),
});
export type Version = Decoded<typeof version>;
const attachment = object({
  id: str, kind: oneOf(FILE_KINDS), title: str, name: str, type: str, size_bytes: num, sha256: str, approved_by: nullable(str), approved_on: nullable(str),
  signed: bool, sealed: bool, at: instant, author: nullable(str), removed_at: nullable(instant), removal_reason: nullable(str),
});
export type Attachment = Decoded<typeof attachment>;
const reach = object({
  contact_id: str, person_id: str, name: str, role: oneOf(CONTACT_ROLES), language: str, on_duty: bool, channels: arr(object({ kind: str, value: str })),
});
export type Reach = Decoded<typeof reach>;

export interface Input {
  version?: number;
  reason?: string;
  value: Raw;
}
/** The kinds that have a page; components and contacts stand on the pages of others. */
const PLACE = { organisation: 'organisations', person: 'people', object: 'objects', contract: 'contracts' } as const;
export type PagedKind = keyof typeof PLACE;
export const placeOf = (kind: PagedKind) => PLACE[kind];

const webhook = object({ url: str, active: bool, updated_at: instant, secret: nullable(str) });
export type Webhook = Decoded<typeof webhook>;
export const webhookOf = (orgId: string) => get(`/organisations/${id(orgId)}/webhook`, webhook);
export const setWebhook = (orgId: string, body: Raw) => send('PUT', `/organisations/${id(orgId)}/webhook`, webhook, {}, body);

export const annex1Of = (objectId: string, at: string | null) => get(`/registry/objects/${id(objectId)}/annex1`, object({ values: raw, missing }), { at });

export const registry = {
  list: (kind: 'organisation' | 'person' | 'contract', query: Query) => get(`/registry/${PLACE[kind]}`, page(row), query),
  one: (kind: 'organisation' | 'person' | 'contract', recordId: string) => get(`/registry/${PLACE[kind]}/${id(recordId)}`, record),
  create: (kind: 'organisation' | 'person' | 'contract', body: Input) => send('POST', `/registry/${PLACE[kind]}`, record, {}, body),
  update: (kind: 'organisation' | 'person' | 'contract', recordId: string, body: Input) => send('PUT', `/registry/${PLACE[kind]}/${id(recordId)}`, record, {}, body),

  objects: (query: Query) => get('/registry/objects', page(objectRow), query),
  object: (objectId: string) => get(`/registry/objects/${id(objectId)}`, objectRecord),
  createObject: (body: Input) => send('POST', '/registry/objects', objectRecord, {}, body),
  updateObject: (objectId: string, body: Input) => send('PUT', `/registry/objects/${id(objectId)}`, objectRecord, {}, body),
  moveObject: (objectId: string, body: { to: string; at: string | null; reason: string }) =>
    send('POST', `/registry/objects/${id(objectId)}/state`, objectRecord, {}, body),
  reach: (objectId: string) => get(`/registry/objects/${id(objectId)}/reach`, page(reach)),

  components: (objectId: string, query: Query) => get(`/registry/objects/${id(objectId)}/components`, page(row), query),
  createComponent: (objectId: string, body: Input) => send('POST', `/registry/objects/${id(objectId)}/components`, object(shape), {}, body),
  updateComponent: (componentId: string, body: Input) => send('PUT', `/registry/components/${id(componentId)}`, object(shape), {}, body),
  removeComponent: (componentId: string, body: { version: number; reason: string }) =>
    send('POST', `/registry/components/${id(componentId)}/remove`, anything, {}, body),

  contacts: (kind: 'organisation' | 'object', ownerId: string) => get(`/registry/${PLACE[kind]}/${id(ownerId)}/contacts`, page(contact), { limit: 200 }),
  createContact: (kind: 'organisation' | 'object', ownerId: string, body: Input) =>
    send('POST', `/registry/${PLACE[kind]}/${id(ownerId)}/contacts`, contact, {}, body),
  updateContact: (contactId: string, body: Input) => send('PUT', `/registry/contacts/${id(contactId)}`, contact, {}, body),
  removeContact: (contactId: string, body: { version: number; reason: string }) => send('POST', `/registry/contacts/${id(contactId)}/remove`, anything, {}, body),
  checkContact: (contactId: string, ok: boolean, note: string) => send('POST', `/registry/contacts/${id(contactId)}/checks`, contact, {}, { ok, note }),

  history: (kind: RecordKind, recordId: string, query: Query) => get(`/registry/history/${kind}/${id(recordId)}`, page(version), query),
  files: (kind: RecordKind, recordId: string) => get(`/registry/files/${kind}/${id(recordId)}`, page(attachment)),
  removeFile: (attachmentId: string, reason: string) => send('POST', `/registry/attachments/${id(attachmentId)}/remove`, anything, {}, { reason }),
  addFile: (kind: RecordKind, recordId: string, body: Raw) => send('POST', `/registry/files/${kind}/${id(recordId)}`, attachment, {}, body),
};
