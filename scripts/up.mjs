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
  // The terminal sends Ctrl-C to both; the command drains, this waits for it.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  return await new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
});
