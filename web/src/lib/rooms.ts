// The table of pages. Each room keeps its own rows in src/rooms/NAME.ts; every file there is collected here, so a new room touches nobody's file.
import type { Role } from './api/types';
import { GROUPS, type Group, type Page } from './page';

const files = import.meta.glob<{ pages: Page[] }>('../rooms/*.ts', { eager: true });

const byPlace = (a: Page, b: Page) => (a.order ?? 100) - (b.order ?? 100) || (a.path < b.path ? -1 : 1);
export const pages: readonly Page[] = Object.values(files).flatMap((f) => f.pages).sort(byPlace);

function params(page: Page, path: readonly string[]): Record<string, string> | null {
  const parts = page.path === '' ? [] : page.path.split('/');
  if (parts.length !== path.length) return null;
  const found: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const got = path[i] ?? '';
    if (part.startsWith(':')) found[part.slice(1)] = got;
    else if (part !== got) return null;
  }
  return found;
}
const shape = (page: Page) => page.path.split('/').map((p) => (p.startsWith(':') ? '1' : '0')).join('');

export interface Found {
  page: Page;
  params: Record<string, string>;
}

/** The page of an address for this role, or null: what one may not open does not exist. «objects/new» is never the object «new». */
export function findPage(path: readonly string[], role: Role, among: readonly Page[] = pages): Found | null {
  const fits = among.flatMap((page) => {
    const p = params(page, path);
    return p ? [{ page, params: p }] : [];
  });
  const best = fits.map((f) => shape(f.page)).sort()[0];
  return fits.find((f) => shape(f.page) === best && f.page.roles.includes(role)) ?? null;
}

/** Whether a link to an address leads anywhere for this role. */
export const mayOpen = (path: readonly string[], role: Role | undefined) => role !== undefined && findPage(path, role) !== null;

export interface NavGroup {
  group: Group;
  pages: Page[];
}

export function navigation(role: Role, among: readonly Page[] = pages): NavGroup[] {
  return GROUPS.map((group) => ({ group, pages: among.filter((p) => p.group === group && p.roles.includes(role)) })).filter((g) => g.pages.length > 0);
}

/** The page of the navigation under which an address stands: «objects/17» under «objects». */
export function currentPage(path: readonly string[], nav: readonly NavGroup[]): Page | null {
  const here = path.join('/');
  const all = nav.flatMap((g) => g.pages).filter((p) => p.path === here || (p.path !== '' && here.startsWith(`${p.path}/`)));
  return all.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** Pages of other rooms that stand below an address: «objects/:id/passports» on the page of an object. */
export function pagesBelow(path: string, role: Role, among: readonly Page[] = pages): Page[] {
  return among.filter((p) => p.roles.includes(role) && p.path.startsWith(`${path}/`) && p.path.split('/').length === path.split('/').length + 1 && !p.path.endsWith('/new') && !p.path.slice(path.length).includes(':'));
}
