// Bundles tests/*.test.ts with Vite (Node 18 reads no TypeScript) and runs them with node:test, then the contract of the mock server and the inventory of the pages.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { build } from 'vite';

const tests = fileURLToPath(new URL('../tests', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'saqshy-web-test-'));
try {
  const names = readdirSync(tests).filter((n) => n.endsWith('.test.ts'));
  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [svelte()],
    build: {
      ssr: true,
      outDir: out,
      rollupOptions: { input: names.map((n) => join(tests, n)), output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' } },
    },
  });
  const files = readdirSync(out).filter((n) => n.endsWith('.test.mjs')).map((n) => join(out, n));
  const run = spawnSync(process.execPath, ['--test', ...files, join(tests, 'contract.mjs'), join(tests, 'inventory.mjs')], { stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
