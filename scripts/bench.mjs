/** `npm run bench [-- --json]`: the figures of this system as ratios against a peer of the same run. */
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
  const { status } = spawnSync(process.execPath, ['bench/dist/main.js', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
});
