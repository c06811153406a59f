// Every operation of docs/openapi.yaml is reached from a page by every role that may do it: read from the sources, without running them.
//
// What counts as reached: a page of that role (src/rooms) imports, by itself or through what it imports, a declaration whose body asks for that method and path.
// The frame (App.svelte) is a page of everybody. Declarations are followed one by one, not file by file: a page that imports one function of a module reaches
// what that function asks for and nothing else. What a page shows to whom within itself is not seen here; tests/portal.test.mjs clicks it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import ts from 'typescript';
import { openapi, ROLE_NAMES } from '../../tests/portal/openapi.mjs';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Operations that programs ask for and people do not, each with its reason. */
const MACHINES_ONLY = {
  getMetrics: 'for a collector of metrics',
  getHealth: 'for whatever watches the process',
  createObject: 'the first API, kept for programs; the pages use createRegistryObject',
  updateObject: 'the first API, kept for programs; the pages use updateRegistryObject',
  listObjects: 'the first API, kept for programs; the pages use listRegistryObjects',
  getObject: 'the first API, kept for programs; the pages use getRegistryObject',
  createOrganisation: 'the first API, kept for programs; the pages use createRegistryOrganisation',
  updateOrganisation: 'the first API, kept for programs; the pages use updateRegistryOrganisation',
  listOrganisations: 'the first API, kept for programs; the pages use listRegistryOrganisations',
  listSources: 'the first API, kept for programs: all at once; the pages use listCollectionSources',
  listClocks: 'the first API, kept for programs: the first 500; the pages use listDuties',
};
/** Roles that an operation admits though nothing is there for them to do with it, each with its reason. */
const NOT_FOR = {
  searchEvents: { roles: ['knb', 'authorised_body'], reason: 'no page of events is theirs: they work on what was sent to them' },
  eventHistogram: { roles: ['knb', 'authorised_body'], reason: 'see searchEvents' },
  tailEvents: { roles: ['knb', 'authorised_body'], reason: 'see searchEvents' },
  listConformance: { roles: ['knb', 'authorised_body'], reason: 'see searchEvents' },
  listUnparsed: { roles: ['knb', 'authorised_body'], reason: 'see searchEvents' },
  listChanges: { roles: ['knb', 'authorised_body'], reason: 'they decide on no change; those that count are in the summaries' },
  listRequestKinds: { roles: ['administrator', 'surveyor', 'knb', 'auditor'], reason: 'a list of what one may open, and they open nothing' },
  listRequestTargets: { roles: ['administrator', 'surveyor', 'knb', 'auditor'], reason: 'see listRequestKinds' },
  sendLinkObject: { roles: ['owner_officer'], reason: 'they do not see the nodes; their administrator sends' },
};

const LANGUAGE_OF = { kind: ts.ScriptKind.TS, target: ts.ScriptTarget.ESNext };
const files = new Map();

function find(from, what) {
  if (!what.startsWith('.')) return null;
  const base = resolve(dirname(from), what);
  return [base, `${base}.ts`].find((f) => existsSync(f) && /\.(ts|svelte)$/.test(f)) ?? null;
}

/** A template or text as a path: `${id(x)}` fills one place in braces, any other `${…}` may be a plain word too. */
function pathOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  const one = (e) => (ts.isCallExpression(e) && /^(id|encodeURIComponent)$/.test(e.expression.getText()) ? '{}' : '{*}');
  return node.head.text + node.templateSpans.map((s) => one(s.expression) + s.literal.text).join('');
}

/** Requests that a piece of source makes: [method, path]. */
function asks(node) {
  const found = [];
  const look = (n) => {
    if (ts.isCallExpression(n)) {
      const name = n.expression.getText();
      const at = name === 'send' || name === 'bytesOf' ? 1 : 0;
      const method = at === 1 ? n.arguments[0]?.text : 'GET';
      if (/^(send|get|bytesOf|addressOf|address)$/.test(name) && n.arguments[at]) {
        const path = pathOf(n.arguments[at]);
        // An address may be asked for with a method of its own: fetch(addressOf(…), { method: 'POST' }).
        const fetched = n.parent && ts.isCallExpression(n.parent) && n.parent.expression.getText() === 'fetch' ? /method: '(\w+)'/.exec(n.parent.getText())?.[1] : undefined;
        if (path) found.push([fetched ?? method ?? 'GET', path.replace(/\?.*$/, '')]);
      }
    }
    const bare = ts.isStringLiteralLike(n) || ts.isTemplateExpression(n) ? pathOf(n) : null;
    if (bare?.startsWith('/api/v1/')) found.push(['GET', bare.slice(7).replace(/\?.*$/, '')]);
    if (bare?.startsWith('/i18n/')) found.push(['GET', bare]);
    ts.forEachChild(n, look);
  };
  look(node);
  return found;
}

/** A module as declarations: name → { asks, uses: [[file, name]] }. An object of functions is a declaration for each of its members, «api.cases». */
function read(file) {
  if (files.has(file)) return files.get(file);
  const whole = readFileSync(file, 'utf8');
  const svelte = file.endsWith('.svelte');
  const script = svelte ? [...whole.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((m) => m[1]).join('\n') : whole;
  const tree = ts.createSourceFile(file, script, LANGUAGE_OF.target, true, LANGUAGE_OF.kind);
  const imports = new Map();
  const module = { declarations: new Map(), imports };
  files.set(file, module);
  const parts = [];
  for (const s of tree.statements) {
    if (ts.isImportDeclaration(s) || (ts.isExportDeclaration(s) && s.moduleSpecifier)) {
      const from = find(file, s.moduleSpecifier.text);
      const named = s.importClause?.namedBindings ?? s.exportClause;
      if (from && s.importClause?.name) imports.set(s.importClause.name.text, [from, 'default']);
      if (from && named?.elements) for (const e of named.elements) imports.set(e.name.text, [from, (e.propertyName ?? e.name).text]);
    } else if (ts.isVariableStatement(s)) for (const d of s.declarationList.declarations) parts.push([d.name.getText(), d.initializer]);
    else parts.push([s.name?.text ?? '', s]);
  }
  const locals = new Set(parts.map(([name]) => name));
  const usesOf = (text) => {
    const out = [];
    for (const m of text.matchAll(/(?<![.\w])([A-Za-z_$][\w$]*)(?:\??\.(\w+))?/g)) {
      if (imports.has(m[1])) out.push([imports.get(m[1])[0], imports.get(m[1])[1], m[2]]);
      else if (locals.has(m[1])) out.push([file, m[1], m[2]]);
    }
    for (const m of text.matchAll(/import\('([^']+)'\)/g)) if (find(file, m[1])) out.push([find(file, m[1]), 'default']);
    return out;
  };
  const declare = (name, node, text) => {
    const old = module.declarations.get(name) ?? { asks: [], uses: [] };
    module.declarations.set(name, { asks: [...old.asks, ...asks(node)], uses: [...old.uses, ...usesOf(text)] });
  };
  if (svelte) {
    // A component is one declaration: its script and what is drawn.
    const rest = whole.replace(/<style[\s\S]*?<\/style>/g, '').replace(/^\s*import [^;]*;/gm, '');
    declare('default', tree, rest);
    return module;
  }
  for (const [name, node] of parts) {
    if (!node) continue;
    const plain = ts.isSatisfiesExpression(node) || ts.isAsExpression(node) ? node.expression : node;
    if (ts.isObjectLiteralExpression(plain) && plain.properties.some((p) => p.initializer && ts.isArrowFunction(p.initializer)))
      for (const p of plain.properties) declare(`${name}.${p.name?.getText() ?? ''}`, p, p.getText());
    else declare(name, node, node.getText());
    // What stands by itself runs with the module.
    if (name === '') declare('default', node, node.getText());
  }
  return module;
}

/** All that is asked for from here on. */
function reached(file, name, seen = new Set(), out = []) {
  const module = read(file);
  const names = module.declarations.has(name) ? [name] : [...module.declarations.keys()].filter((n) => n.startsWith(`${name}.`));
  if (names.length === 0 && module.imports.has(name)) return reached(...module.imports.get(name), seen, out);
  for (const n of names) {
    const key = `${file} ${n}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const d = module.declarations.get(n);
    out.push(...d.asks);
    for (const [f, used, member] of d.uses) {
      const whole = member !== undefined && read(f).declarations.has(`${used}.${member}`) ? `${used}.${member}` : used;
      reached(f, whole, seen, out);
    }
  }
  return out;
}

function fits(operation, [method, path]) {
  if (operation.method !== method) return false;
  const want = operation.path.split('/');
  const have = path.split('/');
  return want.length === have.length && want.every((w, i) => w === have[i] || (w.startsWith('{') ? have[i] !== undefined && have[i].includes('{') : have[i].includes('{*}')) || (w.includes('{lang}') && have[i].includes('{*}')));
}

/** The rooms' tables, read as they are written: path, roles as source text, component. */
function pages() {
  const all = [];
  const page = readFileSync(join(src, 'lib/page.ts'), 'utf8');
  const sets = { CENTRE: [], OWNERS: [] };
  for (const name of Object.keys(sets)) sets[name] = [...new RegExp(`${name}: readonly Role\\[\\] = \\[([^\\]]*)\\]`).exec(page)[1].matchAll(/'(\w+)'/g)].map((m) => m[1]);
  const rolesOf = (text, local) => {
    if (/^without\(/.test(text)) return ROLE_NAMES.filter((r) => !text.includes(`'${r}'`));
    if (text === 'everybody') return ROLE_NAMES;
    if (sets[text]) return sets[text];
    if (local[text]) return rolesOf(local[text], local);
    return text.replace(/^\[|\]$/g, '').split(',').map((x) => x.trim()).filter(Boolean).flatMap((x) => (x.startsWith('...') ? rolesOf(x.slice(3), local) : [x.slice(1, -1)]));
  };
  for (const name of readdirSync(join(src, 'rooms')).filter((n) => n !== 'dev.ts')) {
    const file = join(src, 'rooms', name);
    const text = readFileSync(file, 'utf8');
    const local = Object.fromEntries([...text.matchAll(/const (\w+)(?:: [^=]+)? = (\[[^\]]*\]|without\([^)]*\)|[A-Za-z]+)(?: as const)?;/g)].map((m) => [m[1], m[2]]));
    for (const m of text.matchAll(/path: '([^']*)',\s*roles: (\[[^\]]*\]|[\w.]+(?:\([^)]*\))?),\s*component: \(\) => import\('([^']+)'\)/g))
      all.push({ path: m[1], roles: rolesOf(m[2], local), file: find(file, m[3]) });
  }
  return all;
}

test('every operation of the API is reached from a page by every role that may do it', () => {
  const rooms = pages();
  const written = readdirSync(join(src, 'rooms')).filter((n) => n !== 'dev.ts').reduce((sum, n) => sum + (readFileSync(join(src, 'rooms', n), 'utf8').match(/\bpath: '/g)?.length ?? 0), 0);
  assert.equal(rooms.length, written, 'every row of the rooms is read');
  for (const p of rooms) assert.ok(p.file && p.roles.every((r) => ROLE_NAMES.includes(r)), `${p.path}: ${p.roles}`);
  const frame = reached(join(src, 'App.svelte'), 'default');
  const asked = new Map(rooms.map((p) => [p, reached(p.file, 'default')]));
  const missing = [];
  const operations = openapi().operations();
  for (const o of operations) {
    if (MACHINES_ONLY[o.id]) continue;
    const by = (list) => list.some((a) => fits(o, a));
    if (by(frame)) continue;
    const from = rooms.filter((p) => by(asked.get(p)));
    if (from.length === 0) missing.push(`${o.id} (${o.method} ${o.path}): no page`);
    else {
      const without = o.roles.filter((r) => !NOT_FOR[o.id]?.roles.includes(r) && !from.some((p) => p.roles.includes(r)));
      if (without.length > 0) missing.push(`${o.id} (${o.method} ${o.path}): not for ${without.join(', ')}; it is on ${from.map((p) => `«${p.path}»`).join(' ')}`);
    }
  }
  assert.deepEqual(missing, []);
  for (const id of [...Object.keys(MACHINES_ONLY), ...Object.keys(NOT_FOR)]) assert.ok(operations.some((o) => o.id === id), `${id} is excused and no longer there`);
  // And the other way round: a page asks for nothing that the API does not have.
  const all = [frame, ...asked.values()].flat();
  assert.deepEqual([...new Set(all.filter((a) => !operations.some((o) => fits(o, a))).map((a) => a.join(' ')))], []);
});

test('what an excuse excuses is still called by no page', () => {
  const all = pages().flatMap((p) => reached(p.file, 'default'));
  const operations = openapi().operations();
  for (const [id, reason] of Object.entries(MACHINES_ONLY)) {
    const o = operations.find((x) => x.id === id);
    assert.ok(reason.length > 10 && !all.some((a) => fits(o, a)), `${id} is called from ${relative(src, src) || 'a page'}`);
  }
});
