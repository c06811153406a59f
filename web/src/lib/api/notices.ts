// Notices: what was told to whom, with everything that proves it. Names are those of the JSON.
import { addressOf, get, id, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded, type Decoder,
} from './decode';
import { CHANNELS, NOTICE_STATES, page, ref, text3 } from './types';

// i18n: ui.notices.direction.*
export const DIRECTIONS = ['out', 'in'] as const;
// i18n: sign.verdict.*
export const VERDICTS = ['valid', 'invalid', 'not_checked'] as const;
// i18n: sign.reason.*
export const REASONS = [
  'ok', 'no_trust_anchor', 'unknown_issuer', 'certificate_expired', 'certificate_not_yet_valid', 'no_revocation_data', 'revocation_data_old', 'engine_absent', 'unknown_algorithm',
  'weak_algorithm', 'no_certificate', 'unknown_extension', 'chain_unclear', 'no_signer', 'content_differs', 'signature_broken', 'chain_broken', 'certificate_revoked', 'not_for_signing',
  'issuer_not_authority',
] as const;
// i18n: sign.usage.*
export const USAGES = ['person', 'organisation', 'first_head', 'may_sign', 'employee'] as const;
// i18n: ui.notices.receipt.*
export const RECEIPTS = ['delivered', 'read', 'registered', 'refused'] as const;
// i18n: ui.notices.over.*
export const OVER = ['canonical', 'pdf'] as const;
// i18n: ui.notices.medium.*
export const MEDIA = ['electronic', 'paper'] as const;
export const LABELS = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;

const party = object({ id: nullable(str), name: str });
const shape = {
  id: str, number: str, direction: oneOf(DIRECTIONS), medium: oneOf(MEDIA), kind: str, paragraph: nullable(str), subject: object({ kind: str, id: str }), case_id: nullable(str),
  object: nullable(ref), sender: party, addressees: arr(party), title: str, tlp: oneOf(LABELS), made_at: instant, version: num, sha256: str, pdf_sha256: nullable(str),
  verdict: nullable(oneOf(VERDICTS)), failed: num, newer_id: nullable(str),
};
const summary = object(shape);
export type NoticeSummary = Decoded<typeof summary>;
const delivery = object({
  id: str, channel: oneOf(CHANNELS), addressee: str, state: oneOf(NOTICE_STATES), attempts: num, queued_at: instant, sent_at: nullable(instant), read_at: nullable(instant),
  read_by: nullable(str), message_id: nullable(str), proof: nullable(str), last_error: nullable(str),
});
const receipt = object({ kind: oneOf(RECEIPTS), channel: str, name: str, at: instant, recorded_at: instant, author: nullable(str), number: nullable(str), note: nullable(str) });
const version = object({ id: str, number: str, version: num, made_at: instant, reason: nullable(str), author: nullable(str) });
const file = object({ sha256: str, name: str, type: str, size_bytes: num });
const paper = object({ number: str, date: str, signatory: str, scan: nullable(file), recorded_at: instant, author: nullable(str) });
const signer = object({
  name: str, organisation: str, iin: nullable(str), bin: nullable(str), issuer: str, serial: str, algorithm: str, usage: arr(oneOf(USAGES)), signed_at: nullable(instant),
  not_before: nullable(instant), not_after: nullable(instant), intact: bool, verdict: oneOf(VERDICTS), reason: oneOf(REASONS),
});
const signature = object({
  id: str, over: oneOf(OVER), at: instant, author: nullable(str), verdict: oneOf(VERDICTS), reason: oneOf(REASONS), signers: arr(signer), checked_at: instant, sha256: str,
});
export type Signature = Decoded<typeof signature>;
const formField = object({ number: nullable(str), id: str, label: text3, text: text3 });
const decodeFormField: Decoder<Decoded<typeof formField>> = (x, at) => formField({ number: null, ...(typeof x === 'object' ? x : {}) }, at);
const form = object({ title: text3, fields: arr(decodeFormField), extras: arr(decodeFormField) });
const record = object({
  ...shape, text: str, edition: str, author: nullable(str), reason: nullable(str), outer_number: nullable(str), outer_date: nullable(str), form: nullable(form),
  deliveries: arr(delivery), receipts: arr(receipt), versions: arr(version), paper: arr(paper), files: arr(file), signatures: arr(signature),
});
export type NoticeRecord = Decoded<typeof record>;

export const notices = (query: Query) => get('/notices', page(summary), query);
export const noticeOf = (notice: string) => get(`/notices/${id(notice)}`, record);
export const issue = (body: unknown) => send('POST', '/notices', record, {}, body);
export const registerIncoming = (body: unknown) => send('POST', '/incoming-notices', record, {}, body);
export const act = (notice: string, what: 'versions' | 'paper' | 'receipts' | 'signatures' | 'verify', body: unknown) =>
  send('POST', `/notices/${id(notice)}/${what}`, record, {}, body);
export const pdfAddress = (notice: string, layout: 'sent' | 'kk' | 'kk_ru') => addressOf(`/notices/${id(notice)}/pdf`, { layout: layout === 'sent' ? null : layout });
export const tableAddress = (notice: string, format: 'xlsx' | 'csv') => addressOf(`/notices/${id(notice)}/table`, { format });
export const bytesAddress = (notice: string) => addressOf(`/notices/${id(notice)}/canonical`);
export const fileAddress = (notice: string, sha256: string) => addressOf(`/notices/${id(notice)}/files/${id(sha256)}`);
export const journalAddress = (query: Query) => addressOf('/notice-journal', query);
