/**
 * Writes docs/reference from the contracts, so that the pages cannot say anything else than the code. `--check` writes
 * nothing and fails naming what is stale; `--out FOLDER` is another place than docs/reference.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stalePages, writePages } from './docs/folder.ts';
import { pages } from './docs/pages.ts';

const reference = fileURLToPath(new URL('../docs/reference', import.meta.url));
const { values } = parseArgs({ options: { check: { type: 'boolean' }, out: { type: 'string' } } });
const folder = values.out ?? reference;
const named = (path: string) => relative(process.cwd(), path);

if (values.check === true) {
  const stale = await stalePages(pages, folder);
  for (const path of stale) console.error(`${named(path)} is stale: run \`npm run docs\` and commit it`);
  if (stale.length > 0) process.exitCode = 1;
  else console.log(`${Object.keys(pages).length} pages are up to date`);
} else {
  const written = await writePages(pages, folder);
  for (const path of written) console.log(`wrote ${named(path)}`);
  if (written.length === 0) console.log('nothing changed');
}
