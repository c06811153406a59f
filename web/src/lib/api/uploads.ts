// Files go to the server in pieces, whatever the act is that they belong to; the act then names the upload.
import { ApiError, get, id, send } from './client';
import { decodeNullable as nullable, decodeNumber as num, decodeObject as object, decodeString as str, type Decoded } from './decode';

const upload = object({ id: str, name: str, size_bytes: num, offset: num, piece_bytes: num, sha256: nullable(str), type: nullable(str) });
export type Upload = Decoded<typeof upload>;
export type Bring = (file: File, progress: (share: number) => void, signal: AbortSignal) => Promise<Upload>;

/** How often a piece is tried again after the line broke, before that is said. */
const TRIES = 5;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Brings a whole file; a broken line goes on where the server says that it stands. */
export const uploadFile: Bring = async (file, progress, signal) => {
  let now = await send('POST', '/uploads', upload, {}, { name: file.name.slice(0, 120), size_bytes: file.size }, signal);
  let failed = 0;
  while (now.offset < file.size) {
    progress(now.offset / file.size);
    const piece = file.slice(now.offset, now.offset + now.piece_bytes);
    try {
      now = await send('PUT', `/uploads/${id(now.id)}`, upload, { offset: now.offset }, piece, signal);
      failed = 0;
    } catch (e) {
      // 0: no answer came; 409: the answer to the piece before got lost.
      if (!(e instanceof ApiError) || signal.aborted || (e.status !== 0 && e.status !== 409) || failed >= TRIES) throw e;
      failed += 1;
      await pause(500 * failed);
      now = await get(`/uploads/${id(now.id)}`, upload, {}, signal).catch(() => now);
    }
  }
  progress(1);
  return now;
};
