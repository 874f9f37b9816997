/** The pages as files: written, or compared with what is there. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Pages = Readonly<Record<string, () => string>>;

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** The files that are missing or not what would be written. */
export async function stalePages(pages: Pages, folder: string): Promise<readonly string[]> {
  const checked = await Promise.all(
    Object.entries(pages).map(async ([name, make]) => {
      const path = join(folder, name);
      return (await readIfThere(path)) === make() ? [] : [path];
    }),
  );
  return checked.flat();
}

/** Writes what differs and says what it wrote, so that a run without changes touches nothing. */
export async function writePages(pages: Pages, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const stale = await stalePages(pages, folder);
  for (const [name, make] of Object.entries(pages)) {
    const path = join(folder, name);
    if (stale.includes(path)) await writeFile(path, make());
  }
  return stale;
}
