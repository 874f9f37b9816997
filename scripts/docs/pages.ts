/** The generated pages, each once, under the file name it has in docs/reference. */
import { commands, guidePage } from '@nautilus/cli';
import { configPage } from './config-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import { subjectsPage } from './subjects-page.ts';

export const pages: Readonly<Record<string, () => string>> = {
  'subjects.md': subjectsPage,
  'config.md': configPage,
  'metrics.md': metricsPage,
  'errors.md': errorsPage,
};

/** The guides that are made too, under the file name they have in docs/guides. */
export const guides: Readonly<Record<string, () => string>> = {
  'command-line.md': () => guidePage(commands),
};
