/** `npm run bench:zero-copy [-- --json] [--quick]`: handing memory to processes and devices, and waiting for them. */
import { spawnSync } from 'node:child_process';
import {
  build,
  installPackages,
  main,
  requireCompiler,
  requireNatsServer,
  requireNode,
  root,
} from './setup/steps.mjs';

await main(() => {
  requireNode();
  requireCompiler();
  requireNatsServer();
  installPackages();
  build();
  const words = ['bench/dist/zero-copy/main.js', ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  return status ?? 1;
});
