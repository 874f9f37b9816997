/** The generated pages, each once, under the file name it has in docs/reference. */
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
