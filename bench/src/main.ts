/** `npm run bench [-- --json]`: prints a table, or one JSON array. A missed goal is said, and ends with code 1. */
import { cpus } from 'node:os';
import { renderTable } from './figure.ts';
import { benchLeases } from './lease.ts';
import { benchMapping } from './mapping.ts';
import { setStage } from './stage.ts';

const json = process.argv.includes('--json');
await using stage = await setStage();
const figures = [...(await benchMapping(stage)), ...(await benchLeases(stage))];
if (json) console.log(JSON.stringify(figures));
else {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}\n`,
  );
  console.log(renderTable(figures));
}
process.exitCode = figures.some((figure) => figure.ok === false) ? 1 : 0;
