// Checks the catalogues: same keys, same placeholders, nothing empty, sorted; and that web/src and they agree.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'web/src');
const LANGS = ['kk', 'ru', 'en'];
const problems = [];
const texts = {};
for (const lang of LANGS) {
  const path = join(root, 'content/i18n', `${lang}.json`);
  const raw = readFileSync(path, 'utf8');
  texts[lang] = JSON.parse(raw);
  const keys = [...raw.matchAll(/^ {2}"((?:[^"\\]|\\.)*)":/gm)].map((m) => m[1]);
  const sorted = [...keys].sort();
  const at = keys.findIndex((k, i) => k !== sorted[i]);
  if (at >= 0) problems.push(`${lang}.json: "${keys[at]}" is out of order, expected "${sorted[at]}"`);
  const twice = sorted.find((k, i) => k === sorted[i + 1]);
  if (twice) problems.push(`${lang}.json: "${twice}" stands twice`);
  if (keys.length !== Object.keys(texts[lang]).length && !twice) problems.push(`${lang}.json: not one key a line`);
}

/** Names that a text takes: {name}, {name, plural, …}; %-formats of the C side are compared too. */
function placeholders(text) {
  const names = new Set();
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '{') {
      const m = /^\{\s*(\w+)\s*(,|\})/.exec(text.slice(i));
      if (m && (depth === 0 || m[2] === '}') && !/^\{[^{},]*\s/.test(text.slice(i, i + m[0].length))) names.add(m[1]);
      depth += 1;
    } else if (text[i] === '}') depth -= 1;
  }
  if (depth !== 0) names.add('(unbalanced braces)');
  return [...names].sort().join(' ');
}
/** Inside a plural form a single word in braces is the form itself, so only the first level counts there. */
function topPlaceholders(text) {
  let out = '';
  let depth = 0;
  for (const c of text) {
    if (c === '{') depth += 1;
    if (depth <= 1) out += c;
    if (c === '}') depth -= 1;
  }
  return depth === 0 ? placeholders(out) : '(unbalanced braces)';
}

const all = new Set(LANGS.flatMap((l) => Object.keys(texts[l])));
for (const key of [...all].sort()) {
  for (const lang of LANGS) {
    const text = texts[lang][key];
    if (text === undefined) problems.push(`${lang}.json: "${key}" is missing`);
    else if (typeof text !== 'string' || text.trim() === '') problems.push(`${lang}.json: "${key}" is empty`);
    else if (texts.kk[key] !== undefined && topPlaceholders(text) !== topPlaceholders(String(texts.kk[key])))
      problems.push(`${lang}.json: "${key}" takes "${topPlaceholders(text)}", kk.json "${topPlaceholders(String(texts.kk[key]))}"`);
    if (lang === 'ru' && typeof text === 'string' && /, plural,/.test(text))
      for (const form of ['one {', 'few {', 'many {', 'other {']) if (!text.includes(form)) problems.push(`ru.json: "${key}" lacks the plural form ${form.slice(0, -2)}`);
  }
}

// Keys in the source: whole ones must exist; built ones (`ui.state.${x}`) must exist for each value of their list.
const types = readFileSync(join(source, 'lib/api/types.ts'), 'utf8');
function list(name, text = types) {
  const m = new RegExp(`export const ${name} = \\[([^\\]]*)\\]`).exec(text);
  if (!m) throw new Error(`no list ${name}`);
  const out = [...m[1].matchAll(/'([^']+)'/g)].map((x) => x[1]);
  if (m[1].includes('...ACTIONS')) out.push(...list('ACTIONS'));
  return out;
}
const BUILT = {
  'ui.action.': list('ACTIONS'),
  'ui.action_field.': ['note', 'reason', 'text', 'recommendations', 'detection_kind', 'confirmed_at', 'level', 'causes', 'consequences', 'causes_at', 'arrives_at', 'consequences_at', 'what', 'contact', 'to',
    'employee', 'sent_at', 'returned_at', 'report', 'recurrence', 'previous', 'incident_type', 'tlp', 'persons', 'number', 'type', 'value', 'into', 'form'],
  'ui.action_hint.': list('ACTIONS'),
  'ui.action_submit.': list('ACTIONS'),
  'ui.case.decided_by.': ['knb', 'sts'],
  'ui.case.machine.': list('CASE_MACHINES'),
  'ui.case.visit_state.': ['need_determined', 'sent', 'returned_with_report'],
  'ui.case_kind.': list('CASE_KINDS'),
  'ui.channel.': list('CHANNELS'),
  'ui.class.': list('SOURCE_CLASSES'),
  'ui.clock_state.': list('CLOCK_STATES'),
  'ui.contact_kind.': list('CONTACT_KINDS'),
  'ui.contour.': list('CONTOURS'),
  'ui.criticality.': list('CRITICALITIES'),
  'ui.document.': list('DOCUMENT_KINDS'),
  'ui.document_short.': list('DOCUMENT_KINDS'),
  'ui.enum.': ['detection_kind.event', 'detection_kind.incident', 'level.high', 'level.medium', 'level.low', 'level.undefined',
    'to.sts', 'to.owner', 'to.ocib', 'what.causes', 'what.consequences', 'what.both', 'recurrence.repeated', 'recurrence.new',
    ...list('TLP').map((x) => `tlp.${x}`), ...list('IOC_TYPES').map((x) => `type.${x}`)],
  'ui.failure.': ['bad_answer', 'bad_credentials', 'bad_csrf', 'conflict', 'empty_credentials', 'file_empty', 'forbidden', 'internal', 'locked_out', 'not_found', 'sum_differs', 'too_large', 'too_many_requests', 'unauthenticated', 'unavailable', 'unreachable', 'weak_password', 'wrong_state', 'tlp_forbids', 'not_connected'],
  'ui.file.': ['summing', 'sending', 'done', 'failed'],
  'ui.group.': list('GROUPS', readFileSync(join(source, 'lib/page.ts'), 'utf8')),
  'ui.home.lead.': ['surveyor', 'document_auditor', 'knb', 'authorised_body', 'auditor'],
  'ui.incident_level.': list('INCIDENT_LEVELS'),
  'ui.ioc.': list('IOC_TYPES'),
  'ui.mark.': ['truncated', 'binary', 'not_utf8', 'future', 'unparsed'],
  'ui.notice_state.': list('NOTICE_STATES'),
  'ui.outcome.': list('OUTCOMES'),
  'ui.range.': ['15m', '1h', '4h', '24h', '7d', '30d'],
  'ui.registry.add.': ['organisation', 'person', 'contract'],
  'ui.registry.ask.': ['remove', 'reached', 'missed'],
  'ui.registry.many.': ['organisation', 'person', 'contract'],
  'ui.registry.tab.': ['facts', 'scope', 'components', 'contacts', 'files', 'states', 'history'],
  'ui.role.': list('ROLES'),
  'ui.role_hint.': list('ROLES'),
  'ui.rule_level.': list('RULE_LEVELS'),
  'ui.rule_status.': list('RULE_STATUSES'),
  'ui.size.': ['B', 'kB', 'MB', 'GB', 'TB'],
  'ui.state.': list('CASE_STATES'),
  'ui.step.': ['done', 'now', 'next', 'skipped'],
  'ui.subject.': ['case', 'object', 'organisation', 'request', 'report', 'person', 'document_survey', 'survey'],
  'ui.theme.': ['system', 'dark', 'light'],
  'ui.timeline.': list('TIMELINE_KINDS'),
  'ui.urgency.': ['late', 'urgent', 'soon', 'calm'],
};
function files(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? files(join(dir, e.name)) : /\.(ts|svelte)$/.test(e.name) ? [join(dir, e.name)] : []));
}
// A room says where it keeps its lists: «// i18n: ui.scope.* ui.scope_hint.*» on the line above «export const SCOPES = ['…'] as const».
for (const file of files(source))
  for (const m of readFileSync(file, 'utf8').matchAll(/\/\/ i18n: ([^\n]*)\n\s*(?:export )?const \w+[^=\n]*= \[([^\]]*)\]/g))
    for (const [, prefix] of m[1].matchAll(/(ui\.[\w.]+\.)\*/g)) (BUILT[prefix] ??= []).push(...[...m[2].matchAll(/'([^']+)'/g)].map((x) => x[1]));
const used = new Map();
for (const [prefix, values] of Object.entries(BUILT)) for (const v of values) used.set(prefix + v, 'scripts/check-i18n.mjs');

for (const file of files(source)) {
  const text = readFileSync(file, 'utf8');
  const name = file.slice(root.length);
  for (const m of text.matchAll(/['"`](ui\.[\w.]*)(\$\{)?/g)) {
    if (!m[2] && !m[1].endsWith('.')) used.set(m[1], name);
    else if (!(m[1] in BUILT)) problems.push(`${name}: no list of values is known for "${m[1]}\${…}"; write «// i18n: ${m[1]}*» above its list, or add it to scripts/check-i18n.mjs`);
  }
}
for (const [key, where] of used) if (!(key in texts.kk)) problems.push(`${where}: "${key}" is not in the catalogue`);
for (const key of all) if (key.startsWith('ui.') && !used.has(key)) problems.push(`kk.json: "${key}" is used nowhere`);

if (problems.length > 0) {
  for (const p of problems) console.error(`check-i18n: ${p}`);
  process.exit(1);
}
console.log(`check-i18n: ${all.size} texts in ${LANGS.length} languages, ${used.size} of them used by the portal`);
