// openapi.mjs - does an answer of the server fit docs/openapi.yaml?
//
// const spec = openapi(); spec.problems('GET', '/cases/17', 200, json) → ["$.items[0].due: …"], empty when it fits.
// spec.operations() lists what a server must offer. The part of JSON Schema that the file uses, and a refusal of any other part.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const root = resolve(new URL('../..', import.meta.url).pathname);
const { parse } = createRequire(resolve(root, 'web/package.json'))('yaml');

const KNOWN = new Set(['$ref', 'type', 'enum', 'properties', 'required', 'additionalProperties', 'items', 'oneOf', 'anyOf', 'pattern', 'format', 'minimum', 'maximum',
    'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems', 'description', 'default', 'examples', 'contentMediaType']);
/** Refusals that any operation may give; the head of the file says so. */
const ANYWHERE = new Set([400, 403, 405, 413, 429, 431, 500, 503]);
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const FORMATS = { 'date-time': (s) => INSTANT.test(s) && !Number.isNaN(Date.parse(s)), date: (s) => /^\d{4}-\d\d-\d\d$/.test(s) && !Number.isNaN(Date.parse(s)) };

const kind = (v) => (v === null ? 'null' : Array.isArray(v) ? 'array' : typeof v);
const isType = (v, t) => (t === 'integer' ? Number.isInteger(v) : t === 'number' ? typeof v === 'number' : kind(v) === t);

/** The words of x-roles: a role each, and groups. */
const WORDS = { ADM: 'administrator', ANA: 'centre_analyst', LEA: 'centre_lead', SUR: 'surveyor', DOC: 'document_auditor', OFF: 'owner_officer',
    OAD: 'owner_administrator', OCI: 'ocib_analyst', CII: 'cii_responsible', KNB: 'knb', AUT: 'authorised_body', AUD: 'auditor' };
export const ROLE_NAMES = Object.values(WORDS);
const ROLE_WORDS = { ...Object.fromEntries(Object.entries(WORDS).map(([k, v]) => [k, [v]])), CENTRE: [WORDS.ANA, WORDS.LEA],
    OWNER: [WORDS.OFF, WORDS.OAD, WORDS.OCI, WORDS.CII], EVERY: ROLE_NAMES };

export function openapi(text = readFileSync(resolve(root, 'docs/openapi.yaml'), 'utf8')) {
    const doc = parse(text);
    const find = (ref) => ref.slice(2).split('/').reduce((o, k) => o?.[k], doc);

    function validate(schema, v, at, out) {
        for (const k of Object.keys(schema)) if (!KNOWN.has(k)) throw new Error(`openapi.mjs does not know "${k}" (at ${at})`);
        if (schema.$ref) {
            const target = find(schema.$ref);
            if (!target) throw new Error(`${schema.$ref} leads nowhere`);
            validate(target, v, at, out);
        }
        for (const many of [schema.oneOf, schema.anyOf].filter(Boolean)) {
            const tried = many.map((s) => { const p = []; validate(s, v, at, p); return p; });
            if (!tried.some((p) => p.length === 0)) out.push(...tried.sort((a, b) => b.join().length - a.join().length)[0]);
        }
        if (schema.type) {
            const types = [schema.type].flat();
            if (!types.some((t) => isType(v, t))) { out.push(`${at}: ${kind(v)} instead of ${types.join(' or ')}`); return; }
        }
        if (schema.enum && !schema.enum.includes(v)) out.push(`${at}: ${JSON.stringify(v)} is none of ${schema.enum.join(', ')}`);
        if (typeof v === 'string') {
            const length = [...v].length;
            if (length < (schema.minLength ?? 0)) out.push(`${at}: shorter than ${schema.minLength}`);
            if (length > (schema.maxLength ?? Infinity)) out.push(`${at}: longer than ${schema.maxLength}`);
            if (schema.pattern && !new RegExp(schema.pattern, 'u').test(v)) out.push(`${at}: ${JSON.stringify(v)} does not match ${schema.pattern}`);
            if (schema.format && !FORMATS[schema.format]?.(v)) out.push(`${at}: ${JSON.stringify(v)} is no ${schema.format}`);
        }
        if (typeof v === 'number') {
            if (v < (schema.minimum ?? -Infinity)) out.push(`${at}: ${v} is below ${schema.minimum}`);
            if (v > (schema.maximum ?? Infinity)) out.push(`${at}: ${v} is above ${schema.maximum}`);
        }
        if (Array.isArray(v)) {
            if (v.length > (schema.maxItems ?? Infinity)) out.push(`${at}: more than ${schema.maxItems} entries`);
            if (v.length < (schema.minItems ?? 0)) out.push(`${at}: fewer than ${schema.minItems} entries`);
            if (schema.items) v.forEach((x, i) => validate(schema.items, x, `${at}[${i}]`, out));
        } else if (kind(v) === 'object') {
            for (const k of schema.required ?? []) if (!Object.hasOwn(v, k)) out.push(`${at}.${k}: absent`);
            for (const [k, x] of Object.entries(v)) {
                const s = schema.properties && Object.hasOwn(schema.properties, k) ? schema.properties[k] : schema.additionalProperties;
                if (s === false) out.push(`${at}.${k}: not in the schema`);
                else if (s && s !== true) validate(s, x, `${at}.${k}`, out);
            }
        }
    }

    const routes = Object.entries(doc.paths).map(([path, item]) => ({
        path, item, pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
        weight: (path.match(/\{/g) ?? []).length,
    })).sort((a, b) => a.weight - b.weight);

    function problems(method, path, status, json) {
        const bare = path.split('?')[0].replace(/^\/api\/v1/, '');
        const route = routes.find((r) => r.pattern.test(bare) && r.item[method.toLowerCase()]);
        if (!route) return [`${method} ${bare}: not described`];
        let answer = route.item[method.toLowerCase()].responses[String(status)];
        if (!answer && ANYWHERE.has(status)) answer = find('#/components/responses/Error');
        if (!answer) return [`${method} ${route.path}: status ${status} is not described`];
        if (answer.$ref) answer = find(answer.$ref);
        const schema = (answer.content?.['application/json'] ?? answer.content?.['application/problem+json'])?.schema;
        if (!schema) return json === undefined ? [] : [`${method} ${route.path}: ${status} has no JSON`];
        const out = [];
        validate(schema, json, '$', out);
        return out.map((p) => `${method} ${route.path} ${status} ${p}`);
    }

    return {
        doc,
        problems,
        /** Problems of a value with a named schema, for streams. */
        schemaProblems(name, v) { const out = []; validate(doc.components.schemas[name], v, name, out); return out; },
        operations() {
            return routes.flatMap((r) => Object.keys(r.item).filter((m) => ['get', 'post', 'put', 'delete'].includes(m)).map((m) => ({ method: m.toUpperCase(), path: r.path, id: r.item[m].operationId, roles: (r.item[m]['x-roles'] ?? []).flatMap((w) => ROLE_WORDS[w] ?? [`unknown ${w}`]), bytes: !!r.item[m].requestBody?.content?.['application/octet-stream'] })));
        },
    };
}
