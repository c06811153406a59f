// Talking to the server. Every answer goes through a decoder; every failure becomes an ApiError with a stable code.

import { DecodeError, type Decoder } from './decode';
import * as T from './types';

export type FailureCode = string;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: FailureCode,
    message: string,
    readonly field: string | null = null,
    readonly at: number | null = null,
    readonly retry_after: number | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface Connection {
  csrf: string;
  language: T.Language;
  /** Called when the server no longer knows the session. */
  onSignedOut: () => void;
}

export const connection: Connection = { csrf: '', language: 'kk', onSignedOut: () => undefined };

const TIMEOUT_MS = 30_000;
type Query = Record<string, string | number | boolean | null | undefined>;

function address(path: string, query: Query): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== null && v !== undefined && v !== '') q.set(k, String(v));
  const tail = q.toString();
  return `/api/v1${path}${tail ? `?${tail}` : ''}`;
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const { error } = T.decodeErrorBody(await response.json());
    return new ApiError(response.status, error.code, error.message, error.field, error.at, error.retry_after);
  } catch {
    return new ApiError(response.status, 'bad_answer', response.statusText);
  }
}

async function send<R>(method: string, path: string, decode: Decoder<R>, query: Query = {}, body?: unknown, signal?: AbortSignal): Promise<R> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': connection.language };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = connection.csrf;
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  let response: Response;
  try {
    response = await fetch(address(path, query), {
      method,
      headers,
      credentials: 'same-origin',
      signal: AbortSignal.any(signals),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
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

const get = <R>(path: string, decode: Decoder<R>, query: Query = {}, signal?: AbortSignal) => send('GET', path, decode, query, undefined, signal);
const id = encodeURIComponent;

export const api = {
  session: () => get('/session', T.decodeSession),
  signIn: (login: string, password: string) => send('POST', '/session', T.decodeSession, {}, { login, password }),
  signOut: () => send('DELETE', '/session', T.decodeNothing),
  setLanguage: (language: T.Language) => send('PUT', '/session/language', T.decodeNothing, {}, { language }),
  changePassword: (old: string, fresh: string) => send('POST', '/session/password', T.decodeNothing, {}, { old, new: fresh }),

  clocks: () => get('/clocks', T.decodeClocks),
  cases: (query: Query) => get('/cases', T.decodeCases, query),
  case: (caseId: string) => get(`/cases/${id(caseId)}`, T.decodeCase),
  act: (caseId: string, name: T.ActionName, body: Record<string, unknown>) =>
    send('POST', `/cases/${id(caseId)}/actions/${name}`, T.decodeCase, {}, body),

  inbox: (before: string | null) => get('/inbox', T.decodeInbox, { before }),
  markRead: (itemId: string) => send('POST', `/inbox/${id(itemId)}/read`, T.decodeInboxItem, {}, {}),

  events: (query: Query, signal?: AbortSignal) => get('/events', T.decodeEvents, query, signal),
  histogram: (query: Query, signal?: AbortSignal) => get('/events/histogram', T.decodeHistogram, query, signal),

  objects: () => get('/objects', T.decodeObjects),
  object: (objectId: string) => get(`/objects/${id(objectId)}`, T.decodeMonitoredObject),
  saveObject: (objectId: string | null, body: Record<string, unknown>) =>
    objectId === null
      ? send('POST', '/objects', T.decodeMonitoredObject, {}, body)
      : send('PUT', `/objects/${id(objectId)}`, T.decodeMonitoredObject, {}, body),
  organisations: () => get('/organisations', T.decodeOrganisations),
  users: () => get('/users', T.decodeUsers),
  saveUser: (userId: string | null, body: Record<string, unknown>) =>
    userId === null ? send('POST', '/users', T.decodeUserRecord, {}, body) : send('PUT', `/users/${id(userId)}`, T.decodeUserRecord, {}, body),

  sources: () => get('/sources', T.decodeSources),
  rules: () => get('/rules', T.decodeRules),
  setPolicy: (ruleId: string, auto_notify: boolean) => send('PUT', `/rules/${id(ruleId)}/policy`, T.decodeRule, {}, { auto_notify }),
  audit: (query: Query) => get('/audit', T.decodeAudit, query),
  edition: (editionId?: string) => get('/edition', T.decodeEdition, { id: editionId }),
};

export const tailAddress = (q: string) => address('/events/tail', { q });
export const streamAddress = '/api/v1/stream';
export const documentAddress = (sha256: string, format: 'pdf' | 'json' = 'pdf') =>
  address(`/documents/${id(sha256)}`, { format: format === 'pdf' ? null : format });

export async function catalogue(lang: T.Language): Promise<Record<string, string>> {
  const response = await fetch(`/i18n/${lang}.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new ApiError(response.status, 'bad_answer', response.statusText);
  return T.decodeCatalogue(await response.json());
}
