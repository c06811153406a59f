// Numbers beside the words of the navigation. A page names its counter; the frame loads it and asks again after changes.
import { approvals } from './api/approvals';
import type { Change, Role } from './api/types';
import { lateDuties } from './duties.svelte';
import { t } from './i18n.svelte';
import { inbox } from './inbox.svelte';
import { Loader } from './loader.svelte';
import { CENTRE, OWNERS, type Page } from './page';
import { session } from './session.svelte';


const OWE: readonly Role[] = ['administrator', ...CENTRE, ...OWNERS];
export interface Counter {
  count: () => number;
  /** The number for a screen reader. */
  words: (count: number) => string;
  load?: () => void;
  /** Forgets what the person before saw. */
  clear?: () => void;
  refreshOn?: (change: Change) => boolean;
  /** Drawn as something late. */
  late?: boolean;
}

/** Late duties: the frame itself fetches the duties, since they set the clock. */
const late: Counter = { count: () => (session.is(...OWE) ? lateDuties() : 0), words: (count) => t('ui.clocks.late_count', { count }), late: true };

const unread: Counter = {
  count: () => inbox.value?.unread ?? 0,
  words: (count) => t('ui.inbox.unread', { count }),
  load: () => void inbox.load(),
  clear: () => inbox.clear(),
  refreshOn: (c: Change) => c.type === 'inbox',
};

export const waiting = new Loader(() => approvals({ state: 'waiting', limit: '100' }));
const waitingApprovals: Counter = {
  count: () => waiting.value?.items.length ?? 0,
  words: (count) => t('ui.home.approvals', { count }),
  load: () => void waiting.load(),
  clear: () => waiting.clear(),
  refreshOn: (c: Change) => c.type === 'case',
};

export const COUNTERS: Record<NonNullable<Page['counter']>, Counter> = { late, unread, approvals: waitingApprovals };
