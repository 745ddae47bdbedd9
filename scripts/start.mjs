/** `npm start`: makes the clone ready and shows hsdo at work on this machine. `npm start -- --once` runs it once. */
import { join } from 'node:path';
import { runInForeground } from './child.mjs';
import { ensureBuilt, ensureNode, ensurePackages, ensurePrograms, root, runScript } from './install.mjs';

await runScript(async () => {
  ensureNode();
  ensurePackages();
  ensureBuilt();
  await ensurePrograms(['haproxy'], { required: true });
  const args = [join(root, 'dist', 'main.js'), 'demo', ...process.argv.slice(2)];
  return runInForeground(process.execPath, args, { cwd: root });
});
