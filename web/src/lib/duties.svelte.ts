// Running duties: drawn on the first page page by page, and the late ones counted in the navigation. Their answer also sets our clock by the server's.

import { duties as list } from './api/duties';
import { clock, learnNow } from './clock.svelte';
import type { Clock } from './api/types';
import { Loader } from './loader.svelte';

/** As many as the first page shows at once; the server gives the earliest first, so what is late is among them. */
const PAGE = 100;
let more = $state.raw<Clock[]>([]);
let next = $state.raw<string | null>(null);

export const duties = new Loader(async () => {
  const answer = await list({ state: 'open', limit: PAGE });
  learnNow(answer.now);
  more = [];
  next = answer.next;
  return answer.items;
});

export const shownDuties = {
  get items(): readonly Clock[] {
    return [...(duties.value ?? []), ...more];
  },
  /** There are more than are here. */
  get next(): string | null {
    return next;
  },
  async more(): Promise<void> {
    const answer = await list({ state: 'open', limit: PAGE, before: next });
    learnNow(answer.now);
    more = [...more, ...answer.items];
    next = answer.next;
  },
};

export function lateDuties(): number {
  return shownDuties.items.filter((c) => c.basis === 'law' && c.due !== null && clock.left_s(c.due) < 0).length;
}

/** What this side itself owes, the earliest first: enough to show what is next on every page, and to know which duties are one's own to fulfil. */
const MINE = 50;
export const mine = new Loader(async () => {
  const answer = await list({ state: 'open', mine: true, limit: MINE });
  learnNow(answer.now);
  return answer.items;
});

/** The one that is due next, or was due first: what everybody on duty must see on every page. */
export const nextDuty = (): Clock | null => (mine.value ?? []).find((c) => c.due !== null && c.basis === 'law') ?? null;

/** Whether a duty is this side's own: its performer is the one of what this side owes. */
export const isMine = (c: Clock) => (mine.value ?? []).some((m) => m.id === c.id || (m.performer !== null && m.performer.id === c.performer?.id));
