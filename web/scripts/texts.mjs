// Puts texts into the three catalogues at their places: node scripts/texts.mjs < FILE, where FILE is {"ui.key": ["kk", "ru", "en"], …}.
// An existing key is replaced, a value of null takes the key away; with empty input the catalogues are only sorted (after a merge).
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LANGS = ['kk', 'ru', 'en'];
const input = readFileSync(0, 'utf8').trim();
const added = input === '' ? {} : JSON.parse(input);
for (const [key, value] of Object.entries(added))
  if (value !== null && !(Array.isArray(value) && value.length === 3 && value.every((v) => typeof v === 'string' && v.trim() !== '')))
    throw new Error(`${key}: three texts are wanted, kk, ru and en`);
for (const [i, lang] of LANGS.entries()) {
  const path = fileURLToPath(new URL(`../../content/i18n/${lang}.json`, import.meta.url));
  const lines = readFileSync(path, 'utf8').split('\n').filter((l) => /^ {2}"/.test(l)).map((l) => JSON.parse(`{${l.replace(/,\s*$/, '')}}`));
  const texts = Object.assign({}, ...lines);
  for (const [key, value] of Object.entries(added)) {
    if (value === null) delete texts[key];
    else texts[key] = value[i];
  }
  const rows = Object.keys(texts).sort().map((k) => `  ${JSON.stringify(k)}: ${JSON.stringify(texts[k])}`);
  writeFileSync(path, `{\n${rows.join(',\n')}\n}\n`);
}
