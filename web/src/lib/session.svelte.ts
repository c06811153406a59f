// Who is signed in.

import { api, ApiError, connection } from './api/client';
import type { Language, Role, Session } from './api/types';
import { useLanguage } from './i18n.svelte';
import { keepFor } from './kept';

type User = Session['user'];
const state = $state<{ user: User | null; known: boolean; expired: boolean }>({ user: null, known: false, expired: false });

export const session = {
  get user(): User | null {
    return state.user;
  },
  /** False until the server has said whether there is a session. */
  get known(): boolean {
    return state.known;
  },
  get expired(): boolean {
    return state.expired;
  },
  is(...roles: Role[]): boolean {
    return state.user !== null && roles.includes(state.user.role);
  },
};

async function enter(s: Session): Promise<void> {
  connection.csrf = s.csrf;
  keepFor(s.user.id);
  state.user = s.user;
  state.known = true;
  state.expired = false;
  await useLanguage(s.user.language);
}

connection.onSignedOut = () => {
  if (state.user) state.expired = true;
  state.user = null;
  state.known = true;
};

export async function resume(): Promise<void> {
  try {
    await enter(await api.session());
  } catch (e) {
    if (e instanceof ApiError && e.status === 401) state.known = true;
    else throw e;
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  await enter(await api.signIn(login, password));
}

export async function signOut(): Promise<void> {
  // What was typed goes from this tab even when the server cannot be told: who leaves at a shared desk has left.
  try {
    await api.signOut();
  } finally {
    keepFor(null);
  }
  state.user = null;
  state.expired = false;
}

export async function chooseLanguage(lang: Language): Promise<void> {
  await useLanguage(lang);
  if (state.user) {
    state.user.language = lang;
    await api.setLanguage(lang);
  }
}
