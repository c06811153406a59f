// The stream of changes: pages ask to be told, and fetch again.

import { untrack } from 'svelte';
import { api, streamAddress } from './api/client';
import { decodeChange, type Change } from './api/types';

type Listener = (change: Change | null) => void;
const listeners = new Set<Listener>();
const state = $state<{ connected: boolean; since_ms: number }>({ connected: true, since_ms: 0 });
let source: EventSource | null = null;
let again: ReturnType<typeof setTimeout> | undefined;

export const live = {
  get connected(): boolean {
    return state.connected;
  },
  /** When the line was lost, in the browser's own time. */
  get since_ms(): number {
    return state.since_ms;
  },
};

function tell(change: Change | null): void {
  for (const l of listeners) l(change);
}

export function connect(): void {
  if (source) return;
  const opened = new EventSource(streamAddress);
  source = opened;
  let first = true;
  opened.onopen = () => {
    state.connected = true;
    // What happened while the line was down is unknown, so everybody looks again.
    if (!first) tell(null);
    first = false;
  };
  opened.onmessage = (m: MessageEvent<string>) => {
    try {
      tell(decodeChange(JSON.parse(m.data)));
    } catch {
      tell(null);
    }
  };
  opened.onerror = () => {
    if (state.connected) state.since_ms = Date.now();
    state.connected = false;
    if (opened.readyState === EventSource.CLOSED && source === opened) {
      source = null;
      again = setTimeout(connect, 3000);
      // A refused stream does not say why; an ended session shows itself here and leads to the sign-in.
      void api.session().catch(() => undefined);
    }
  };
}

export function disconnect(): void {
  clearTimeout(again);
  source?.close();
  source = null;
  state.connected = true;
}

/** Calls `fn` for each change (null: anything may have changed). Use in $effect; returns the way to stop. */
export function onChange(fn: Listener): () => void {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

/**
 * Fetches again when a change of this kind came. While `held` says that somebody types, it waits, so that no form is taken away
 * under the hands, and looks as soon as they are done. Called once where a component is made.
 */
export function follow(wanted: (change: Change) => boolean, load: () => void, held: () => boolean = () => false): void {
  let missed = $state(false);
  $effect(() =>
    onChange((c) => {
      if (c !== null && !wanted(c)) return;
      if (untrack(held)) missed = true;
      else untrack(load);
    }),
  );
  $effect(() => {
    if (!missed || held()) return;
    missed = false;
    untrack(load);
  });
}
