#!/usr/bin/env node
// The command as npm links it: npm links only what is there when it installs, and that is before anything is built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write('nautilus: not built yet; run `npm run build` first\n');
  process.exitCode = 1;
}
