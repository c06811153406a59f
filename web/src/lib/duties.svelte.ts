// Running clocks: drawn on the first page, and the late ones counted in the navigation. Their answer also sets our clock by the server's.

import { api } from './api/client';
import { clock, learnNow } from './clock.svelte';
import { Loader } from './loader.svelte';

const end = (due: string | null) => (due === null ? Infinity : Date.parse(due));

export const duties = new Loader(async () => {
  const answer = await api.clocks();
  learnNow(answer.now);
  return answer.items.filter((c) => c.state === 'running' || c.state === 'overdue').sort((a, b) => end(a.due) - end(b.due));
});

export function lateDuties(): number {
  return (duties.value ?? []).filter((c) => c.basis === 'law' && c.due !== null && clock.left_s(c.due) < 0).length;
}
