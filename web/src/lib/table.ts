// What a table of the portal is told of its columns and filters (components/DataTable.svelte).
import type { Label, Option } from './fields';

export interface Column<T> {
  id: string;
  title: Label;
  /** Words of the cell; without it the page's snippet `cell` draws the cell. */
  text?: (row: T) => string | number | null;
  /** At the right, digits under digits. */
  number?: boolean;
  nowrap?: boolean;
  mono?: boolean;
}

/** A filter is a parameter of the request and of the page's address under the same name. */
export type Filter =
  | { name: string; label: Label; type: 'search'; placeholder?: Label }
  | { name: string; label: Label; type: 'select'; options: readonly Option[]; all?: Label }
  | { name: string; label: Label; type: 'date' }
  /** Kept in the address and sent; the page draws it by itself. */
  | { name: string; label: Label; type: 'kept' }
  /** One of many by typing part of its name; the address holds the identifier, of which `named` tells the name. */
  | { name: string; label: Label; type: 'lookup'; find: (text: string) => Promise<Option[]>; named?: (id: string) => Promise<string> };

export type TableQuery = Record<string, string | null>;
