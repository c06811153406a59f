// Collection: what arrives, from whom, how it is read, kept and passed on.
import { CENTRE, OWNERS, type Page } from '../lib/page';

const SEE = ['administrator', ...CENTRE, ...OWNERS, 'surveyor', 'document_auditor', 'auditor'] as const;
const RUN = ['administrator', ...CENTRE, 'auditor'] as const;
const TOKENS = ['administrator', 'auditor'] as const;

export const pages: Page[] = [
  { path: 'sources', roles: SEE, component: () => import('../pages/collection/Sources.svelte'), title: 'ui.nav.sources', group: 'collection', order: 1, key: 'r' },
  { path: 'sources/:id', roles: SEE, component: () => import('../pages/collection/Source.svelte'), title: 'ui.nav.sources' },
  { path: 'collection/coverage', roles: SEE, component: () => import('../pages/collection/Coverage.svelte'), title: 'ui.collection.coverage', group: 'collection', order: 2 },
  { path: 'collection/coverage/:id', roles: SEE, component: () => import('../pages/collection/Coverage.svelte'), title: 'ui.collection.coverage' },
  { path: 'collection/listeners', roles: RUN, component: () => import('../pages/collection/Listeners.svelte'), title: 'ui.collection.listeners', group: 'collection', order: 2 },
  { path: 'collection/profiles', roles: RUN, component: () => import('../pages/collection/Profiles.svelte'), title: 'ui.collection.profiles', group: 'collection', order: 3 },
  { path: 'collection/tokens', roles: TOKENS, component: () => import('../pages/collection/Tokens.svelte'), title: 'ui.collection.tokens', group: 'collection', order: 4 },
  { path: 'collection/unparsed', roles: SEE, component: () => import('../pages/collection/Unparsed.svelte'), title: 'ui.collection.unparsed', group: 'collection', order: 5 },
  { path: 'collection/parsers', roles: RUN, component: () => import('../pages/collection/Parsers.svelte'), title: 'ui.collection.parsers', group: 'collection', order: 6 },
  { path: 'collection/conformance', roles: SEE, component: () => import('../pages/collection/Conformance.svelte'), title: 'ui.collection.conformance', group: 'collection', order: 7 },
  { path: 'collection/forwarding', roles: RUN, component: () => import('../pages/collection/Forwarding.svelte'), title: 'ui.collection.forwarding', group: 'collection', order: 8 },
  { path: 'collection/storage', roles: RUN, component: () => import('../pages/collection/Storage.svelte'), title: 'ui.collection.storage', group: 'collection', order: 9 },
  { path: 'collection/holds', roles: RUN, component: () => import('../pages/collection/Holds.svelte'), title: 'ui.collection.holds', group: 'collection', order: 10 },
];
