// The editions of the Rules, each fetched once.

import { api } from './api/client';
import type { Edition } from './api/types';

const editions = $state.raw<{ byId: Record<string, Edition> }>({ byId: {} });
let shown = $state(0);
const asked = new Set<string>();

/** Null while it is on its way. */
export function edition(id: string): Edition | null {
  void shown;
  const found = editions.byId[id];
  if (!found && !asked.has(id)) {
    asked.add(id);
    api.edition(id).then(
      (e) => {
        editions.byId[id] = e;
        shown += 1;
      },
      () => asked.delete(id),
    );
  }
  return found ?? null;
}
