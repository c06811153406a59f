// The language in use and its texts. Catalogues come from the server, so a changed text needs no new build.

import { catalogue, connection } from './api/client';
import { LANGUAGES, type Language, type Text3 } from './api/types';
import { formatNumber } from './format';
import { formatMessage, type Args } from './message';

const KEY = 'saqshy.language';
const loaded = new Map<Language, Record<string, string>>();

const state = $state<{ lang: Language; texts: Record<string, string>; ready: boolean }>({ lang: 'kk', texts: {}, ready: false });

function remembered(): Language {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((l) => l.slice(0, 2))];
  for (const w of wanted) {
    const lang = LANGUAGES.find((l) => l === w);
    if (lang) return lang;
  }
  return 'kk';
}

export const language = {
  get current(): Language {
    return state.lang;
  },
  get ready(): boolean {
    return state.ready;
  },
};

async function texts(lang: Language): Promise<Record<string, string>> {
  let found = loaded.get(lang);
  if (!found) {
    found = await catalogue(lang);
    loaded.set(lang, found);
  }
  return found;
}

export async function useLanguage(lang: Language): Promise<void> {
  state.texts = await texts(lang);
  state.lang = lang;
  state.ready = true;
  connection.language = lang;
  document.documentElement.lang = lang;
  localStorage.setItem(KEY, lang);
}

export async function startLanguage(): Promise<void> {
  await useLanguage(remembered());
  // The others are fetched ahead, so that the switch is instant.
  for (const l of LANGUAGES) void texts(l).catch(() => undefined);
}

export function t(key: string, args: Args = {}): string {
  const text = state.texts[key];
  return text === undefined ? key : formatMessage(text, args, state.lang);
}

/** The text if the catalogue has it, else the fallback: for codes that a newer server may add. */
export function tOr(key: string, fallback: string): string {
  return state.texts[key] ?? fallback;
}

export function n(value: number): string {
  return formatNumber(value, state.lang);
}

/** «10(1)» is a paragraph of the Rules, «Annex 2, note **» a place in an annex. */
export function paragraphText(paragraph: string): string {
  if (/^\d+(\(\d+\))?$/.test(paragraph)) return t('ui.paragraph', { paragraph });
  const annex = /^(?:Annex|annex)[ _-]?(\d+)|^(\d+)-қосымша/.exec(paragraph);
  return annex ? t('ui.annex', { annex: annex[1] ?? annex[2] ?? '' }) : paragraph;
}

/* Each language by its own name, whoever reads. */
export const LANGUAGE_NAMES = { kk: 'Қазақша', ru: 'Русский', en: 'English' } as const;

export function pick(text: Text3): string {
  return text[state.lang] || text.kk || text.ru || text.en;
}
