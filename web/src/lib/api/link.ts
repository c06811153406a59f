// This node and the others: who they are, what travels between them, what they propose.
import { ApiError, addressOf, connection, get, id, readRefusal, send, type Query } from './client';
import {
  decodeArray as arr, decodeBoolean as bool, decodeEnum as oneOf, decodeInstant as instant, decodeNullable as nullable, decodeNumber as num, decodeObject as object,
  decodeString as str, type Decoded, type Decoder,
} from './decode';

// i18n: ui.link.kind.*
export const LINK_KINDS = ['notice', 'form', 'registry_update', 'receipt', 'step'] as const;
// i18n: ui.link.result.*
export const LINK_RESULTS = ['accepted', 'refused', 'known', 'agreed', 'declined'] as const;
// i18n: ui.link.proposal.*
export const PROPOSAL_STATES = ['open', 'accepted', 'declined'] as const;

// i18n: ui.link.part.*
export const PART_KINDS = ['object', 'component', 'contact', 'organisation'] as const;

// i18n: ui.link.ask.* ui.link.means.*
export const LINK_ASKS = ['off', 'on', 'restart', 'withdraw'] as const;
// i18n: ui.link.decide.* ui.link.decide_means.*
export const DECISIONS = ['accept', 'decline'] as const;
// i18n: ui.link.code.*
export const LINK_CODES = ['bad_payload', 'too_large', 'unknown_case', 'unknown_object', 'unknown_form', 'unknown_message'] as const;

const ref = object({ id: str, name: str });
const certificate = object({ fingerprint: str, ends_at: instant, added_at: instant, withdrawn_at: nullable(instant) });
const node = object({
  node: str, org: ref, title: str, url: nullable(str), active: bool, queue: num,
  out: object({ sent: num, numbered: num, acknowledged: num, epoch: num }), in: object({ received: num, epoch: num }),
  last_contact_at: nullable(instant), last_file_at: nullable(instant), last_error: nullable(str), last_error_at: nullable(instant), next_try_at: nullable(instant),
  certificates: nullable(arr(certificate)), oldest_at: nullable(instant), refused: num, unapplied: num, held: num, updates: bool,
});
const self = object({ node: str, org: nullable(ref), fingerprint: str, ends_at: instant, card: str });
const link = object({ self: nullable(self), listen: nullable(str), connects: bool, nodes: arr(node) });
const envelope = object({
  id: str, direction: oneOf(['in', 'out']), epoch: num, sequence: num, kind: oneOf(LINK_KINDS), created_at: instant, hash: str, via: nullable(str),
  sent_at: nullable(instant), acknowledged_at: nullable(instant), received_at: nullable(instant), read_at: nullable(instant), title: nullable(str), number: nullable(str),
  receipt: nullable(object({ result: oneOf(LINK_RESULTS), code: nullable(str), number: nullable(str), at: instant })),
  documents: arr(object({ name: str, type: str, sha256: str, size: num })),
  step: nullable(object({ act: str, result: nullable(oneOf(['applied', 'not_applied'])), code: nullable(str), reason: nullable(str), case: nullable(ref) })),
});
const anything: Decoder<unknown> = (v) => v;
const proposal = object({
  id: str, node: str, org: ref, object: nullable(ref), their_object: nullable(str), state: oneOf(PROPOSAL_STATES), received_at: instant, decided_at: nullable(instant),
  decided_by: nullable(str), note: nullable(str), changes: arr(object({ kind: oneOf(PART_KINDS), id: str, name: nullable(str), field: str, from: anything, to: anything })),
});
const imported = object({ node: str, applied: num, refused: num, known: num, acknowledged: num, gap: bool });
const nothing: Decoder<null> = () => null;

export type Link = Decoded<typeof link>;
export type LinkNode = Decoded<typeof node>;
export type LinkEnvelope = Decoded<typeof envelope>;
export type LinkProposal = Decoded<typeof proposal>;
export type LinkImport = Decoded<typeof imported>;

export const links = () => get('/link', link);
export const linkNode = (name: string) => get(`/link/nodes/${id(name)}`, node);
export const setSelf = (org_id: string) => send('PUT', '/link/self', link, {}, { org_id });
export const addNode = (body: Record<string, unknown>) => send('POST', '/link/nodes', node, {}, body);
export const changeNode = (name: string, body: Record<string, unknown>) => send('PUT', `/link/nodes/${id(name)}`, node, {}, body);
export const restartNode = (name: string) => send('POST', `/link/nodes/${id(name)}/restart`, node);
export const envelopes = (name: string, query: Query) => get(`/link/nodes/${id(name)}/envelopes`, object({ items: arr(envelope), next: nullable(str) }), query);
export const retrySteps = (name: string, envelopeId: string) => send('POST', `/link/nodes/${id(name)}/retry`, object({ tried: num, applied: num }), {}, { envelope: envelopeId });
export const importFile = (upload: string) => send('POST', '/link/imports', imported, {}, { upload });
export const sendObject = (name: string, object_id: string, note: string) => send('POST', `/link/nodes/${id(name)}/objects`, object({ id: str }), {}, { object_id, note });
export const proposals = (query: Query) => get('/link/proposals', object({ items: arr(proposal), next: nullable(str) }), query);
export const decideProposal = (proposalId: string, decision: (typeof DECISIONS)[number], note: string) =>
  send('POST', `/link/proposals/${id(proposalId)}/decision`, nothing, {}, note === '' ? { decision } : { decision, note });
export const linkDocument = (sha256: string) => addressOf(`/link/documents/${id(sha256)}`);

/** What waits for a node, as a file to be carried over. */
export async function exportFile(name: string): Promise<Blob> {
  const response = await fetch(addressOf(`/link/nodes/${id(name)}/export`), { method: 'POST', headers: { 'X-CSRF-Token': connection.csrf, 'Accept-Language': connection.language }, credentials: 'same-origin' }).catch((e: unknown) => {
    throw new ApiError(0, 'unreachable', e instanceof Error ? e.message : '');
  });
  if (!response.ok) throw readRefusal(response.status, response.statusText, await response.json().catch(() => null));
  return response.blob();
}

/** Lets the browser save bytes under a name. */
export function save(blob: Blob, name: string): void {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}

/** A fingerprint as it is read out: in groups of four. */
export const grouped = (hex: string) => hex.replace(/(.{4})(?=.)/g, '$1 ');
