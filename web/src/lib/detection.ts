// What the pages of detection share: how flags look, parts of a whole in words.
import { mayOpen } from './rooms';
import type { Look } from './collection';
import type { RuleFlag } from './api/detection';
import { n, t } from './i18n.svelte';
import { session } from './session.svelte';

export const RULE_FLAG_LOOK: Record<RuleFlag, Look> = {
  matched: ['plain', 'up'], never_fed: ['plain', 'cross'], costly: ['urgent', 'urgent'], filtered: ['plain', 'none'], own: ['plain', 'plus'], dismissed: ['soon', 'cross'],
};

/** A share of 0 to 1 in per cent; what is there and rounds to nothing is said to be below. */
export function part(share: number | null): string {
  if (share === null) return '—';
  const p = share * 100;
  return p > 0 && p < 0.1 ? t('ui.percent_below', { value: 0.1 }) : t('ui.percent', { value: n(Math.round(p * 10) / 10) });
}

/** Changes of detection are made by administrators and the centre's people; the server decides. */
export const mayChange = () => session.is('administrator') || session.is('centre_lead') || session.is('centre_analyst');
export const mayRemove = () => session.is('administrator') || session.is('centre_lead');
export const mayOpenHere = (path: string[]) => mayOpen(path, session.user?.role);
