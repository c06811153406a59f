// What waits for a second person.
import { get, id, send, type Query } from './client';
import { decodeArray as arr, decodeNullable as nullable, decodeObject as object, decodeString as str } from './decode';
import { decodeApproval } from './types';

export { APPROVAL_STATES, type Approval } from './types';
const decodePage = object({ items: arr(decodeApproval), next: nullable(str) });

export const approvals = (query: Query) => get('/approvals', decodePage, query);
export const decide = (approvalId: string, decision: 'approve' | 'refuse' | 'withdraw', note: string) =>
  send('POST', `/approvals/${id(approvalId)}/decision`, decodeApproval, {}, note === '' ? { decision } : { decision, note });
