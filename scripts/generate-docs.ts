/**
 * Writes docs/reference from the contracts and the generated guides, so that the pages cannot say anything else than the
 * code. `--check` writes nothing and fails naming what is stale; `--out FOLDER` is another place, for the reference alone.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stalePages, writePages } from './docs/folder.ts';
import { guides, pages } from './docs/pages.ts';

const reference = fileURLToPath(new URL('../docs/reference', import.meta.url));
const { values } = parseArgs({ options: { check: { type: 'boolean' }, out: { type: 'string' } } });
const guideFolder = fileURLToPath(new URL('../docs/guides', import.meta.url));
const places =
  values.out === undefined
    ? [
        { made: pages, folder: reference },
        { made: guides, folder: guideFolder },
      ]
    : [{ made: pages, folder: values.out }];
const named = (path: string) => relative(process.cwd(), path);
const count = places.reduce((sum, { made }) => sum + Object.keys(made).length, 0);

if (values.check === true) {
  const stale = (await Promise.all(places.map(({ made, folder }) => stalePages(made, folder)))).flat();
  for (const path of stale) console.error(`${named(path)} is stale: run \`npm run docs\` and commit it`);
  if (stale.length > 0) process.exitCode = 1;
  else console.log(`${count} pages are up to date`);
} else {
  const written = (await Promise.all(places.map(({ made, folder }) => writePages(made, folder)))).flat();
  for (const path of written) console.log(`wrote ${named(path)}`);
  if (written.length === 0) console.log('nothing changed');
}
