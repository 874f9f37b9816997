/** How the parts of the stack are started as processes: the same way this process was, from source or from dist. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The `main` of a package, beside its public face. */
export function mainOf(packageName: string): string {
  const directory = dirname(fileURLToPath(import.meta.resolve(packageName)));
  for (const name of ['main.js', 'main.ts']) {
    const path = join(directory, name);
    if (existsSync(path)) return path;
  }
  throw new Error(`${packageName} has no main beside its index in ${directory}; build first: npm run build`);
}

/** Node and the options that make it run TypeScript, if this process runs that way. */
export function nodeCommand(main: string, ...args: string[]): { command: string; args: string[] } {
  return { command: process.execPath, args: [...process.execArgv, main, ...args] };
}
