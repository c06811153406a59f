import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The server forbids inline scripts and styles, so nothing may be inlined into the page.
export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': process.env.SAQSHY_API ?? 'http://127.0.0.1:8090',
      '/i18n': process.env.SAQSHY_API ?? 'http://127.0.0.1:8090',
    },
  },
});
