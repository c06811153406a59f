// One thing fetched from the server: its value, whether it is being fetched, and why it could not be.

import { untrack } from 'svelte';
import { ApiError } from './api/client';
import { learnNow } from './clock.svelte';

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

/** Calls again while the page is looked at; an effect returns what this returns. */
export function every(ms: number, again: () => void): () => void {
  const timer = setInterval(() => {
    if (!document.hidden) again();
  }, ms);
  return () => clearInterval(timer);
}

/** Fetched at once, and again each `ms` while the page is looked at; an answer that tells the server's moment sets the clock. Called once where a component is made. */
export function watched<T>(ms: number, fetcher: () => Promise<T>): Loader<T> {
  const loader = new Loader(async () => {
    const answer = await fetcher();
    if (typeof answer === 'object' && answer !== null && 'now' in answer && typeof answer.now === 'string') learnNow(answer.now);
    return answer;
  });
  $effect(() => untrack(() => void loader.load()));
  $effect(() => every(ms, () => void loader.load()));
  return loader;
}
