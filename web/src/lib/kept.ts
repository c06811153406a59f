// What somebody is typing, kept in this tab until it is sent or put aside: a reload or an ended session takes nothing away. Never passwords.

let user = '';
const PREFIX = 'saqshy.typed.';
/** More is not kept: a form is text, and the browser gives a few megabytes in all. */
const LIMIT = 512 * 1024;

/** Each person's own: whoever signs in next in this tab does not see it. */
const keyOf = (place: string) => `${PREFIX}${user}.${place}`;

export function keep(place: string, value: unknown): void {
  if (user === '') return;
  const text = JSON.stringify(value);
  try {
    if (text.length <= LIMIT) sessionStorage.setItem(keyOf(place), text);
  } catch {
    // A full or closed store: then it is typed once more.
  }
}

export function recall(place: string): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(place)) ?? 'null') as unknown;
  } catch {
    return null;
  }
}

export function forget(place: string): void {
  sessionStorage.removeItem(keyOf(place));
}

/** Who types now: at a sign-out (null) nothing stays, at a sign-in nothing of others does. */
export function keepFor(now: string | null): void {
  user = now ?? '';
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX) && (now === null || !key.startsWith(`${PREFIX}${now}.`))) sessionStorage.removeItem(key);
}
