import type { UserConfig } from 'vite';

/**
 * How `hsdo` becomes one file: most of what a start took was reading some six hundred modules.
 * The thread that answers DNS is a program of its own. Read by vite alone, which asks for a default export.
 */
export default {
  build: {
    ssr: true,
    outDir: 'dist',
    target: 'node20',
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      input: { main: 'src/main.ts', 'dns-thread': 'src/deliver/dns/worker.ts' },
      output: { entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js' },
    },
  },
  ssr: {
    noExternal: true,
    // Native, optional, or asked for by few: they stay packages, and are read when somebody needs them.
    external: [
      '@aws-sdk/client-auto-scaling',
      '@aws-sdk/client-dynamodb',
      '@aws-sdk/client-ec2',
      '@photostructure/sqlite',
      'google-auth-library',
      'koffi',
      'nodemailer',
      'pg',
      'redis',
      'tsx',
    ],
  },
} satisfies UserConfig;
