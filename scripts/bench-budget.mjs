/** `npm run bench:budget -- --data FILE [--json]`: the limit policy against its peers on recorded containers. */
import { spawnSync } from 'node:child_process';
import { build, installPackages, main, requireNode, root } from './setup/steps.mjs';

await main(() => {
  requireNode();
  installPackages();
  build();
  // The file is named from where the command was typed.
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: npm sets it, no task of the build depends on it
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const words = [`${root}/bench/dist/budget/main.js`, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, words, { cwd, stdio: 'inherit' });
  return status ?? 1;
});
