/** `npm run bench:alloc [-- --json] [--trace FILE]... [--only cpp|node]`: the memory core against its peers. */
import { spawnSync } from 'node:child_process';
import { build, installPackages, main, requireCompiler, requireNode, root } from './setup/steps.mjs';

await main(() => {
  requireNode();
  requireCompiler();
  installPackages();
  build();
  // A trace is named from where the command was typed.
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: npm sets it, no task of the build depends on it
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const words = [`${root}/bench/dist/alloc/main.js`, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, words, { cwd, stdio: 'inherit' });
  return status ?? 1;
});
