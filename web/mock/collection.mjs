// What the pages of collection need to be seen: made up, but with the shapes, lengths and troubles of the real thing.
import { readFileSync } from 'node:fs';
import { objects, orgRef } from './data.mjs';

const MIN = 60_000, HOUR = 60 * MIN, DAY = 24 * HOUR;
const ago = (ms) => new Date(Date.now() - ms).toISOString();
const date = (ms) => new Date(Date.now() + ms).toISOString().slice(0, 10);
const objectRef = (id) => { const o = objects.find((x) => x.id === id); return { id, name: o.name }; };

const source = (id, more) => ({
  id, host: id.split('/')[0], object: objectRef('o1'), org: orgRef('densaulyk'), class: 'os-unix', listener: 'syslog_tls', address: '10.20.4.17', profile: null, flags: [],
  first_seen_at: ago(40 * DAY), last_seen_at: ago(2000), parsers: [{ name: 'sshd', count: 81022 }, { name: 'sudo', count: 410 }], silent_after_s: 900, rate_min: 320, events: 4_210_332,
  unparsed: 0, bytes: 912_000_331, truncated: 0, not_utf8: 0, encoding: null, gaps: null, skew: { kind: 'ok', median_s: 1, spread_s: 1, samples: 31, zone_min: null }, score: 96, ...more,
});
const SOURCES = [
  source('web-enbek-2', { flags: ['silent'], last_seen_at: ago(5 * HOUR), silent_after_s: 1500, rate_min: 0, object: objectRef('o2'), org: orgRef('enbek'), class: 'app', parsers: [{ name: 'nginx', count: 90211 }] }),
  source('ehr-db-01', { flags: ['skewed'], class: 'db', skew: { kind: 'old_zone', median_s: -3600, spread_s: 2, samples: 31, zone_min: 60 }, parsers: [{ name: 'postgresql', count: 20333 }], score: 71 }),
  source('fw-edge-astana-01.corp.densaulyk.example', { flags: ['gaps', 'low_score', 'unparsed', 'encoding'], class: 'fw', listener: 'syslog_udp', gaps: 1204, unparsed: 88120, not_utf8: 33, encoding: 'windows-1251', score: 42, parsers: [{ name: 'fortigate', count: 4_122_000 }, { name: 'raw', count: 88120 }] }),
  source('centre-agent/qolyapp', { flags: ['late'], class: 'app', listener: 'otlp', skew: { kind: 'late', median_s: 740, spread_s: 900, samples: 31, zone_min: null } }),
  source('10.77.0.9', { flags: ['unassigned'], object: null, org: null, host: '10.77.0.9', class: '', parsers: [], score: null, skew: null, events: 12, rate_min: 0, silent_after_s: 21600 }),
  source('ehr-app-01//var/log/auth.log', { listener: 'otlp', profile: 'Тіркеу серверлері' }),
  source('saqshyd', { host: '', object: null, org: null, listener: 'own_log', class: 'app', address: null, score: 31, parsers: [{ name: 'saqshyd', count: 4_210_332 }] }),
];

const listener = (id, kind, more) => ({
  id, kind, address: '0.0.0.0:6514', port: 6514, tls: true, client: 'required', state: 'listening', last_event_at: ago(400), rate_s: 1240.5, connections: 212, accepted: 3022, slowed: 0,
  read: 8_400_120, events: 8_400_118, bytes: 1_920_330_000, unparsed: 120, truncated: 2, kernel_drops: 0, rate_min: 74_430, refused: { empty: 2 }, turned_away: {},
  lately: { refused: 0, turned_away: 0, kernel_drops: 0 }, details: [], ...more,
});
const SHAPES = [
  { shape: 'qolyapp: сұрау №* орындалмады: дерекқорға қосылу мүмкін емес (timeout=*)', kind: 'header', program: 'qolyapp', count: 41022, over: 0, first: ago(20 * HOUR), last: ago(MIN), sources: [{ id: 'centre-agent/qolyapp', count: 41022 }], more_sources: false, examples: ['qolyapp: сұрау №4711 орындалмады: дерекқорға қосылу мүмкін емес (timeout=30s)', 'qolyapp: сұрау №4712 орындалмады: дерекқорға қосылу мүмкін емес (timeout=31s)'] },
  { shape: '* %%% ??? * is *', kind: 'failed', program: null, count: 3120, over: 12, first: ago(9 * HOUR), last: ago(5 * MIN), sources: [{ id: 'fw-edge-astana-01.corp.densaulyk.example', count: 3000 }, { id: '10.77.0.9', count: 120 }], more_sources: true, examples: ['\u0001\u0002 %%% ??? what is this'] },
];
const DRAFT = `id: qolyapp\ntitle: qolyapp\nclass: app\nmatch:\n  programs: [qolyapp]\npatterns:\n  - pattern: 'сұрау №(?<number>\\d+) орындалмады: (?<reason>.+) \\(timeout=(?<timeout>\\S+)\\)'\n    fields:\n      event.reason: reason\nsamples:\n  - line: "qolyapp: сұрау №4711 орындалмады: дерекқорға қосылу мүмкін емес (timeout=30s)"\n`;
const GB = 1_000_000_000;
const finding = (row, message, failed, line, column, sample) => ({ row, code: 'missing_field', field: null, message, checked: 1000, failed, line, column, sample, last: ago(MIN) });
const conformance = (id, more) => ({
  source: id, host: id, object: objectRef('o1'), class: 'fw', chapter: 3, listener: 'syslog_udp', score: 42, form_score: 61, field_score: 30, seen: 4_210_332, judged: 1000, format: 'keyvalue',
  formats: { keyvalue: 990, other: 10 }, since: ago(DAY), last: ago(MIN), change: { at: ago(3 * HOUR), before: 'other', after: 'keyvalue', score_before: 55, score_after: 42, announced: null },
  findings: [finding('R-A4.4-02', 'Өріс жоқ: IP source address', 700, 12, 31, 'date=2026-11-27 time=10:15:00 devname="FW-ASTANA-01" action="deny"'), finding('R-A4-DT1', 'dd:mm:yyyy', 1000, 1, 6, 'date=2026-11-27 time=10:15:00')],
  sample: 'date=2026-11-27 time=10:15:00 devname="FW-ASTANA-01"', ...more,
});
const profile = (id, more) => ({ id, origin: 'desk', name: 'Тіркеу серверлері', address: null, host: 'registry-*', listener: null, zone: '+06:00', encoding: null, class: null, parser: null, object: objectRef('o1'), note: 'tzdata жаңартылғанша', version: 2, changed_at: ago(2 * DAY), changed_by: { id: 'u1', name: 'Ерлан Сәтбаев' }, ...more });

// What arrives: of the law's types some come, some are late, some never came.
const TITLES = new Map([...readFileSync(new URL('../../content/editions/kz-52-2025/event_types.yaml', import.meta.url), 'utf8')
  .matchAll(/code: ([A-Z]+-\d\d)\n\s*row: (\S+)[\s\S]*?ru: '([^']*)'/g)].map((m) => [m[1], { row: m[2], title: m[3] }]));
const CHAPTER = { 'os-unix': /^(OS|UX)-/, 'os-windows': /^(OS|WIN)-/, db: /^DB-/, fw: /^(NET|FW)-/, app: /^APP-/ };
function part(id, kind, more = {}) {
  const types = [...TITLES].filter(([code]) => CHAPTER[kind]?.test(code)).map(([code, { row, title }], i) => {
    const state = i % 5 === 2 ? 'never' : i % 7 === 4 ? 'late' : 'arriving', came = state !== 'never';
    return { type: code, row, title, wanted: true, state, events: came ? 40_120 * (i + 1) : 0, first_at: came ? ago(40 * DAY) : null, last_at: came ? ago(state === 'late' ? 3 * DAY : (i + 1) * MIN) : null,
      rate_h: came ? 3210.4 / (i + 1) ** 2 : 0, silence_s: came ? 900 * (i + 1) : 0, late_after_s: came ? 86400 : 0, sources: came ? 3 : 0, late: state === 'late' ? 3 : i % 3 === 1 && came ? 1 : 0,
      last_source: came ? 'ehr-app-01//var/log/auth.log' : null, last_seq: came ? 4_210_332 : 0, seen: came ? ['event_datetime', 'host_name', 'event_description'] : [], lacks: kind !== 'os-unix' && came && i % 2 === 0 ? ['account_id', 'source_ip'] : [] };
  });
  const all = (state) => types.filter((x) => x.state === state).length;
  return { object: id && objectRef(id), class: kind, sources: 3, silent: 1, events: 4_210_332, first_at: ago(40 * DAY), last_at: ago(MIN), arriving: all('arriving'), late: all('late'), never: all('never'), types, ...more };
}
const PARTS = [part('o3', '', { sources: 0, silent: 0, events: 0, first_at: null, last_at: null, types: [] }), part('o1', 'os-unix'), part('o1', 'os-windows'), part('o1', 'db'), part('o2', 'app'), part(null, 'fw')];
const sent = (id, state, more) => ({ source: id, object: objectRef('o1'), class: 'os-unix', state, events: 90_211, first_at: ago(40 * DAY), last_at: ago(state === 'late' ? 5 * HOUR : MIN), rate_h: 310.2, late_after_s: 1800, lacks: [],
  types: PARTS[1].types.filter((x) => x.state !== 'never').map(({ type, state: s, events, last_at, rate_h, late_after_s, lacks }) => ({ type, state: s, events, last_at, rate_h, late_after_s, lacks })), ...more });
const ruleRef = (id, title, level) => ({ id, title, level });
const WAITING = [
  { product: 'windows', category: 'process_creation', service: '', count: 1206, rules: [ruleRef('r1', 'Suspicious Encoded PowerShell Command Line', 'high')] },
  { product: 'aws', category: '', service: 'cloudtrail', count: 41, rules: [ruleRef('r2', 'AWS Root Credentials', 'medium')] },
  { product: '', category: 'proxy', service: '', count: 30, rules: [ruleRef('r3', 'Rclone Activity via Proxy', 'high')] },
  { product: 'zeek', category: '', service: 'smb_files', count: 12, rules: [ruleRef('r4', 'Impacket PsExec Execution', 'high')] },
];

/** Answers by path; what is told depends on nothing but the parameters that a page shows. */
export const COLLECTION = {
  '/collection/alarms': (a) => ({ ...a, items: [
    { kind: 'source_silent', subject: null, count: 3, since_at: ago(5 * HOUR), text: null, names: ['web-enbek-2', 'ehr-db-02', 'sw-core-17'] },
    { kind: 'upstream_dead', subject: 'centre', count: 120_433, since_at: ago(40 * MIN), text: 'could not connect to centre.example.kz:4318: Connection refused', names: [] },
  ] }),
  '/collection/listeners': (a) => ({ ...a, at: ago(500), expected: true, running: true, config_error: null, items: [
    listener('syslog_tls', 'syslog_tls', {}), listener('syslog_udp', 'syslog_udp', { tls: false, client: 'none', address: '0.0.0.0:514', port: 514, state: 'loses', kernel_drops: 4021, lately: { refused: 0, turned_away: 0, kernel_drops: 812 } }),
    listener('otlp', 'otlp', { address: '0.0.0.0:4318', port: 4318, state: 'refuses', refused: { too_large: 3, repeated: 120 }, lately: { refused: 3, turned_away: 40, kernel_drops: 0 }, turned_away: { certificate: 40 } }),
    listener('kafka-centre', 'kafka', { address: 'kafka-1:9092', state: 'paused', connections: 1, details: [{ name: 'topic', value: 'logs' }, { name: 'lag', value: '120' }] }),
  ] }),
  '/collection/sources': (a, q) => {
    const flags = ['silent', 'skewed', 'late', 'unparsed', 'low_score', 'unassigned', 'encoding', 'gaps'];
    const text = (q.get('q') ?? '').toLowerCase(), all = SOURCES.filter((s) => `${s.id} ${s.object?.name ?? ''}`.toLowerCase().includes(text));
    const items = all.filter((s) => !q.get('flag') || s.flags.includes(q.get('flag')));
    return { ...a, total: items.length, counts: { all: all.length, ...Object.fromEntries(flags.map((f) => [f, all.filter((s) => s.flags.includes(f)).length])) }, items, next: null };
  },
  '/collection/source': (a, q) => ({ ...a, source: SOURCES.find((s) => s.id === q.get('id')) ?? SOURCES[2] }),
  '/collection/parsers': (a) => ({ ...a, items: [
    { id: 'toaster', title: 'Toaster 3000', class: 'app', origin: 'own', state: 'refused', patterns: 0, samples: 0, lines: 0, file: '/var/lib/saqshy/parsers/toaster.yaml', reason: '/var/lib/saqshy/parsers/toaster.yaml:12: sample 2 gives user.name "ann", not "bob"', version: null },
    { id: 'fortigate', title: 'FortiGate', class: 'fw', origin: 'ours', state: 'loaded', patterns: 14, samples: 22, lines: 4_122_000, file: '', reason: null, version: null },
    { id: 'postgresql', title: 'PostgreSQL', class: 'db', origin: 'ours', state: 'loaded', patterns: 31, samples: 40, lines: 20_333, file: '', reason: null, version: null },
    { id: 'sshd', title: '', class: '', origin: 'built_in', state: 'loaded', patterns: 0, samples: 0, lines: 81_022, file: '', reason: null, version: null },
  ] }),
  '/collection/profiles': (a) => (a.items ? { ...a, items: [profile('1', {}), profile('2', { name: 'Fortinet', host: null, address: '10.20.0.0/16', zone: null, class: 'fw', parser: 'fortigate', object: null, note: null }), profile('file-old', { origin: 'file', name: 'old-switches', listener: 'syslog_udp', host: null, note: null, object: null, version: 0, changed_at: null, changed_by: null })] } : a),
  '/collection/tokens': (a) => (a.items ? { ...a, items: [{ name: 'filebeat-web', object: objectRef('o2'), last_event_at: ago(3000), events: 120_033 }, { name: 'vector-new', object: null, last_event_at: null, events: 0 }] } : { ...a, token: 'ab12'.repeat(16) }),
  '/collection/upstreams': (a) => ({ ...a, expected: true, running: true, config_error: null, items: [
    { name: 'centre', kind: 'otlp', address: 'centre.example.kz:4318', state: 'waiting', seq: 88_120_333, behind_events: 120_433, behind_s: 2410, sent: 8_120_000, bytes: 2.1 * GB, rate_s: 0, last_error: 'could not connect to centre.example.kz:4318: Connection refused', last_sent_at: ago(40 * MIN), held_bytes: 0.4 * GB, refused: 0, given_up: 0, damaged: 0, failures: 37, filter: 'event.severity:<=4', tls: true, last_error_at: ago(20_000), alarm: true },
    { name: 'archive', kind: 'syslog_tls', address: '10.1.1.9:6514', state: 'connected', seq: 88_240_766, behind_events: 0, behind_s: 0, sent: 88_240_000, bytes: 20.4 * GB, rate_s: 1240, last_error: null, last_sent_at: ago(500), held_bytes: 0, refused: 0, given_up: 0, damaged: 0, failures: 0, filter: '', tls: true, last_error_at: null, alarm: false },
  ] }),
  '/collection/holds': (a) => (a.items ? { ...a, items: [
    { id: 'hold-3f0c9c1be8a2d417', kind: 'object', subject: 'o2', filter: 'saqshy.object:o2', from: null, to: null, reason: 'Сот ұйғарымы 2-17', set_by: 'a.lead', set_at: ago(9 * DAY), until: null, released: null, state: 'active', waiting: [] },
    { id: 'hold-77aa9c1be8a2d417', kind: 'query', subject: '', filter: 'user.name:ivanov AND saqshy.class:os-windows', from: ago(90 * DAY), to: ago(60 * DAY), reason: 'Расследование 44', set_by: 'b.analyst', set_at: ago(50 * DAY), until: null, released: { at: ago(2 * DAY), by: 'a.lead', reason: 'Дело закрыто' }, state: 'released', waiting: [] },
  ], unreadable: 0, error: '' } : a),
  '/collection/dropped': (a) => ({ ...a, items: [
    { at: ago(DAY), rule: 'thinned', first_day: date(-1097 * DAY), last_day: date(-1097 * DAY), term_days: 1096, parts: 1, events: 1_214_077, bytes: 61_000_000, kept: 412, held: 17, holds: 1, first_link: 907, last_link: 908 },
    { at: ago(2 * DAY), rule: 'term', first_day: date(-1098 * DAY), last_day: date(-1098 * DAY), term_days: 1096, parts: 1, events: 1_290_113, bytes: 64_000_000, kept: 0, held: 0, holds: 0, first_link: 905, last_link: 905 },
  ] }),
  '/collection/storage': (a) => ({ ...a, retention: {
    at: ago(3000), fresh: true,
    terms: { days: 1096, fast_days: 62, least_days: 1096, least_fast_days: 62, basis: '2(15)-тармақ, 4-қосымша: журналдар үш жыл, оның екі айы жедел қолжетімді', longer: [{ name: 'sec', filter: 'saqshy.class:sec', days: 1827 }], shorter: false, reason: '', decided_by: '', decided_on: '' },
    store: { events: 912_000_331, bytes: 412 * GB, parts: 380, oldest_day: date(-300 * DAY), newest_day: date(0), fast_oldest_day: date(-62 * DAY), fast_bytes: 120 * GB, archive: { folder: '/mnt/archive', there: true, parts: 240, bytes: 292 * GB, newest_day: date(-63 * DAY), error: '', moved_parts: 12, moved_at: ago(HOUR) }, removed: { days: 0, events: 0, bytes: 0, at: null, error: '' } },
    holds: { active: 2, all: 5, unreadable: 0, error: '' }, growth: [], outlook: { bytes_day: 1.9 * GB, events_day: 4_120_000, measured_days: 7, full_in_days: 212, full_on: date(212 * DAY), full_where: 'store', need_bytes: 2082 * GB, have_bytes: 815 * GB, enough: false },
    space: { state: 'low', since: ago(DAY), places: [{ name: 'store', path: '/var/lib/saqshy', total: 500 * GB, free: 3.4 * GB, reserve: 2 * GB, state: 'low', since: ago(DAY) }, { name: 'archive', path: '/mnt/archive', total: 1000 * GB, free: 400 * GB, reserve: 2 * GB, state: 'ok', since: null }] },
  } }),
  '/collection/conformance': (a, q) => ({ ...a, items: [conformance('saqshyd', { object: null, class: 'app', chapter: 4, score: 31, form_score: 20, field_score: 42, change: null, listener: 'own_log', format: 'other' }), conformance('fw-edge-astana-01.corp.densaulyk.example', {}), conformance('ehr-db-01', { class: 'db', chapter: 2, score: 71, form_score: 90, field_score: 60, change: null, format: 'other' }), conformance('ehr-app-01', { class: 'os-unix', chapter: 1, score: 100, form_score: 100, field_score: 100, change: null, findings: [], sample: null, format: 'annex4' })].filter((x) => !q.get('source') || x.source === q.get('source')), next: null }),
  '/collection/coverage': (a, q) => {
    const items = PARTS.filter((p) => (!q.get('object') || p.object?.id === q.get('object')) && (!q.get('class') || p.class === q.get('class')) && (q.get('gaps') !== 'true' || p.late + p.never > 0 || p.sources === 0));
    const sum = (k) => items.reduce((s, p) => s + p[k], 0);
    return { ...a, at: ago(3000), running: true, since: ago(40 * DAY), counts: { arriving: sum('arriving'), late: sum('late'), never: sum('never') }, waiting: q.get('object') ? [] : WAITING,
      sources: q.get('object') ? [sent('ehr-app-01//var/log/auth.log', 'arriving'), sent('ehr-app-02//var/log/secure', 'late', { lacks: ['host_name'] })] : [], items, next: null };
  },
  '/collection/unparsed': (a) => ({ ...a, lines: 44_142, shapes: 2, complete: false, items: SHAPES }),
  '/collection/parsers/draft': (a) => ({ ...a, id: 'qolyapp', file: DRAFT, lines: 2, reads: 2 }),
};
