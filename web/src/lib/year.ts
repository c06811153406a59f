// Days of a year as numbers and texts, without a zone: "2027-04-06". Pure.

/** Days from the first of January, 0. */
export function dayOf(year: number, date: string): number {
  return Math.round((Date.parse(`${date}T00:00:00Z`) - Date.UTC(year, 0, 1)) / 86_400_000);
}
export function dateOf(year: number, day: number): string {
  return new Date(Date.UTC(year, 0, 1) + day * 86_400_000).toISOString().slice(0, 10);
}
export const daysOf = (year: number): number => (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1)) / 86_400_000;
/** 0 Monday … 6 Sunday. */
export const weekday = (year: number, day: number): number => (new Date(Date.UTC(year, 0, 1) + day * 86_400_000).getUTCDay() + 6) % 7;
// i18n: ui.schedule.month.*
export const MONTHS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'] as const;
export interface Month {
  month: number;
  first: number;
  count: number;
}
export function monthsOf(year: number): Month[] {
  return Array.from({ length: 12 }, (_, i) => {
    const first = dayOf(year, new Date(Date.UTC(year, i, 1)).toISOString().slice(0, 10));
    return { month: i + 1, first, count: new Date(Date.UTC(year, i + 1, 0)).getUTCDate() };
  });
}
