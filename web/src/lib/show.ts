// The value of a field as words: what a form takes, shown without the form.
import type { FieldSpec, Value } from './fields';
import { formatDate, formatInstant } from './format';
import { n, t } from './i18n.svelte';
import { words } from './label';

/** Null: there is no value. `named` gives the words of things referred to by identifier. */
export function showValue(f: FieldSpec, value: unknown, all: Record<string, unknown> = {}, named: Record<string, string | undefined> = {}): string | null {
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return null;
  switch (f.type) {
    case 'yesno':
    case 'check':
      return value === true ? t('ui.yes') : t('ui.no');
    case 'select':
    case 'radio': {
      const o = f.options.find((x) => x.value === String(value));
      return o ? words(o.label) : String(value);
    }
    case 'set':
      return Array.isArray(value) ? value.map((v) => f.options.find((o) => o.value === v)).map((o, i) => (o ? words(o.label) : String(value[i]))).join(', ') : String(value);
    case 'lines':
      return Array.isArray(value) ? value.join('\n') : String(value);
    case 'date':
      return formatDate(String(value));
    case 'datetime':
      return formatInstant(String(value));
    case 'quantity': {
      const unit = f.units.find((u) => u.value === all[f.unitName]);
      return `${n(Number(value))}${unit ? ` ${words(unit.label)}` : ''}`;
    }
    case 'integer':
    case 'number':
      return `${n(Number(value))}${f.unit ? ` ${words(f.unit)}` : ''}`;
    case 'lookup':
      return named[f.name] ?? String(value);
    case 'group':
      return Array.isArray(value) ? value.map((item: Record<string, Value>) => f.fields.map((x) => showValue(x, item[x.name], item)).filter((x) => x !== null).join(', ')).join('\n') : null;
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}
