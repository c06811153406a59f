// What a page is, and the sets of roles that the rooms name in their tables (src/rooms/NAME.ts).
import type { Component } from 'svelte';
import { ROLES, type Role } from './api/types';

/** Groups of the navigation, in the order in which they stand. */
export const GROUPS = ['work', 'cases', 'registry', 'duties', 'notices', 'requests', 'surveys', 'reports', 'exchange', 'events', 'detection', 'collection', 'administration'] as const;
export type Group = (typeof GROUPS)[number];

/** What a page is told: the values of the «:name» places of its path, as properties. */
export type PageComponent = Component<any>;

export interface Page {
  /** «objects», «objects/new», «objects/:id»: of two that fit, the one with the earlier plain word is taken. */
  path: string;
  /** Who may open it. What a role may see on it is decided by the server. */
  roles: readonly Role[];
  component: () => Promise<{ default: PageComponent }>;
  /** Key of the catalogue: the words in the navigation. */
  title: string;
  /** Without a group the page is reached from other pages only. */
  group?: Group;
  /** Place in the group; pages of the same order stand by path. */
  order?: number;
  /** Letter after «g» on the keyboard; the first page that asks for a letter has it. */
  key?: string;
  /** A number beside the words of the navigation (lib/counters.ts). */
  counter?: 'late' | 'unread' | 'approvals';
}

export const everybody: readonly Role[] = ROLES;
export const without = (...roles: Role[]): Role[] => ROLES.filter((r) => !roles.includes(r));
/** The centre's own people who work on cases. */
export const CENTRE: readonly Role[] = ['centre_analyst', 'centre_lead'];
/** Those who answer for objects: the owner's people, the OCIB, the responsible person of a CII object. */
export const OWNERS: readonly Role[] = ['owner_officer', 'owner_administrator', 'ocib_analyst', 'cii_responsible'];
