/** `npm run bench`: makes the clone ready and measures hsdo against real programs. */
import { join } from 'node:path';
import { runInForeground } from './child.mjs';
import { ensureBuilt, ensureNode, ensurePackages, ensurePrograms, root, runScript } from './install.mjs';

await runScript(async () => {
  ensureNode();
  ensurePackages();
  ensureBuilt();
  await ensurePrograms(['haproxy', 'consul', 'moto', 'gdnsd', 'nsd', 'dnsmasq'], { required: true });
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const bench = join(root, 'test', 'bench', 'main.ts');
  return runInForeground(process.execPath, [tsx, bench, ...process.argv.slice(2)], { cwd: root });
});
