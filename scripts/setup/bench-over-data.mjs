/** Builds, then runs a benchmark that reads a recording; the file is named from where the command was typed. */
import { spawnSync } from 'node:child_process';
import { build, installPackages, main, requireNode, root } from './steps.mjs';

/** @param {string} folder of bench/dist, with a main.js */
export async function benchOverData(folder) {
  await main(() => {
    requireNode();
    installPackages();
    build();
    // biome-ignore lint/suspicious/noUndeclaredEnvVars: npm sets it, no task of the build depends on it
    const cwd = process.env.INIT_CWD ?? process.cwd();
    const words = [`${root}/bench/dist/${folder}/main.js`, ...process.argv.slice(2)];
    const { status } = spawnSync(process.execPath, words, { cwd, stdio: 'inherit' });
    return status ?? 1;
  });
}
