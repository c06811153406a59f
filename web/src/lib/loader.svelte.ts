// One thing fetched from the server: its value, whether it is being fetched, and why it could not be.

import { ApiError } from './api/client';

export class Loader<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  busy = $state(false);
  /** Browser time of the last good answer. */
  loaded_ms = $state(0);
  #turn = 0;

  constructor(private readonly fetcher: () => Promise<T>) {}

  /** The last call wins; the old value stays while a new one is fetched. */
  load = async (): Promise<void> => {
    this.#turn += 1;
    const turn = this.#turn;
    this.busy = true;
    try {
      const value = await this.fetcher();
      if (turn !== this.#turn) return;
      this.value = value;
      this.error = null;
      this.loaded_ms = Date.now();
    } catch (e) {
      if (turn !== this.#turn) return;
      this.error = e instanceof ApiError ? e : new ApiError(0, 'internal', e instanceof Error ? e.message : String(e));
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  };

  /** Forget all, as when another person signs in. */
  clear(): void {
    this.#turn += 1;
    this.value = null;
    this.error = null;
    this.busy = false;
  }

  /** What an act answered. An answer that is still under way was asked for before it and may be older: it is not taken, but asked for anew. */
  set(value: T): void {
    const asked = this.busy;
    this.#turn += 1;
    this.value = value;
    this.error = null;
    this.busy = false;
    this.loaded_ms = Date.now();
    if (asked) void this.load();
  }
}
