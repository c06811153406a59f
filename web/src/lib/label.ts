// The words of a label: from the catalogue, or from the law's own data in the language in use.
import type { Label } from './fields';
import { pick, t, tOr } from './i18n.svelte';
import type { FieldError } from './api/client';

export const words = (label: Label): string => (typeof label === 'string' ? t(label) : pick(label));

/** What a field is told: own checks by their key, a refusal by the server's words, else by its code. */
export function errorWords(e: FieldError): string {
  if (e.code === 'own') return t(e.detail);
  return e.detail || tOr(`ui.failure.${e.code}`, t('ui.field_wrong'));
}
