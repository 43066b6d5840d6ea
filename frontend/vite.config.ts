import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// `npm run dev` shows the page with a running `morphoscope serve` behind it; MORPHOSCOPE_SERVER names another address.
const server = process.env.MORPHOSCOPE_SERVER ?? 'http://127.0.0.1:8765'

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../src/morphoscope/apps/web/page',
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: 'chrome123', // keeps light-dark()
    assetsInlineLimit: 0, // the page's content-security policy allows no data: addresses
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': server, '/docs': server, '/openapi.json': server } },
})
