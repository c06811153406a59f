// The values of a request as names and values to be read: known fields only, each by its type.
import { FIELDS, VALUES } from '../../lib/api/requests';
import { formatDate } from '../../lib/format';
import { t } from '../../lib/i18n.svelte';
import type { Fact } from '../../components/DefinitionList.svelte';

const INSTANT = /^\d{4}-\d\d-\d\dT/;
const DAY = /^\d{4}-\d\d-\d\d$/;
/** Fields whose text is a person's, even where it equals one of our words. */
const FREE = new Set(['title', 'text', 'note', 'reason', 'name', 'host', 'component', 'log', 'path', 'place', 'visitors', 'number', 'received_by', 'paper_number', 'paper_reason', 'paper_received_by', 'paper_recorded_by']);

export function factsOf(values: Record<string, unknown>): Fact[] {
  const out: Fact[] = [];
  for (const name of FIELDS) {
    const v = values[name];
    if (v === undefined || v === null || v === '') continue;
    const label = `ui.requests.field.${name}`;
    if (typeof v === 'boolean') out.push({ label, value: t(v ? 'ui.yes' : 'ui.no') });
    else if (typeof v === 'number') out.push({ label, value: v });
    else if (typeof v === 'string') {
      const word = FREE.has(name) ? undefined : VALUES.find((x) => x === v);
      out.push(INSTANT.test(v) ? { label, at: v } : { label, value: word ? t(`ui.requests.value.${word}`) : DAY.test(v) ? formatDate(v) : v, mono: name.endsWith('sha256') });
    }
  }
  return out;
}
