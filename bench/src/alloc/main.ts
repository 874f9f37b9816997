/** `npm run bench:alloc`: a table, or one JSON array. A missed goal is said, and ends with code 1. */
import { cpus } from 'node:os';
import { renderTable } from '../figure.ts';
import { parseOptions } from './options.ts';
import { isExplained, runParts } from './parts.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  const figures = await runParts(options);
  if (options.json) console.log(JSON.stringify(figures));
  else {
    const processor = cpus()[0]?.model ?? 'unknown processor';
    console.log(`${cpus().length} × ${processor}, Node ${process.versions.node}\n\n${renderTable(figures)}`);
  }
  process.exitCode = figures.some((figure) => figure.ok === false) ? 1 : 0;
} catch (error) {
  if (!isExplained(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
