// Answers for what the mock server does not imitate, made up from the schemas of docs/openapi.yaml; and own answers filled up to their schema,
// so that the API may grow without the mock falling behind it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { openapi } from '../../tests/portal/openapi.mjs';

export const spec = openapi();
const HOUR = 3_600_000;
const find = (ref) => ref.slice(2).split('/').reduce((o, k) => o?.[k], spec.doc);
const resolved = (schema) => (schema?.$ref ? resolved({ ...find(schema.$ref), ...Object.fromEntries(Object.entries(schema).filter(([k]) => k !== '$ref')) }) : (schema ?? {}));

const NAMES = ['«Электрондық денсаулық паспорты» ақпараттық жүйесі', 'Информационная система «Единый реестр лицензий и разрешений физических лиц»', '«Архив» АЖ'];
const PEOPLE = ['Айгүл Нұрланқызы Бекмұхамбетова', 'Данияр Оспанов', 'Виктор Ли'];
const ORGS = ['Қазақстан Республикасы Денсаулық сақтау министрлігі', '«Электр желілері» АҚ', '«Кибер қалқан» АҚЖО ЖШС'];
const TEXTS = ['Хат бойынша нақтыланды, №118-04/2026.', 'Плановое обновление компонентов в ночь на воскресенье; состав журналов не меняется.', 'Checked on the spot.'];
const at = (list, i) => list[i % list.length];

// A room's page says what words a plain string may be: «// i18n: ui.requests.kind.*» above its list. So does this: a property «kind» below /requests.
const api = new URL('../src/lib/api/', import.meta.url);
const lists = new Map();
for (const file of readdirSync(api))
  for (const m of readFileSync(new URL(file, api), 'utf8').matchAll(/\/\/ i18n: ([^\n]*)\n\s*(?:export )?const \w+[^=\n]*= \[([^\]]*)\]/g))
    for (const [, room, property] of m[1].matchAll(/ui\.(\w+)\.(\w+)\.\*/g)) lists.set(`${room}.${property}`, [...m[2].matchAll(/'([^']+)'/g)].map((x) => x[1]));
let room = '';

/** A word for a property by its name; `i` runs over the items of a list. */
function word(name, i) {
  if (/sha256|hash|digest/.test(name)) return createHash('sha256').update(name + i).digest('hex');
  if (/(^|_)ip$|address/.test(name)) return `10.20.${i % 200}.17`;
  if (/dns|host/.test(name)) return `ehr-app-0${i % 9}`;
  if (/e?mail/.test(name)) return 'd.ospanov@dsm.example';
  if (/phone|^tel/.test(name)) return '+7 7172 74 32 10';
  if (/bin$/.test(name)) return '170340000121';
  if (/login/.test(name)) return 'd.ospanov';
  if (/paragraph/.test(name)) return '12';
  if (/obligation/.test(name)) return 'D-11';
  if (/number/.test(name)) return `2026-0000${10 + i}`;
  if (/(^|_)(id|version|edition|code)$/.test(name)) return String(i + 1);
  if (/person|who|author|signer|responsible|by$/.test(name)) return at(PEOPLE, i);
  if (/org|owner|possessor|sender|addressee/.test(name)) return at(ORGS, i);
  if (/name|title|object|subject/.test(name)) return at(NAMES, i);
  if (/file/.test(name)) return 'сызба-2026.pdf';
  return at(TEXTS, i);
}

function text(schema, name, i) {
  if (schema.enum) return at(schema.enum, i);
  const known = lists.get(`${room}.${name}`);
  if (known && !schema.format) return at(known, i);
  if (schema.examples) return at(schema.examples, i);
  if (schema.format === 'date-time') return new Date(Date.now() + (/due|until|expires|planned/.test(name) ? (i + 1) * 5 * HOUR : -(i + 1) * 3 * HOUR)).toISOString();
  if (schema.format === 'date') return new Date(Date.now() - i * 24 * HOUR).toISOString().slice(0, 10);
  const fits = (s) => (!schema.pattern || new RegExp(schema.pattern, 'u').test(s)) && [...s].length <= (schema.maxLength ?? Infinity) && [...s].length >= (schema.minLength ?? 0);
  const tries = [word(name, i), 'D-11', 'F-05', '0'.repeat(64), '10.20.4.17', '170340000121', '2026-Q3', '2026Q3', '2026-10-01', '2026-000011', 'kz-52-2025', '1', 'a', 'kk', `${'a'.repeat(schema.minLength ?? 1)}`];
  return tries.find(fits) ?? [...word(name, i)].slice(0, schema.maxLength ?? 200).join('');
}

/** A value of a schema; every property is there, so that a page shows all that it can. */
export function sample(given, name = '', i = 0, depth = 0) {
  const schema = resolved(given);
  const many = schema.oneOf ?? schema.anyOf;
  if (many) return sample(many.find((s) => resolved(s).type !== 'null') ?? many[0], name, i, depth);
  if (schema.enum) return at(schema.enum.filter((x) => x !== null), i);
  const types = [schema.type ?? (schema.properties ? 'object' : 'string')].flat();
  const type = types.find((t) => t !== 'null') ?? 'null';
  if (depth > 7 || type === 'null') return types.includes('null') ? null : type === 'array' ? [] : type === 'object' ? {} : text(schema, name, i);
  if (type === 'boolean') return i % 2 === 0;
  if (type === 'integer' || type === 'number') return Math.min(schema.maximum ?? Infinity, Math.max(schema.minimum ?? 0, /bytes|size/.test(name) ? 48213 : /ms|_s$/.test(name) ? 17 : 3 + i));
  if (type === 'array') return Array.from({ length: Math.min(schema.maxItems ?? 3, Math.max(schema.minItems ?? 0, depth === 1 ? 3 : 2)) }, (_, x) => sample(schema.items ?? {}, name, i + x, depth + 1));
  if (type === 'object') {
    const out = {};
    for (const [k, s] of Object.entries(schema.properties ?? {})) out[k] = k === 'next' ? null : k === 'now' ? new Date().toISOString() : sample(s, k, i, depth + 1);
    return out;
  }
  return text(schema, name, i);
}

/** The value with what its schema demands beyond it, and without what the schema does not know. */
export function filled(given, v, name = '') {
  const schema = resolved(given);
  const many = schema.oneOf ?? schema.anyOf;
  if (many) {
    if (v === null) return v;
    return filled(many.find((s) => resolved(s).type !== 'null') ?? {}, v, name);
  }
  if (Array.isArray(v)) return v.map((x) => filled(schema.items ?? {}, x, name));
  if (typeof v !== 'object' || v === null || !schema.properties) return v;
  const out = {};
  for (const [k, x] of Object.entries(v)) if (schema.properties[k] || schema.additionalProperties !== false) out[k] = filled(schema.properties[k] ?? {}, x, k);
  for (const k of schema.required ?? []) {
    if (Object.hasOwn(out, k)) continue;
    const s = resolved(schema.properties[k]);
    const nullable = [s.type].flat().includes('null') || (s.oneOf ?? s.anyOf ?? []).some((x) => resolved(x).type === 'null');
    out[k] = nullable ? null : s.type === 'array' ? [] : sample(s, k);
  }
  return out;
}

const operations = spec.operations().map((o) => ({ ...o, pattern: new RegExp(`^${o.path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`), weight: o.path.split('{').length })).sort((a, b) => a.weight - b.weight);

/** What is described for a request: who may ask, and the schema of its good answer; null if nothing is. */
export function described(method, path) {
  room = path.split('/')[1] ?? '';
  const o = operations.find((x) => x.method === method && x.pattern.test(path));
  if (!o) return null;
  const responses = spec.doc.paths[o.path][method.toLowerCase()].responses;
  const status = Object.keys(responses).find((s) => s.startsWith('2')) ?? '200';
  const content = responses[status].$ref ? find(responses[status].$ref).content : responses[status].content;
  return { roles: o.roles, path: o.path, status: Number(status), schema: content?.['application/json']?.schema ?? null, types: Object.keys(content ?? {}) };
}
