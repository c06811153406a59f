// Parts of a text that are to be marked. Places are in bytes of UTF-8, as the server counts them; a mark that begins or ends within a letter takes the whole letter.

export interface Place {
  at: number;
  length: number;
}
export interface Segment {
  text: string;
  marked: boolean;
}

export function segments(text: string, places: readonly Place[]): Segment[] {
  const wanted = places.filter((p) => p.length > 0);
  if (wanted.length === 0) return text === '' ? [] : [{ text, marked: false }];
  const out: Segment[] = [];
  const encoder = new TextEncoder();
  let at = 0;
  for (const letter of text) {
    const bytes = letter.charCodeAt(0) < 0x80 ? 1 : encoder.encode(letter).length;
    const end = at + bytes;
    const from = at;
    const marked = wanted.some((p) => from < p.at + p.length && end > p.at);
    const last = out[out.length - 1];
    if (last && last.marked === marked) last.text += letter;
    else out.push({ text: letter, marked });
    at = end;
  }
  return out;
}
