/** How the page is built; read by vite alone, which asks for a default export. */
export default {
  // Relative addresses, so that the page may lie behind a proxy under a path of its own.
  base: './',
  build: {
    outDir: '../../../dist/dashboard/public',
    emptyOutDir: true,
    // What is written into the page itself would be refused by its own Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
};
