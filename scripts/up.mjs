/** `npm run up`: makes the machine ready, builds, and hands over to the `nautilus` command. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  build,
  installPackages,
  main,
  requireCompiler,
  requireNatsServer,
  requireNode,
  root,
} from './setup/steps.mjs';

await main(async () => {
  requireNode();
  requireCompiler();
  requireNatsServer();
  installPackages();
  build();
  const cli = join(root, 'packages', 'cli', 'dist', 'main.js');
  const child = spawn(process.execPath, [cli, 'up', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  // The command drains and this waits for it. A terminal sends Ctrl-C to both: the second request changes nothing.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(name, () => child.kill(name));
  return await new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
});
