// Addresses: everything behind # — «/cases/12?do=notify» — so that the server has one page to serve.

export interface Route {
  path: string[];
  params: Record<string, string>;
}

export function parseHash(hash: string): Route {
  const raw = hash.replace(/^#\/?/, '');
  const mark = raw.indexOf('?');
  const path = (mark < 0 ? raw : raw.slice(0, mark)).split('/').filter((p) => p !== '').map(safeDecode);
  const params: Record<string, string> = {};
  if (mark >= 0) for (const [k, v] of new URLSearchParams(raw.slice(mark + 1))) params[k] = v;
  return { path, params };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Empty values are left out, so that the shortest address is the plain page. */
export function toHash(path: string[], params: Record<string, string | null | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v) q.set(k, v);
  const tail = q.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${tail ? `?${tail}` : ''}`;
}
