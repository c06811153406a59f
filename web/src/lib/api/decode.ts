// Checks of foreign values. A decoder returns the value with its type, or throws DecodeError naming the place.

export class DecodeError extends Error {
  constructor(
    readonly path: string,
    readonly expected: string,
  ) {
    super(`${path || '(answer)'}: expected ${expected}`);
    this.name = 'DecodeError';
  }
}

export type Decoder<T> = (value: unknown, path?: string) => T;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

function fail(path: string, expected: string): never {
  throw new DecodeError(path, expected);
}

export const decodeString: Decoder<string> = (v, path = '') => (typeof v === 'string' ? v : fail(path, 'string'));
export const decodeNumber: Decoder<number> = (v, path = '') =>
  typeof v === 'number' && Number.isFinite(v) ? v : fail(path, 'number');
export const decodeBoolean: Decoder<boolean> = (v, path = '') => (typeof v === 'boolean' ? v : fail(path, 'boolean'));

/** An instant as the API writes it; kept as text, so that its nanoseconds survive. */
export const decodeInstant: Decoder<string> = (v, path = '') =>
  typeof v === 'string' && !Number.isNaN(Date.parse(v)) ? v : fail(path, 'RFC 3339 time');

export function decodeEnum<const T extends readonly string[]>(values: T): Decoder<T[number]> {
  return (v, path = '') => {
    const found = values.find((x) => x === v);
    return found ?? fail(path, `one of ${values.join(', ')}`);
  };
}

/** Absent counts as null: an older server may not know the property yet. */
export function decodeNullable<T>(inner: Decoder<T>): Decoder<T | null> {
  return (v, path = '') => (v === null || v === undefined ? null : inner(v, path));
}

export function decodeArray<T>(inner: Decoder<T>): Decoder<T[]> {
  return (v, path = '') =>
    Array.isArray(v) ? v.map((x: unknown, i) => inner(x, `${path}[${i}]`)) : fail(path, 'array');
}

function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

export function decodeMap<T>(inner: Decoder<T>): Decoder<Record<string, T>> {
  return (v, path = '') => {
    if (!isRecord(v)) return fail(path, 'object');
    const out: Record<string, T> = {};
    for (const [k, x] of Object.entries(v)) out[k] = inner(x, path ? `${path}.${k}` : k);
    return out;
  };
}

/** Properties that are not named are dropped: what the window does not know it does not show. */
export function decodeObject<S extends Record<string, Decoder<unknown>>>(
  shape: S,
): Decoder<{ [K in keyof S]: Decoded<S[K]> }> {
  return (v, path = '') => {
    if (!isRecord(v)) return fail(path, 'object');
    const out: Record<string, unknown> = {};
    for (const [k, inner] of Object.entries(shape)) out[k] = inner(v[k], path ? `${path}.${k}` : k);
    return out as { [K in keyof S]: Decoded<S[K]> };
  };
}
