/** `npm run bench:zero-copy [-- --json|--quick]`: what handing memory over costs, apart from what waiting for it costs. */
import { cpus } from 'node:os';
import { renderTable } from '../figure.ts';
import { benchDevices } from './devices.ts';
import { benchLatency } from './latency.ts';
import { benchProof } from './proof.ts';
import { benchThroughput } from './throughput.ts';

const quick = process.argv.includes('--quick');
const figures = [
  ...(await benchLatency(quick)),
  ...(await benchDevices(quick)),
  ...(await benchThroughput(quick)),
  ...(await benchProof()),
];
if (process.argv.includes('--json')) console.log(JSON.stringify(figures));
else {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}\n`,
  );
  console.log(renderTable(figures));
}
process.exitCode = figures.some((figure) => figure.ok === false) ? 1 : 0;
