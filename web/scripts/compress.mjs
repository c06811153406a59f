// Puts FILE.gz beside each text file of web/dist; the server sends it to browsers that take gzip.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
let plain = 0;
let packed = 0;
function walk(dir) {
  for (const e of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, e.name);
    if (e.isDirectory()) walk(path);
    else if (/\.(js|css|svg)$/.test(e.name)) {
      const body = readFileSync(path);
      const gz = gzipSync(body, { level: 9 });
      writeFileSync(`${path}.gz`, gz);
      plain += body.length;
      packed += gz.length;
    }
  }
}
walk(dist);
console.log(`compress: ${Math.round(plain / 1000)} kB, packed ${Math.round(packed / 1000)} kB`);
