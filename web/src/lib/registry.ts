// The records of the registry as forms: their fields in the order of Annex 1, and the way between a value of the API and the form.
import {
  ASSET_CLASSES, CONTACT_ROLES, EXCLUSIONS, ORG_KINDS, PERFORMERS, PERSON_CHANNELS, registry, SECTORS, TESTED_KINDS, UNITS, WORK_TYPES, type Raw, type RecordKind,
} from './api/registry';
import { CONTOURS, CRITICALITIES, LANGUAGES } from './api/types';
import type { FieldSpec, Option, Values } from './fields';
import { literal } from './find';

const options = (list: readonly string[], prefix: string): Option[] => list.map((value) => ({ value, label: prefix + value }));
const named = (list: readonly { id: string; value: Raw }[], hint: string): Option[] =>
  list.map((r) => ({ value: r.id, label: literal(String(r.value['name'] ?? r.value['number'] ?? r.id)), ...(r.value[hint] ? { hint: literal(String(r.value[hint])) } : {}) }));

export const findOrg = async (q: string) => named((await registry.list('organisation', { q, limit: 30 })).items, 'bin');
export const findPerson = async (q: string) => named((await registry.list('person', { q, limit: 30 })).items, 'position');
export const findContract = async (q: string) => named((await registry.list('contract', { q, limit: 30 })).items, 'signed_on');
export const findRegistryObject = async (q: string): Promise<Option[]> =>
  (await registry.objects({ q, limit: 30 })).items.map((o) => ({ value: o.id, label: literal(o.name), hint: literal(o.org.name) }));

/** The name of what an address holds by its identifier only. */
export const nameOfObject = async (objectId: string) => String((await registry.object(objectId)).value['name'] ?? objectId);
export const nameOfOrg = async (orgId: string) => String((await registry.one('organisation', orgId)).value['name'] ?? orgId);

// i18n: ui.registry.field.*
export const FIELD_NAMES = [
  'name', 'name_ru', 'kinds', 'bin', 'head', 'email', 'phone', 'address', 'active', 'person_name', 'position', 'language', 'channels', 'channel_kind', 'channel_value',
  'limited', 'week', 'day', 'from', 'to', 'exceptions', 'date', 'note', 'official_name', 'tested_kind', 'commissioned_on', 'terminated_on', 'owner', 'possessor_id',
  'ocib_id', 'acting_party', 'street', 'city', 'region', 'support', 'contact_person', 'support_org', 'criticality', 'class_code', 'contour', 'utesb_connected',
  'utesb_bandwidth', 'internet_connected', 'internet_bandwidth', 'lcs_present', 'lcs_name', 'lcs_contour', 'hosts', 'is_ego', 'is_cii', 'cii_sector', 'cii_listed_on',
  'exclusion', 'exclusion_ground', 'national_bank', 'national_bank_integrated', 'work_types', 'performer_response', 'performer_protection', 'performer_operation',
  'asset_class', 'purpose', 'ip_addresses', 'domain_names', 'component_version', 'vendor', 'is_reserve', 'role', 'order', 'valid_from', 'valid_to', 'number', 'signed_on',
  'knb_id', 'sts_id',
] as const;
type FieldName = (typeof FIELD_NAMES)[number] | 'org_id' | 'value' | 'kind' | 'version';

/** Names of things to which a record refers, shown in the boxes with which it begins. */
export type Shown = Record<string, string | undefined>;
const org = (name: FieldName, shown: Shown, more: Partial<FieldSpec> = {}) => ({ name, label: `ui.registry.field.${name}`, type: 'lookup', find: findOrg, shown: shown[name] ?? '', ...more }) as FieldSpec;
const f = (name: FieldName, type: FieldSpec['type'], more: object = {}) => ({ name, label: `ui.registry.field.${name}`, type, ...more }) as FieldSpec;
const pick = (name: FieldName, list: readonly string[], prefix: string, more: object = {}) => f(name, 'select', { options: options(list, prefix), ...more });
// i18n: ui.registry.head.*
export const HEADS = ['name', 'who', 'place', 'level', 'network', 'lcs', 'scope', 'works'] as const;
const head = (name: (typeof HEADS)[number]) => ({ name: `h_${name}`, label: `ui.registry.head.${name}`, type: 'heading' }) as FieldSpec;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const time = (name: 'from' | 'to', required: boolean) =>
  f(name, 'string', { required, placeholder: '09:00', check: (v: unknown) => (typeof v === 'string' && v !== '' && !TIME.test(v) ? 'ui.registry.not_time' : null) });
// i18n: ui.registry.day.*
export const DAYS = ['1', '2', '3', '4', '5', '6', '7'] as const;

const FORMS: Record<RecordKind, (shown: Shown) => FieldSpec[]> = {
  organisation: () => [
    f('name', 'string', { required: true, wide: true, max: 500 }), f('name_ru', 'string', { wide: true, max: 500 }),
    f('kinds', 'set', { required: true, options: options(ORG_KINDS, 'ui.registry.org_kind.') }),
    f('bin', 'string', { hint: 'ui.registry.bin_hint', max: 12 }), f('head', 'string', { max: 200 }), f('email', 'email'), f('phone', 'tel'),
    f('address', 'string', { wide: true, max: 500 }), f('active', 'check'),
  ],
  person: (shown) => [
    f('name', 'string', { required: true, label: 'ui.registry.field.person_name', max: 200 }), f('position', 'string', { max: 200 }), org('org_id', shown, { label: 'ui.user.org' }),
    f('language', 'select', { required: true, options: [{ value: LANGUAGES[0], label: literal('Қазақша') }, { value: LANGUAGES[1], label: literal('Русский') }, { value: LANGUAGES[2], label: literal('English') }] }),
    f('channels', 'group', {
      hint: 'ui.registry.channels_hint', item: 'ui.registry.channel_item', most: 16,
      fields: [pick('kind', PERSON_CHANNELS, 'ui.registry.channel.', { required: true, label: 'ui.registry.field.channel_kind' }), f('value', 'string', { required: true, label: 'ui.registry.field.channel_value' })],
    }),
    f('limited', 'yesno', { required: true, hint: 'ui.registry.limited_hint' }),
    f('week', 'group', {
      when: (v: Values) => v['limited'] === true, item: 'ui.registry.week_item', least: 1, most: 42,
      fields: [pick('day', DAYS, 'ui.registry.day.', { required: true }), time('from', true), time('to', true)],
    }),
    f('exceptions', 'group', {
      when: (v: Values) => v['limited'] === true, item: 'ui.registry.exception_item', hint: 'ui.registry.exceptions_hint', most: 366,
      fields: [f('date', 'date', { required: true }), time('from', false), time('to', false)],
    }),
    f('note', 'text', { rows: 2 }), f('active', 'check'),
  ],
  object: (shown) => [
    head('name'),
    f('name', 'string', { required: true, wide: true, max: 500, label: 'ui.registry.field.official_name' }), f('name_ru', 'string', { wide: true, max: 500 }),
    pick('tested_kind', TESTED_KINDS, 'ui.registry.tested_kind.'), f('commissioned_on', 'date'), f('terminated_on', 'date'),
    head('who'),
    org('org_id', shown, { label: 'ui.registry.field.owner', required: true }), org('possessor_id', shown), org('ocib_id', shown),
    pick('acting_party', ['owner', 'possessor'], 'ui.registry.performer.', { hint: 'ui.registry.acting_hint' }),
    head('place'), f('street', 'string'), f('city', 'string'), f('region', 'string'),
    f('support', 'group', {
      item: 'ui.registry.support_item', most: 50,
      fields: [
        f('name', 'string', { required: true }), f('address', 'string'), f('phone', 'tel'), f('email', 'email'), f('contact_person', 'string'), org('org_id', {}, { label: 'ui.registry.field.support_org' }),
      ],
    }),
    head('level'), pick('criticality', CRITICALITIES, 'ui.criticality.'), f('class_code', 'string'), pick('contour', CONTOURS, 'ui.contour.'),
    head('network'),
    f('utesb_connected', 'yesno'), f('utesb_bandwidth', 'quantity', { unitName: 'utesb_unit', units: options(UNITS, 'ui.registry.unit.'), min: 0, when: (v: Values) => v['utesb_connected'] === true }),
    f('internet_connected', 'yesno'), f('internet_bandwidth', 'quantity', { unitName: 'internet_unit', units: options(UNITS, 'ui.registry.unit.'), min: 0, when: (v: Values) => v['internet_connected'] === true }),
    head('lcs'), f('lcs_present', 'yesno'), f('lcs_name', 'string', { when: (v: Values) => v['lcs_present'] === true }), pick('lcs_contour', CONTOURS, 'ui.contour.', { when: (v: Values) => v['lcs_present'] === true }),
    f('hosts', 'lines', { hint: 'ui.object.hosts_hint' }),
    head('scope'),
    f('is_ego', 'check'), f('is_cii', 'check'), pick('cii_sector', SECTORS, 'ui.registry.sector.', { when: (v: Values) => v['is_cii'] === true }),
    f('cii_listed_on', 'date', { when: (v: Values) => v['is_cii'] === true }),
    pick('exclusion', EXCLUSIONS, 'ui.registry.exclusion.', { wide: true }), f('exclusion_ground', 'text', { rows: 2, when: (v: Values) => v['exclusion'] !== null }),
    f('national_bank', 'check'), f('national_bank_integrated', 'check', { when: (v: Values) => v['national_bank'] === true }),
    { name: 'contract_id', label: 'ui.registry.kind.contract', type: 'lookup', find: findContract, shown: shown['contract_id'] ?? '' },
    head('works'), f('work_types', 'set', { options: options(WORK_TYPES, 'ui.registry.work_type.') }),
    pick('performer_response', PERFORMERS, 'ui.registry.performer.'), pick('performer_protection', PERFORMERS, 'ui.registry.performer.'), pick('performer_operation', PERFORMERS, 'ui.registry.performer.'),
    f('active', 'check'), f('note', 'text', { rows: 3 }),
  ],
  component: () => [
    f('name', 'string', { required: true, max: 300 }), pick('asset_class', ASSET_CLASSES, 'ui.registry.asset_class.', { required: true }),
    f('purpose', 'string', { required: true, wide: true, max: 500 }), f('ip_addresses', 'lines', { required: true, rows: 3 }), f('domain_names', 'lines', { rows: 3 }),
    f('version', 'string', { label: 'ui.registry.field.component_version' }), f('vendor', 'string'), f('is_reserve', 'check'), f('note', 'text', { rows: 2 }),
  ],
  contact: (shown) => [
    { name: 'person_id', label: 'ui.registry.kind.person', type: 'lookup', required: true, find: findPerson, shown: shown['person_id'] ?? '' },
    pick('role', CONTACT_ROLES, 'ui.registry.contact_role.', { required: true }), f('order', 'integer', { min: 0, hint: 'ui.registry.order_hint' }), f('valid_from', 'date'), f('valid_to', 'date'),
  ],
  contract: (shown) => [
    f('number', 'string', { required: true }), f('signed_on', 'date', { required: true }), org('knb_id', shown, { required: true }), org('sts_id', shown, { required: true }),
    f('valid_from', 'date', { required: true }), f('valid_to', 'date'), f('note', 'text', { rows: 2 }),
  ],
};

/** What an owner's people change of their own; null: all. The server decides, this only does not offer what it would refuse. */
const OWN: Partial<Record<RecordKind, readonly string[]>> = {
  organisation: ['address', 'email', 'phone', 'head'],
  object: [
    'name', 'name_ru', 'street', 'city', 'region', 'support', 'criticality', 'class_code', 'contour', 'utesb_connected', 'utesb_bandwidth', 'internet_connected',
    'internet_bandwidth', 'lcs_present', 'lcs_name', 'lcs_contour', 'h_name', 'h_place', 'h_level', 'h_network', 'h_lcs',
  ],
};

export function formOf(kind: RecordKind, may: 'all' | 'own' | 'read', shown: Shown = {}): FieldSpec[] {
  const own = may === 'own' ? OWN[kind] : undefined;
  const all = FORMS[kind](shown);
  return own ? all.filter((x) => own.includes(x.name)) : all;
}

const isRaw = (v: unknown): v is Raw => typeof v === 'object' && v !== null && !Array.isArray(v);
const days = (list: unknown, to: (v: unknown) => unknown) => (Array.isArray(list) ? list.map((x: Raw) => ({ ...x, day: to(x['day']) })) : []);

/** A value as the form holds it: the hours of a person lie flat in it. */
export function toForm(kind: RecordKind, value: Raw): Values {
  if (kind !== 'person') return value as Values;
  const { hours, ...rest } = value;
  return { ...rest, limited: isRaw(hours), ...(isRaw(hours) ? { week: days(hours['week'], String), exceptions: hours['exceptions'] ?? [] } : {}) } as unknown as Values;
}

/** What is sent: the value that was read with what the form has of it. */
export function fromForm(kind: RecordKind, before: Raw, form: Values): Raw {
  if (kind !== 'person') return { ...before, ...form };
  const { limited, week, exceptions, ...rest } = form;
  return { ...before, ...rest, hours: limited === true ? { week: days(week, Number), exceptions } : null };
}

/** The words of the fields of a kind, for history. */
export function fieldLabels(kind: RecordKind): Map<string, FieldSpec> {
  const out = new Map<string, FieldSpec>();
  for (const x of FORMS[kind]({})) {
    out.set(x.name, x);
    if (x.type === 'quantity') out.set(x.unitName, { name: x.unitName, label: x.label, type: 'select', options: x.units });
  }
  return out;
}
