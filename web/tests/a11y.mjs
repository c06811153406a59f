// What can be checked of a page's accessibility without a person: names, headings, references, order of focus, contrast, sizes.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What axe-core finds by the rules of WCAG 2.2 A and AA and its own good practice. Contrast is ours below: axe gives up on half-transparent grounds. */
export async function axe(page, where) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'], rules: { 'color-contrast': { enabled: false } },
    });
    // Boxes of choice are measured below, with buttons: axe takes their list of choices for something in front of them.
    return r.violations.flatMap((v) => v.nodes.filter((n) => !(v.id === 'target-size' && n.html.startsWith('<select'))).map((n) => `${v.id} ${v.help}: ${n.target.join(' ')} ${n.html.slice(0, 120)}`));
  });
  return found.map((f) => `${where}: ${f}`);
}

/** Problems of the page as it stands, as lines; `where` begins each. */
export async function accessibility(page, where) {
  return (await page.evaluate(inPage)).map((p) => `${where}: ${p}`);
}

/** Runs in the browser. */
function inPage() {
  const out = [];
  const shown = (el) => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0;
  const name = (el) => `${el.tagName.toLowerCase()}${el.id ? `#${el.id}` : ''}${el.className && typeof el.className === 'string' ? `.${el.className.split(' ')[0]}` : ''} «${(el.innerText ?? '').slice(0, 30)}»`;
  const words = (ids) => ids.split(/\s+/).map((i) => document.getElementById(i)?.textContent ?? '').join(' ').trim();
  const called = (el) =>
    (el.getAttribute('aria-label') ?? '').trim() || words(el.getAttribute('aria-labelledby') ?? '') ||
    [...(el.labels ?? [])].map((l) => l.textContent.trim()).join(' ') || (/^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName) ? '' : el.textContent.trim()) || (el.querySelector?.('img[alt]:not([alt=""])')?.alt ?? '');

  for (const el of document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=tab], dialog, [role=region], table, progress, fieldset, [role=group], [role=radiogroup], nav')) {
    if (!shown(el)) continue;
    if (el.tagName === 'TABLE') {
      if (!el.querySelector('th')) out.push(`${name(el)} has no headings`);
      for (const th of el.querySelectorAll('th')) if (th.textContent.trim() === '') out.push(`${name(el)} has an empty heading`);
      continue;
    }
    if (el.tagName === 'FIELDSET') {
      if (!el.querySelector('legend')?.textContent.trim() && !called(el)) out.push(`${name(el)} has no legend`);
      continue;
    }
    if (el.matches('nav, [role=group], [role=region], [role=radiogroup], dialog') && el.tagName !== 'DIALOG') {
      if (!(el.getAttribute('aria-label') || words(el.getAttribute('aria-labelledby') ?? ''))) out.push(`${name(el)} has no name`);
      continue;
    }
    if (!called(el)) out.push(`${name(el)} has no name`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((x, i) => ids.indexOf(x) !== i))) out.push(`id ${id} stands twice`);
  for (const attribute of ['aria-describedby', 'aria-labelledby', 'aria-controls', 'for', 'list'])
    for (const el of document.querySelectorAll(`[${attribute}]`))
      for (const id of el.getAttribute(attribute).split(/\s+/)) if (id && !document.getElementById(id)) out.push(`${name(el)}: ${attribute} names ${id}, which is not there`);
  if (document.querySelector('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])')) out.push('a tabindex above 0');
  if (!document.documentElement.lang) out.push('no language');
  if (!document.title.trim()) out.push('no title');
  for (const img of document.querySelectorAll('img:not([alt])')) out.push(`${name(img)} has no alt`);

  const heads = [...document.querySelectorAll('main h1, main h2, main h3, main h4')].filter(shown);
  if (heads.filter((h) => h.tagName === 'H1').length !== 1) out.push(`${heads.filter((h) => h.tagName === 'H1').length} headings of the first level`);
  let level = 0;
  for (const h of heads) {
    const now = Number(h.tagName[1]);
    if (now > level + 1 && level > 0) out.push(`${name(h)} skips a level`);
    level = now;
  }

  // Contrast of every text with its ground: 4.5, or 3 for large letters. Half-transparent grounds are laid over what is below.
  const parse = (c) => {
    const m = /rgba?\(([^)]+)\)/.exec(c);
    const p = m ? m[1].split(/[ ,/]+/).map(Number) : [0, 0, 0, 0];
    return { r: p[0], g: p[1], b: p[2], a: p[3] ?? 1 };
  };
  const over = (top, under) => ({ r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1 });
  const light = ({ r, g, b }) => {
    const f = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = (el) => {
    const layers = [];
    for (let e = el; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.a > 0) layers.push(c);
      if (c.a === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !el || seen.has(el) || !shown(el) || el.closest('.visually-hidden, :disabled, svg, option, .skip')) continue;
    seen.add(el);
    const style = getComputedStyle(el);
    const back = ground(el);
    const [a, b] = [light(over(parse(style.color), back)), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const px = parseFloat(style.fontSize);
    const need = px >= 24 || (px >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < need) out.push(`${name(el)}: contrast ${ratio.toFixed(2)}, ${need} is wanted`);
  }
  for (const el of document.querySelectorAll('button, select, input, summary')) {
    if (!shown(el) || el.closest('.visually-hidden') || el.matches('[type=checkbox], [type=radio], li button.plain')) continue;
    const box = el.getBoundingClientRect();
    if (box.height < 23.5 || box.width < 23.5) out.push(`${name(el)} is ${Math.round(box.width)}×${Math.round(box.height)} px`);
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) {
    const culprit = [...document.querySelectorAll('main *')].filter((e) => shown(e) && !e.closest('.table-wrap')).sort((x, y) => y.getBoundingClientRect().right - x.getBoundingClientRect().right)[0];
    out.push(`the page is ${wide} px too wide: ${culprit ? name(culprit) : '?'}`);
  }
  return [...new Set(out)];
}

/** Goes through the page with Tab: every element that takes focus shows it and is reached in the order of the document. */
export async function tabWalk(page, where, limit = 400) {
  const problems = [];
  await page.evaluate(() => document.querySelector('.skip').focus());
  let before = await page.evaluate(() => [...document.querySelectorAll('*')].indexOf(document.activeElement));
  let steps = 0;
  for (; steps < limit; steps += 1) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const el = document.activeElement;
      if (!el || el === document.body) return null;
      const all = [...document.querySelectorAll('*')];
      const style = getComputedStyle(el);
      return { at: all.indexOf(el), name: `${el.tagName.toLowerCase()}#${el.id} «${(el.innerText ?? el.getAttribute('aria-label') ?? '').slice(0, 30)}»`, ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0, hidden: !el.checkVisibility() };
    });
    if (!now) break;
    if (now.at <= before) break;
    if (!now.ring) problems.push(`${where}: ${now.name} shows no focus`);
    if (now.hidden) problems.push(`${where}: ${now.name} has focus and is hidden`);
    before = now.at;
  }
  if (steps < 8) problems.push(`${where}: only ${steps} stops of Tab`);
  return problems;
}

/** Pages behind this one that were not seen yet: «objects/:», «objects/new»; one of each kind, marked as seen. */
export async function behind(page, seen) {
  const hrefs = await page.evaluate(() => [...document.querySelectorAll('main a[href^="#/"]')].map((a) => a.getAttribute('href')));
  const fresh = [];
  for (const href of hrefs) {
    const parts = href.replace(/^#\/|\?.*$/g, '').split('/');
    if (parts.length < 2) continue;
    const kind = parts.map((p, i) => (i % 2 === 1 && p !== 'new' ? ':' : p)).join('/');
    if (seen.has(kind)) continue;
    seen.add(kind);
    fresh.push({ kind, href: href.replace(/\?.*$/, '') });
  }
  return fresh;
}

/** Waits until the page of the address stands there (an address changes before its page does), with what it asked for, or its failure. */
export const settled = (page) => page.waitForFunction(() => {
  const parts = location.hash.replace(/^#\/?|\?.*$/g, '').split('/').filter((p) => p !== '').map(decodeURIComponent).join('/');
  return document.querySelector('main [data-page]')?.dataset.page === parts && document.querySelector('main h1') && !document.querySelector('main .loading');
});
