// Serves web/dist and the API with made-up data, so that the portal can be tried without the C server:
//   node mock/server.mjs [--port N]     sign in as admin, aigul or daniyar with the password saqshy-demo-2026
// The headers are those of the real server, so a page that breaks its content security policy breaks here too.
import { randomBytes } from 'node:crypto';
import { readFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as D from './data.mjs';
import { CORRECT } from './rooms.mjs';
import { described, filled, sample } from './sample.mjs';

const PASSWORD = 'saqshy-demo-2026';
const HOUR = 3_600_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const SECURITY = {
  'Content-Security-Policy': "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};
const sessions = new Map();
const streams = new Set();
let failures = 0;

function send(res, status, body, headers = {}) {
  const schema = status < 300 && res.request ? described(...res.request)?.schema : null;
  const text = body === null ? '' : JSON.stringify(schema ? filled(schema, body) : body);
  res.writeHead(status, { ...SECURITY, 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });
  res.end(text);
}
const refuse = (res, status, code, { message, ...extra } = {}) =>
  send(res, status, { type: `urn:saqshy:problem:${code}`, title: message ?? code, status, code, ...extra }, { 'Content-Type': 'application/problem+json' });
const tell = (type, id) => streams.forEach((s) => s.write(`data: ${JSON.stringify({ type, id })}\n\n`));

async function body(req) {
  const parts = [];
  for await (const p of req) parts.push(p);
  const text = Buffer.concat(parts).toString();
  return text === '' ? {} : JSON.parse(text);
}
const uploads = new Map();
const PIECE = 64 * 1024;
async function upload(req, res, id, offset) {
  if (req.method === 'POST') {
    const b = await body(req);
    const fresh = { id: randomBytes(8).toString('hex'), name: b.name, size: b.size_bytes, bytes: Buffer.alloc(0) };
    uploads.set(fresh.id, fresh);
    return send(res, 201, uploadView(fresh));
  }
  const u = uploads.get(id);
  if (!u) return refuse(res, 404, 'not_found');
  if (req.method === 'PUT') {
    const parts = [];
    for await (const p of req) parts.push(p);
    if (offset !== u.bytes.length) return refuse(res, 409, 'conflict');
    u.bytes = Buffer.concat([u.bytes, ...parts]);
  }
  return send(res, 200, uploadView(u));
}
const uploadView = (u) => ({ id: u.id, name: u.name, size_bytes: u.size, offset: u.bytes.length, piece_bytes: PIECE, sha256: u.bytes.length === u.size ? D.sha(u.bytes) : null, type: u.bytes.length === u.size ? 'application/pdf' : null });
const userView = (u) => ({ id: u.id, login: u.login, name: u.name, role: u.role, org_id: u.org?.id ?? null, language: u.language });
const sessionView = (s) => ({ user: userView(s.user), csrf: s.csrf });
const bounded = (u) => ['owner_officer', 'owner_administrator', 'ocib_analyst', 'cii_responsible'].includes(u.role);
const mayCase = (u, c) => !bounded(u) || (c.object && D.objects.find((o) => o.id === c.object).org.id === u.org.id && c.notified);

function matches(e, q) {
  // Enough of the search language to try the page: words and field:"value", all of them, NOT before a term.
  const terms = [...q.matchAll(/(NOT\s+)?(?:([\w.@]+):)?(?:"((?:[^"\\]|\\.)*)"|([^\s()"]+))/g)].filter((m) => !['AND', 'OR', 'NOT'].includes(m[0].trim()));
  return terms.every((m) => {
    const want = (m[3]?.replace(/\\(.)/g, '$1') ?? m[4] ?? '').toLowerCase().replace(/\*$/, '');
    const hay = m[2] ? [e[m[2]] ?? ''].flat().map(String) : [e['event.original']];
    const hit = want === '' || hay.some((h) => (m[2] ? h.toLowerCase().startsWith(want) : h.toLowerCase().includes(want)));
    return m[1] ? !hit : hit;
  });
}
function found(url) {
  const from = Date.parse(url.searchParams.get('from') ?? '') || 0;
  const to = Date.parse(url.searchParams.get('to') ?? '') || Date.now() + HOUR;
  const q = url.searchParams.get('q') ?? '';
  return { from, to, items: D.events.filter((e) => Date.parse(e['@timestamp']) >= from && Date.parse(e['@timestamp']) < to && matches(e, q)) };
}

function act(c, name, b, u) {
  const now = Date.now();
  const me = D.person(u.login);
  const say = (extra = {}) => c.timeline.push(D.entry(name, now, me, extra));
  const stop = (ids, state) => c.clocks.forEach((k) => { if (ids.includes(k.obligation) && k.state === 'running') Object.assign(k, { state, fulfilled: state === 'fulfilled' ? now : null }); });
  if (name === 'analyse') { c.state = 'primary_analysis'; say({ text: b.note ?? null }); }
  else if (name === 'dismiss') { c.state = 'dismissed_by_sts'; stop(['D-05'], 'cancelled'); say({ text: b.reason }); }
  else if (name === 'notify') { D.notified(c, now, me); c.kind = b.detection_kind; }
  else if (name === 'confirm_event') { c.state = 'event_confirmed'; c.kind = 'event'; stop(['D-11'], 'cancelled'); say({ text: b.note ?? null }); }
  else if (name === 'confirm_incident') D.confirmed(c, Date.parse(b.confirmed_at), me, b.level, b.note ?? null);
  else if (name === 'reject') { c.state = 'rejected'; stop(['D-10', 'D-11'], 'cancelled'); say({ text: b.reason }); }
  else if (name === 'event_analysis') { c.state = 'event_analysed'; stop(['D-10'], 'fulfilled'); say({ text: b.text }); }
  else if (name === 'report_measures') {
    c.state = 'measures_reported';
    stop(['D-11'], 'fulfilled');
    c.documents.push({ sha256: D.sha(`annex2${c.id}`), kind: 'annex2', created_at: D.iso(now), size_bytes: 51877, author: me });
    say();
  } else if (name === 'eliminate') { c.declared = now; say({ text: `${b.causes}\n${b.consequences}` }); }
  else if (name === 'accept_elimination') { c.state = 'eliminated'; c.eliminated = now; stop(['D-06'], 'fulfilled'); say({ text: b.note ?? null }); }
  else if (name === 'notify_knb') { c.state = 'escalated_knb'; say(); }
  else if (name === 'review_level') { c.level = b.level; stop(['D-31'], 'fulfilled'); say({ text: b.reason }); }
  else if (name === 'close') { c.state = 'closed'; c.closed = now; say({ text: b.note ?? null }); }
  else say({ text: b.text ?? null });
  tell('case', c.id);
}

/** The paths that are imitated here; every other one is answered from its schema. */
const OWN = new Set([
  '/uploads', '/uploads/{id}', '/clocks', '/duties', '/cases', '/cases/{id}', '/cases/{id}/actions/{name}', '/inbox', '/inbox/{id}/read', '/events', '/events/histogram', '/events/tail',
  '/stream', '/objects', '/objects/{id}', '/organisations', '/sources', '/edition', '/rules', '/rules/{id}/policy', '/detection/rules', '/detection/rule', '/documents/{sha256}', '/users', '/users/{id}', '/audit',
]);
/** The registry keeps to the objects and organisations of data.mjs; the rest of it is made up. */
function registry(req, res, path, about, u, own, b) {
  const q = (new URL(req.url, 'http://mock').searchParams.get('q') ?? '').toLowerCase();
  const orgValue = (o) => ({ name: o.name, kinds: [o.kind], bin: o.bin, email: o.email, active: true, ...o.value });
  const row = (o) => ({ id: o.id, version: o.version ?? 1, value: orgValue(o), updated_at: D.iso(Date.now()), updated_by: 'admin' });
  if (path[1] === 'organisations') {
    if (!path[2] && req.method === 'GET') return send(res, 200, { items: D.organisations.filter((o) => `${o.name} ${o.bin}`.toLowerCase().includes(q)).map(row), next: null });
    const o = D.organisations.find((x) => x.id === path[2]);
    if (path[2] && !o) return refuse(res, 404, 'not_found');
    const target = o ?? { id: `org${D.organisations.length}`, kind: 'owner', bin: null, email: null };
    if (b) Object.assign(target, { name: b.value.name, value: b.value, version: (target.version ?? 0) + 1 });
    if (!o) D.organisations.push(target);
    return send(res, o ? 200 : 201, { ...row(target), kind: 'organisation', parent: null, removed: false, may: u.role === 'administrator' ? 'all' : 'read' });
  }
  const value = (o) => ({ ...sample(about.schema.$ref ? { $ref: '#/components/schemas/RegistryObjectValue' } : {}), name: o.name, org_id: o.org.id, criticality: o.criticality, contour: o.contour, hosts: o.hosts, active: o.active, note: null, ...o.value });
  if (!path[2] && req.method === 'GET')
    return send(res, 200, { items: own.filter((o) => `${o.name} ${o.org.name} ${o.hosts}`.toLowerCase().includes(q)).map((o) => filled(about.schema, { items: [{ ...o, version: o.version ?? 1 }], next: null }).items[0]), next: null });
  const o = own.find((x) => x.id === path[2]);
  if (path[2] && !o) return refuse(res, 404, 'not_found');
  const target = o ?? { id: `o${D.objects.length + 1}`, hosts: [], contacts: [], open_cases: 0, criticality: null, contour: null, active: true, last_event_at: null };
  if (b) Object.assign(target, { name: b.value.name, org: D.orgRef(b.value.org_id), hosts: b.value.hosts, value: b.value, version: (target.version ?? 0) + 1 });
  if (!o) D.objects.push(target);
  const full = sample(about.schema);
  return send(res, o ? 200 : 201, { ...full, id: target.id, version: target.version ?? 1, value: value(target), org: target.org, open_cases: target.open_cases, may: u.role === 'administrator' ? 'all' : bounded(u) ? 'own' : 'read' });
}
async function madeUp(req, res, about) {
  if (!about) return refuse(res, 404, 'not_found');
  if (req.method !== 'GET') await body(req).catch(() => undefined);
  if (about.schema) {
    const made = sample(about.schema);
    return send(res, about.status, CORRECT[about.path]?.(made, new URL(req.url, 'http://mock').searchParams) ?? made);
  }
  if (about.types.length === 0) return send(res, 204, null);
  res.writeHead(200, { ...SECURITY, 'Content-Type': about.types[0] });
  return res.end('%PDF-1.4\n');
}

async function api(req, res, url) {
  const path = url.pathname.slice('/api/v1'.length).split('/').filter(Boolean).map(decodeURIComponent);
  const key = `${req.method} ${path[0]}`;
  const about = described(req.method, `/${path.join('/')}`);
  res.request = [req.method, `/${path.join('/')}`];
  const cookie = /saqshy_session=(\w+)/.exec(req.headers.cookie ?? '')?.[1];
  const s = sessions.get(cookie);
  const lang = ['kk', 'ru', 'en'].find((l) => (req.headers['accept-language'] ?? '').startsWith(l)) ?? s?.user.language ?? 'kk';
  if (key === 'POST session' && path.length === 1) {
    const b = await body(req);
    const u = D.users.find((x) => x.login === b.login && x.active);
    if (failures >= 5) { failures = 0; return refuse(res, 429, 'locked_out', { retry_after: 60 }); }
    if (!u || b.password !== PASSWORD) { failures += 1; return refuse(res, 401, 'bad_credentials'); }
    failures = 0;
    const id = randomBytes(16).toString('hex');
    const fresh = { user: u, csrf: randomBytes(16).toString('hex') };
    sessions.set(id, fresh);
    return send(res, 200, sessionView(fresh), { 'Set-Cookie': `saqshy_session=${id}; HttpOnly; SameSite=Strict; Path=/` });
  }
  if (!s) return refuse(res, 401, 'unauthenticated');
  const u = s.user;
  if (req.method !== 'GET' && req.headers['x-csrf-token'] !== s.csrf) return refuse(res, 403, 'bad_csrf');
  if (key === 'GET session') return send(res, 200, sessionView(s));
  if (key === 'DELETE session') { sessions.delete(cookie); return send(res, 204, null); }
  if (key === 'PUT session') { u.language = (await body(req)).language; return send(res, 204, null); }
  if (key === 'POST session') { const b = await body(req); return b.old === PASSWORD ? send(res, 204, null) : refuse(res, 403, 'bad_credentials'); }
  if (about && about.roles.length > 0 && !about.roles.includes(u.role)) return refuse(res, 403, 'forbidden');
  const mineOf = D.objects.filter((o) => !bounded(u) || o.org.id === u.org.id);
  if (/^\/registry\/(organisations|objects)(\/\{id\})?$/.test(about?.path ?? '')) return registry(req, res, path, about, u, mineOf, req.method === 'GET' ? null : await body(req));
  if (!OWN.has(about?.path ?? '')) return madeUp(req, res, about);
  if (path[0] === 'uploads') return upload(req, res, path[1], Number(url.searchParams.get('offset')));
  const now = D.iso(Date.now());
  const mine = D.cases.filter((c) => mayCase(u, c));
  if (key === 'GET clocks' || (key === 'GET duties' && path.length === 1)) {
    const p = url.searchParams;
    const about = (k) => (!p.get('object') || k.case.object === p.get('object')) && (!p.get('obligation') || k.obligation === p.get('obligation'));
    const items = mine.flatMap((c) => c.clocks).filter((k) => (k.state === 'running') === (p.get('state') !== 'ended') && about(k)).sort((a, b) => a.due - b.due).map((k) => D.clockView(k, lang));
    return send(res, 200, { now, items, next: null });
  }
  if (key === 'GET cases' && path.length === 1) {
    const p = url.searchParams;
    const items = mine.filter((c) => (!p.get('state') || c.state === p.get('state')) && (p.get('open') === null || (c.state !== 'closed') === (p.get('open') === 'true')) && (!p.get('object') || c.object === p.get('object')) && (!p.get('q') || `${c.number} ${c.title}`.toLowerCase().includes(p.get('q').toLowerCase())));
    return send(res, 200, { now, items: items.sort((a, b) => b.detected - a.detected).map(D.summary), next: null });
  }
  if (path[0] === 'cases') {
    const c = mine.find((x) => x.id === path[1]);
    if (!c) return refuse(res, 404, 'not_found');
    if (req.method === 'POST') {
      const offered = D.caseView(c, u.role, lang).actions.find((a) => a.name === path[3]);
      if (!offered) return refuse(res, 409, 'wrong_state');
      const b = await body(req);
      const missing = offered.fields.find((f) => f.required && (b[f.name] === undefined || b[f.name] === ''));
      if (missing) return refuse(res, 400, 'bad_request', { field: missing.name });
      act(c, path[3], b, u);
    }
    return send(res, 200, D.caseView(c, u.role, lang));
  }
  if (path[0] === 'inbox') {
    const items = mine.filter((c) => c.notified).map((c) => ({ id: `n-${c.id}`, kind: 'annex7', case_id: c.id, case_number: c.number, case_title: c.title, object: D.objRef(c.object), received_at: D.iso(c.notified + 1100), read_at: c.read ?? null, read_by: c.read ? u.name : null, sha256: c.documents[0].sha256 })).reverse();
    if (req.method === 'POST') { const c = D.cases.find((x) => `n-${x.id}` === path[1]); c.read ??= now; tell('inbox', path[1]); return send(res, 200, { ...items.find((i) => i.id === path[1]), read_at: c.read }); }
    return send(res, 200, { items, next: null, unread: items.filter((i) => !i.read_at).length });
  }
  if (path[0] === 'events' && path[1] === 'histogram') {
    const { from, to, items } = found(url);
    const count = Number(url.searchParams.get('buckets') ?? 60);
    const width = (to - from) / count;
    const buckets = Array.from({ length: count }, (_, i) => ({ from: D.iso(from + i * width), to: D.iso(from + (i + 1) * width), count: 0 }));
    for (const e of items) buckets[Math.min(count - 1, Math.floor((Date.parse(e['@timestamp']) - from) / width))].count += 1;
    return send(res, 200, { buckets, total: items.length });
  }
  if (path[0] === 'events' && path[1] === 'tail') {
    res.writeHead(200, { ...SECURITY, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    let i = 0;
    const q = url.searchParams.get('q') ?? '';
    const timer = setInterval(() => { i += 1; const e = D.makeEvent(Date.now(), i); if (matches(e, q)) res.write(`id: ${e['saqshy.seq']}\ndata: ${JSON.stringify(e)}\n\n`); }, 400);
    return req.on('close', () => clearInterval(timer));
  }
  if (path[0] === 'events') {
    const { items } = found(url);
    const q = url.searchParams.get('q') ?? '';
    if ((q.match(/"/g) ?? []).length % 2 === 1) return refuse(res, 400, 'bad_query', { message: 'жабылмаған тырнақша / unclosed quote', at: q.lastIndexOf('"') + 1 });
    const limit = Number(url.searchParams.get('limit') ?? 100);
    const at = Number(url.searchParams.get('before') ?? 0);
    return send(res, 200, { items: items.slice(at, at + limit), next: at + limit < items.length ? String(at + limit) : null, hints: [], stats: { scanned: D.events.length, ms: 3.2 } });
  }
  if (path[0] === 'stream') {
    res.writeHead(200, { ...SECURITY, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.write(': hello\n\n');
    streams.add(res);
    return req.on('close', () => streams.delete(res));
  }
  if (key === 'GET objects') return path[1] ? (mineOf.find((o) => o.id === path[1]) ? send(res, 200, mineOf.find((o) => o.id === path[1])) : refuse(res, 404, 'not_found')) : send(res, 200, { items: mineOf, next: null });
  if (path[0] === 'objects') {
    const b = await body(req);
    const { org_id, ...rest } = b;
    const o = D.objects.find((x) => x.id === path[1]) ?? { id: `o${D.objects.length + 1}`, open_cases: 0, last_event_at: null };
    Object.assign(o, rest, { org: { id: org_id, name: D.organisations.find((x) => x.id === org_id).name } });
    if (!path[1]) D.objects.push(o);
    return send(res, path[1] ? 200 : 201, o);
  }
  if (key === 'GET organisations') return send(res, 200, { items: D.organisations, next: null });
  if (key === 'GET sources') return send(res, 200, { now, items: D.sources().filter((x) => !bounded(u) || mineOf.some((o) => o.id === x.object?.id)), next: null });
  if (key === 'GET edition') return send(res, 200, D.edition);
  if (path[0] === 'detection' && !bounded(u)) {
    const rule = (r) => ({ ...r, author: 'Saqshy', file: `rules/${r.id}.yml`, line: 1, origin: 'ours', correlation: false, silent: false, fed: true, costly: false, events: 1200, looked: 40, matched: 3, cases: 1, open: 1, dismissed: 0, confirmed: 0, share: 0.02, last_match_at: null, filters: [] });
    const one = D.rules.find((x) => x.id === new URL(req.url, 'http://mock').searchParams.get('id'));
    if (path[1] === 'rule') return one ? send(res, 200, { now, at: now, rule: { ...rule(one), text: 'title: x\n' } }) : refuse(res, 404, 'not_found');
    return send(res, 200, { now, at: now, expected: true, running: true, set: { loaded: D.rules.length, unsupported: 0, broken: 0, kept: 0, compiled_bytes: 1000, events: 1200, refused: [], remarks: [] }, total: D.rules.length, counts: { all: D.rules.length }, items: D.rules.map(({ auto_notify: _, description: __, ...r }) => rule(r)), next: null });
  }
  if (path[0] === 'rules' && !bounded(u)) {
    if (req.method === 'PUT') { const r = D.rules.find((x) => x.id === path[1]); r.auto_notify = (await body(req)).auto_notify; return send(res, 200, r); }
    return send(res, 200, { items: D.rules, next: null });
  }
  if (path[0] === 'documents') { res.writeHead(200, { ...SECURITY, 'Content-Type': 'application/pdf' }); return res.end('%PDF-1.4\n'); }
  if (key === 'GET users') return send(res, 200, { items: D.users, next: null });
  if (path[0] === 'users') {
    const { password: _, org_id, ...b } = await body(req);
    const x = D.users.find((y) => y.id === path[1]) ?? { id: `u${D.users.length + 1}`, active: true, locked_until: null, last_login_at: null };
    const org = D.organisations.find((y) => y.id === org_id);
    Object.assign(x, b, { org: org ? { id: org.id, name: org.name } : null });
    if (!path[1]) D.users.push(x);
    return send(res, path[1] ? 200 : 201, x);
  }
  if (key === 'GET audit') return send(res, 200, { items: D.audit, next: null, chain: { ok: true, broken_at: null } });
  return refuse(res, 404, 'not_found');
}

function file(res, path) {
  const i18n = /^\/i18n\/(kk|ru|en)\.json$/.exec(path);
  const full = i18n ? join(root, '../content/i18n', `${i18n[1]}.json`) : resolve(root, process.env.SAQSHY_DIST ?? 'dist', `.${normalize(path === '/' ? '/index.html' : path)}`);
  // A link into the portal is the portal itself, as with the real server.
  if (!i18n && !existsSync(full) && !/\.[^/]*$/.test(path)) return file(res, '/');
  if (!existsSync(full)) return refuse(res, 404, 'not_found');
  res.writeHead(200, { ...SECURITY, 'Content-Type': TYPES[extname(full)] ?? 'application/json' });
  return res.end(readFileSync(full));
}

export const server = createServer((req, res) => {
  const url = new URL(req.url ?? '/', 'http://mock');
  if (!url.pathname.startsWith('/api/v1/')) return file(res, url.pathname);
  return api(req, res, url).catch((e) => { console.error(e); if (!res.headersSent) refuse(res, 500, 'internal'); });
});
export { tell };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--port');
  const port = at > 0 ? Number(process.argv[at + 1]) : 8090;
  server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/  admin | aigul | daniyar, password ${PASSWORD}`));
}
