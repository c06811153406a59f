// symbols.mjs - no two modules define one name: where modules are shared libraries, as in build/check, the dynamic linker would take the first for both.
//
// usage: node scripts/symbols.mjs BUILD
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const libraries = readdirSync(join(process.argv[2], 'src'), { recursive: true }).filter((f) => f.endsWith('.so')).map((f) => join(process.argv[2], 'src', f));
const owner = new Map();
let breaches = 0;
for (const library of libraries)
    for (const line of execFileSync('nm', ['-D', '--defined-only', library], { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n')) {
        const [, kind, name] = line.split(' ');
        if (!name || !/^[TDBR]$/.test(kind) || /^(__|_)/.test(name)) continue;
        if (owner.has(name)) {
            console.error(`${name}: defined by ${owner.get(name)} and ${library}`);
            breaches++;
        }
        owner.set(name, library);
    }
console.log(`${owner.size} names of ${libraries.length} modules, ${breaches} of them twice`);
process.exit(breaches || libraries.length < 10 ? 1 : 0);
