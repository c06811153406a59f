// Talking to the server. Every answer goes through a decoder; every failure becomes an ApiError with a stable code.

import { DecodeError, type Decoder } from './decode';
import * as T from './types';

export type FailureCode = string;

/** One field that was refused: its place («components.2.ip»), a stable code, words of the server. */
export interface FieldError {
  field: string;
  code: string;
  detail: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: FailureCode,
    message: string,
    readonly field: string | null = null,
    readonly at: number | null = null,
    readonly retry_after: number | null = null,
    readonly errors: readonly FieldError[] = [],
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export const asApiError = (e: unknown) => (e instanceof ApiError ? e : new ApiError(0, 'internal', e instanceof Error ? e.message : String(e)));

export interface Connection {
  csrf: string;
  language: T.Language;
  /** Called when the server no longer knows the session. */
  onSignedOut: () => void;
}

export const connection: Connection = { csrf: '', language: 'kk', onSignedOut: () => undefined };

const TIMEOUT_MS = 30_000;
export type Query = Record<string, string | number | boolean | null | undefined>;

function address(path: string, query: Query): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== null && v !== undefined && v !== '') q.set(k, String(v));
  const tail = q.toString();
  return `/api/v1${path}${tail ? `?${tail}` : ''}`;
}

/** «components[2].ip» and «/components/2/ip» are the place «components.2.ip». */
export function fieldPlace(field: string): string {
  return field.replace(/^\//, '').replaceAll('/', '.').replace(/\[(\d+)\]/g, '.$1').replace(/^\./, '');
}

/** A refusal as the server words it: a problem document (RFC 9457), or {"error": …} of the first API. */
export function readRefusal(status: number, statusText: string, body: unknown): ApiError {
  try {
    if (typeof body === 'object' && body !== null && 'error' in body) {
      const { error } = T.decodeErrorBody(body);
      const field = error.field === null ? null : fieldPlace(error.field);
      const errors = field === null ? [] : [{ field, code: error.code, detail: error.message }];
      return new ApiError(status, error.code, error.message, field, error.at, error.retry_after, errors);
    }
    const p = T.decodeProblem(body);
    const code = p.code ?? p.type?.split(/[:/#]/).pop() ?? 'other';
    const words = p.detail ?? p.title ?? statusText;
    const listed = (p.errors ?? []).map((e) => ({ field: fieldPlace(e.field), code: e.code ?? code, detail: e.detail ?? '' }));
    const field = p.field === null ? (listed[0]?.field ?? null) : fieldPlace(p.field);
    const errors = listed.length > 0 || field === null ? listed : [{ field, code, detail: words }];
    return new ApiError(status, code, words, field, p.at, p.retry_after, errors);
  } catch {
    return new ApiError(status, 'bad_answer', statusText);
  }
}

async function refusal(response: Response): Promise<ApiError> {
  return readRefusal(response.status, response.statusText, await response.json().catch(() => null));
}

/** One request. The files of the rooms (lib/api/ROOM.ts) build theirs on this and on `get`; a Blob is sent as its bytes. */
export async function send<R>(method: string, path: string, decode: Decoder<R>, query: Query = {}, body?: unknown, signal?: AbortSignal): Promise<R> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json', 'Accept-Language': connection.language };
  const bytes = body instanceof Blob;
  if (body !== undefined) headers['Content-Type'] = bytes ? 'application/octet-stream' : 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = connection.csrf;
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  let response: Response;
  try {
    response = await fetch(address(path, query), {
      method,
      headers,
      credentials: 'same-origin',
      signal: AbortSignal.any(signals),
      ...(body === undefined ? {} : { body: bytes ? body : JSON.stringify(body) }),
    });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new ApiError(0, 'unreachable', e instanceof Error ? e.message : '');
  }
  if (!response.ok) {
    const error = await refusal(response);
    if (error.status === 401 && error.code !== 'bad_credentials') connection.onSignedOut();
    throw error;
  }
  try {
    return decode(response.status === 204 ? null : await response.json());
  } catch (e) {
    if (e instanceof DecodeError) throw new ApiError(response.status, 'bad_answer', `${method} ${path}: ${e.message}`);
    throw new ApiError(response.status, 'bad_answer', e instanceof Error ? e.message : '');
  }
}

/** A request whose answer is a file: its bytes. */
export async function bytesOf(method: string, path: string, body: unknown): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(address(path, {}), {
      method,
      headers: { 'X-CSRF-Token': connection.csrf, 'Accept-Language': connection.language, 'Content-Type': 'application/json' },
      credentials: 'same-origin',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      body: JSON.stringify(body),
    });
  } catch (e) {
    throw new ApiError(0, 'unreachable', e instanceof Error ? e.message : '');
  }
  if (response.ok) return response.blob();
  const error = await refusal(response);
  if (error.status === 401) connection.onSignedOut();
  throw error;
}

export const get = <R>(path: string, decode: Decoder<R>, query: Query = {}, signal?: AbortSignal) => send('GET', path, decode, query, undefined, signal);
/** An identifier as part of a path. */
export const id = encodeURIComponent;

export const api = {
  session: () => get('/session', T.decodeSession),
  signIn: (login: string, password: string) => send('POST', '/session', T.decodeSession, {}, { login, password }),
  signOut: () => send('DELETE', '/session', T.decodeNothing),
  setLanguage: (language: T.Language) => send('PUT', '/session/language', T.decodeNothing, {}, { language }),
  changePassword: (old: string, fresh: string) => send('POST', '/session/password', T.decodeNothing, {}, { old, new: fresh }),

  cases: (query: Query) => get('/cases', T.decodeCases, query),
  case: (caseId: string) => get(`/cases/${id(caseId)}`, T.decodeCase),
  createCase: (body: Record<string, unknown>) => send('POST', '/cases', T.decodeCase, {}, body),
  recommendations: () => get('/recommendations', T.decodeRecommendations),
  preview: (caseId: string, form: string, body: unknown) => bytesOf('POST', `/cases/${id(caseId)}/preview/${id(form)}`, body),
  casePeople: (caseId: string) => get(`/cases/${id(caseId)}/people`, T.decodeCasePeople),
  act: (caseId: string, name: T.ActionName, body: Record<string, unknown>) =>
    send('POST', `/cases/${id(caseId)}/actions/${name}`, T.decodeCase, {}, body),

  inbox: (before: string | null) => get('/inbox', T.decodeInbox, { before }),
  markRead: (itemId: string) => send('POST', `/inbox/${id(itemId)}/read`, T.decodeInboxItem, {}, {}),

  events: (query: Query, signal?: AbortSignal) => get('/events', T.decodeEvents, query, signal),
  table: (query: Query, signal?: AbortSignal) => get('/events/table', T.decodeTable, query, signal),
  histogram: (query: Query, signal?: AbortSignal) => get('/events/histogram', T.decodeHistogram, query, signal),

  users: () => get('/users', T.decodeUsers),
  saveUser: (userId: string | null, body: Record<string, unknown>) =>
    userId === null ? send('POST', '/users', T.decodeUserRecord, {}, body) : send('PUT', `/users/${id(userId)}`, T.decodeUserRecord, {}, body),

  rules: () => get('/rules', T.decodeRules),
  setPolicy: (ruleId: string, auto_notify: boolean) => send('PUT', `/rules/${id(ruleId)}/policy`, T.decodeRule, {}, { auto_notify }),
  audit: (query: Query) => get('/audit', T.decodeAudit, query),
  edition: (editionId?: string) => get('/edition', T.decodeEdition, { id: editionId }),
};

/** An address under /api/v1 for a link: a document, an export. */
export const addressOf = (path: string, query: Query = {}) => address(path, query);
export const tailAddress = (q: string) => address('/events/tail', { q });
export const streamAddress = '/api/v1/stream';
export const documentAddress = (sha256: string, format: 'pdf' | 'json' = 'pdf') =>
  address(`/documents/${id(sha256)}`, { format: format === 'pdf' ? null : format });
export const tableAddress = (query: Query) => address('/events/table', { ...query, format: 'csv' });
export const indicatorsAddress = (case_id: string, format: 'stix' | 'misp') => address(`/cases/${id(case_id)}/indicators`, { format });

export async function catalogue(lang: T.Language): Promise<Record<string, string>> {
  const response = await fetch(`/i18n/${lang}.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new ApiError(response.status, 'bad_answer', response.statusText);
  return T.decodeCatalogue(await response.json());
}
