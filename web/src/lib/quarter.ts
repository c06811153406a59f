// A quarter as people read it; the API writes "2026Q4".
import { t } from './i18n.svelte';

export function quarterText(quarter: string): string {
  const m = /^(\d{4})Q([1-4])$/.exec(quarter);
  return m ? t('ui.report.quarter_of', { year: m[1] ?? '', n: m[2] ?? '' }) : quarter;
}
