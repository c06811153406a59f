// Searches for fields of the type «lookup»: organisations and objects by part of their name.
import { api } from './api/client';
import type { Option } from './fields';

const contains = (text: string, ...parts: (string | null)[]) => parts.some((p) => p !== null && p.toLocaleLowerCase().includes(text.toLocaleLowerCase()));

export async function findOrganisation(text: string): Promise<Option[]> {
  const { items } = await api.organisations();
  return items.filter((o) => contains(text, o.name, o.bin)).map((o) => ({ value: o.id, label: literal(o.name), ...(o.bin ? { hint: literal(o.bin) } : {}) }));
}

export async function findObject(text: string): Promise<Option[]> {
  const { items } = await api.objects();
  return items.filter((o) => contains(text, o.name, o.org.name, ...o.hosts)).map((o) => ({ value: o.id, label: literal(o.name), hint: literal(o.org.name) }));
}

/** A name that is the same in every language, as a label. */
export const literal = (name: string) => ({ kk: name, ru: name, en: name });
