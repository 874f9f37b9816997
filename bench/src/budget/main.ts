/** `npm run bench:budget`: tables, or one JSON array. A missed goal is said, and ends with code 1. */
import { renderTable } from '../figure.ts';
import { parseOptions, UsageError } from './options.ts';
import { runBudget } from './run.ts';
import { DataError } from './series.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  const { figures, goals, text } = runBudget(options.data);
  console.log(options.json ? JSON.stringify(figures) : `${text}\n\n${renderTable(goals)}`);
  process.exitCode = goals.some((figure) => figure.ok === false) ? 1 : 0;
} catch (error) {
  if (!(error instanceof UsageError || error instanceof DataError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
