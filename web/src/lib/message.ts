// Texts of the catalogue: {name} is replaced; {name, plural, one {…} few {…} other {…}} chooses by the language's rules, # is the number.

import { formatNumber } from './format';
import type { Language } from './api/types';

export type Args = Record<string, string | number>;

const pluralRules = new Map<Language, Intl.PluralRules>();

function pluralCategory(n: number, lang: Language): string {
  let rules = pluralRules.get(lang);
  if (!rules) {
    rules = new Intl.PluralRules(lang);
    pluralRules.set(lang, rules);
  }
  return rules.select(n);
}

/** Index of the brace that closes the one at `open`, or -1. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    if (text[i] === '{') depth += 1;
    else if (text[i] === '}') {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}

function choose(forms: string, n: number, lang: Language): string {
  const found = new Map<string, string>();
  let at = 0;
  while (at < forms.length) {
    const open = forms.indexOf('{', at);
    if (open < 0) break;
    const close = closing(forms, open);
    if (close < 0) break;
    found.set(forms.slice(at, open).trim(), forms.slice(open + 1, close));
    at = close + 1;
  }
  const form = found.get(`=${n}`) ?? found.get(pluralCategory(n, lang)) ?? found.get('other') ?? '';
  return form.replaceAll('#', formatNumber(n, lang));
}

export function formatMessage(text: string, args: Args, lang: Language): string {
  let out = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('{', at);
    const close = open < 0 ? -1 : closing(text, open);
    if (open < 0 || close < 0) return out + text.slice(at);
    out += text.slice(at, open);
    const inside = text.slice(open + 1, close);
    const m = /^\s*(\w+)\s*(?:,\s*plural\s*,(.*))?$/s.exec(inside);
    const value = m?.[1] === undefined ? undefined : args[m[1]];
    if (!m || value === undefined) out += text.slice(open, close + 1);
    else if (m[2] !== undefined) out += choose(m[2], Number(value), lang);
    else out += typeof value === 'number' ? formatNumber(value, lang) : value;
    at = close + 1;
  }
}
