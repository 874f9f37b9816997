/** `npm run sim:calendar -- [--years 10] [--zones 6] [--seed 1] [--json]`: tables or a JSON array; code 1 for a missed goal. */
import { Console } from 'node:console';
import { readOptions } from './options.ts';
import { figuresOf, printTables } from './report.ts';
import { simulate } from './simulate.ts';
import { zones } from './zones.ts';

const terminal = new Console(process.stdout, process.stderr);
const options = readOrEnd();
const results = [];
for (const [index, zone] of zones.slice(0, options.zones).entries()) {
  results.push(await simulate(zone, options.years, options.seed * 1_000 + index));
}
const figures = figuresOf(results);
if (options.json) terminal.log(JSON.stringify(figures));
else printTables(terminal, results, figures);
process.exitCode = figures.some(({ ok }) => ok === false) ? 1 : 0;
function readOrEnd() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    terminal.error(String(error));
    process.exit(2);
  }
}
