// The quarterly summaries of paragraphs 17 and 18.
import { get, id, send, type Query } from './client';
import { decodeArray as arr, decodeEnum, decodeNullable as nullable, decodeNumber as num, decodeObject as object, decodeString as str, type Decoded } from './decode';
import { clock, page, ref } from './types';

// i18n: ui.report.state.*
export const REPORT_STATES = ['collecting', 'draft', 'sent', 'acknowledged'] as const;
// i18n: ui.report.do.* ui.report.do_means.*
export const ACTIONS = ['comment', 'send', 'acknowledge', 'correct'] as const;
export type ReportAction = (typeof ACTIONS)[number];

const figure = object({
  id: str, section: str, label: str, note: nullable(str), total: num, parts: arr(object({ value: str, label: str, count: num })),
});
export type Figure = Decoded<typeof figure>;
const summary = {
  id: str, paragraph: decodeEnum(['17', '18'] as const), quarter: str, version: num, from: str, to: str, state: decodeEnum(REPORT_STATES), comment: nullable(str),
  reason: nullable(str), as_of: nullable(str), sent_at: nullable(str), sent_by: nullable(ref), acknowledged_at: nullable(str), acknowledged_by: nullable(ref),
  actions: arr(decodeEnum(ACTIONS)),
};
const reportSummary = object(summary);
export type ReportSummary = Decoded<typeof reportSummary>;
const report = object({
  ...summary, counted_as_of: str, figures: arr(figure), files: arr(object({ format: str, sha256: str, size_bytes: num })), clocks: arr(clock),
});
export type Report = Decoded<typeof report>;
const row = object({ kind: str, id: str, name: nullable(str), object: nullable(ref), at: str });
export type FigureRow = Decoded<typeof row>;

export const reports = (query: Query) => get('/reports', page(reportSummary), query);
export const reportOf = (report_id: string, as_of: string | null) => get(`/reports/${id(report_id)}`, report, { as_of });
export const actOnReport = (report_id: string, action: ReportAction, body: Record<string, string>) =>
  send('POST', `/reports/${id(report_id)}/actions/${action}`, report, {}, body);
const counted = object({ paragraph: str, quarter: str, from: str, to: str, as_of: str, figures: arr(figure) });
/** The figures of any quarter, whether there is a summary of it or not, as of any moment. */
export const figuresOf = (query: Query) => get('/figures', counted, query);
export const figureRows = (figure_id: string, query: Query) => get(`/figures/${id(figure_id)}/rows`, page(row), query);
export const reportFile = (report_id: string, format: string, as_of: string | null = null) =>
  `/api/v1/reports/${id(report_id)}/file?format=${format}${as_of === null ? '' : `&as_of=${encodeURIComponent(as_of)}`}`;
