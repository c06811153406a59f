// The editions of the Rules, each fetched once; a failed fetch is tried again when asked.

import { api } from './api/client';
import { Loader } from './loader.svelte';
import type { Edition } from './api/types';

const loaders = new Map<string, Loader<Edition>>();

export function edition(id: string): Loader<Edition> {
  let found = loaders.get(id);
  if (!found) {
    found = new Loader(() => api.edition(id));
    loaders.set(id, found);
  }
  return found;
}
