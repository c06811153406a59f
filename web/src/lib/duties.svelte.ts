// Running clocks: drawn on the first page, and the late ones counted in the navigation. Their answer also sets our clock by the server's.

import { api } from './api/client';
import { clock, learnNow } from './clock.svelte';
import { Loader } from './loader.svelte';

export const duties = new Loader(async () => {
  const answer = await api.clocks();
  learnNow(answer.now);
  return answer.items.filter((c) => c.state === 'running' || c.state === 'overdue').sort((a, b) => Date.parse(a.due) - Date.parse(b.due));
});

export function lateDuties(): number {
  return (duties.value ?? []).filter((c) => clock.left_s(c.due) < 0).length;
}
