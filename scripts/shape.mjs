// shape.mjs - the gates on how the source looks: floors of the house, file sizes, function lengths, faces, banned words.
// Prints the longest functions; exits 1 with a line for each breach.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const floors = { base: 0, column: 1, learn: 1, kafka: 1, pki: 1, event: 1, ioc: 2, envelope: 2, journal: 2, parse: 2, query: 2, sigma: 2, pipes: 2.5, store: 3, ingest: 3, detect: 3, forward: 3, duty: 3, sign: 3, agent: 3, table: 3, scan: 4, keep: 4, backup: 4, forms: 4, desk: 5, portal: 6, bin: 7 };
const sameFloor = new Set(['detect>store', 'event>pki']);
const FILE_MAX = 800, FUNCTION_MAX = 100, FUNCTION_LONG = 60;
const breaches = [], functions = [];

function* files(folder) {
    for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (statSync(path).isDirectory()) yield* files(path);
        else if (/\.[ch]$/.test(name)) yield path;
    }
}

// Functions begin with "{" in the first column and end with "}" in the first column: the layout that clang-format gives.
function measure(path, lines) {
    let start = -1;
    lines.forEach((line, i) => {
        if (line === '{') start = i;
        else if (line === '}' && start >= 0) {
            const head = lines.slice(Math.max(0, start - 3), start).join(' ');
            const name = (/(\w+)\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$/.exec(head) ?? [])[1] ?? '?';
            functions.push({ path, name, length: i - start + 1 });
            start = -1;
        }
    });
}

for (const path of files('src')) {
    const module = path.split('/')[1], text = readFileSync(path, 'utf8'), lines = text.split('\n'), test = /\/(test_|testing)/.test(path);
    if (lines.length > FILE_MAX) breaches.push(`${path}: ${lines.length} lines, more than ${FILE_MAX}`);
    if (!text.startsWith('/*')) breaches.push(`${path}: begins without an essay`);
    if (path.endsWith(`${module}/${module}.h`)) for (const word of ['Owns', 'Promises', 'Threads']) if (!text.slice(0, 4000).includes(`* ${word}`)) breaches.push(`${path}: the face does not say "${word}"`);
    for (const m of text.matchAll(/^#include "(\w+)\/([\w.]+)"/gm)) {
        const to = m[1];
        if (!(to in floors)) { if (to !== module) breaches.push(`${path}: includes unknown module ${to}`); continue; }
        if (to === module || test) continue;
        if (floors[to] > floors[module] || (floors[to] === floors[module] && !sameFloor.has(`${module}>${to}`))) breaches.push(`${path}: ${module} may not include ${to}`);
        if (m[2] === 'internal.h') breaches.push(`${path}: includes the inside of ${to}`);
    }
    if (!test && /\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets)\s*\(/.test(text.replace(/\/\*[^]*?\*\//g, ''))) breaches.push(`${path}: uses a banned function`);
    // What cleans itself up must be made before the first way out of the function.
    if (!test) for (const m of text.matchAll(/^ +AUTO_(?:BUF|ARENA) struct \w+ (\w+);$/gm)) {
        const rest = text.slice(m.index + m[0].length), made = rest.search(new RegExp(`(buf|arena)_init\\(&${m[1]}\\b`)), out = rest.search(/\breturn\b|^}/m);
        if (made < 0 || out < made) breaches.push(`${path}: "${m[1]}" cleans itself up before it is made`);
    }
    if (!test) measure(path, lines);
}
functions.sort((a, b) => b.length - a.length);
console.log('longest functions:');
for (const f of functions.slice(0, 5)) console.log(`  ${f.length} ${f.path}:${f.name}`);
const long = functions.filter((f) => f.length > FUNCTION_LONG).length;
console.log(`${functions.length} functions, ${long} longer than ${FUNCTION_LONG} lines`);
for (const f of functions.filter((x) => x.length > FUNCTION_MAX)) breaches.push(`${f.path}: ${f.name} has ${f.length} lines, more than ${FUNCTION_MAX}`);
if (long * 20 > functions.length) breaches.push(`more than one function in twenty is longer than ${FUNCTION_LONG} lines`);
for (const b of breaches) console.log(b);
process.exit(breaches.length ? 1 : 0);
