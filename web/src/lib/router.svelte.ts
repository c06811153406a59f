// The page shown is the address; Back and Forward need nothing more.

import { parseHash, toHash, type Route } from './route';

// A link written as a path («/cases/12», in a letter or by hand) is the same page behind #.
if (location.pathname !== '/' && location.pathname !== '/index.html') history.replaceState(null, '', `/#${location.pathname}${location.search}`);

let current = $state<Route>(parseHash(location.hash));

window.addEventListener('hashchange', () => {
  current = parseHash(location.hash);
});

export const route = {
  get path(): string[] {
    return current.path;
  },
  get params(): Record<string, string> {
    return current.params;
  },
};

export function go(path: string[], params: Record<string, string | null | undefined> = {}): void {
  location.hash = toHash(path, params);
}

/** Same page, other state, no new entry in the history. */
export function replaceParams(params: Record<string, string | null | undefined>): void {
  history.replaceState(null, '', toHash(current.path, params));
  current = parseHash(location.hash);
}
