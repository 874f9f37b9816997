/** The source files under a folder, without what is built, installed or generated. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const skippedFolders: ReadonlySet<string> = new Set(['dist', 'build', 'node_modules', 'generated']);

/** Paths relative to `root`, with `/`, sorted. `endings` are like `.ts`. */
export function sourceFiles(root: string, endings: readonly string[], folder = ''): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name) && !entry.name.startsWith('.')) {
        files.push(...sourceFiles(root, endings, path));
      }
    } else if (endings.some((ending) => path.endsWith(ending)) && !entry.name.includes('.generated.')) {
      files.push(path);
    }
  }
  return files.sort();
}
