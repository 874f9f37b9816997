/** From the request to the first written byte of a 64 MiB segment, through the client library; and from kill -9 to memory back. */
import { connect } from '@nautilus/client';
import { atMost, type Figure, plain, quantile } from './figure.ts';
import { container, host, type Stage } from './stage.ts';

const segmentBytes = 64 * 2 ** 20;
const rounds = 500;
/** Until the compiler has seen the path; the first lease of a process costs more and is published apart. */
const warmUp = 100;

export async function benchMapping({ url }: Stage): Promise<Figure[]> {
  await using client = await connect({ container, host, servers: url });
  const pool = client.pool('bench', { segmentBytes });
  const times: number[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    const startedAt = performance.now();
    const block = await pool.allocate(segmentBytes);
    block.view()[0] = 1;
    times.push(performance.now() - startedAt);
    block.free();
    await pool.trim();
  }
  const warm = times.slice(warmUp);
  return [
    plain('64 MiB from request to first write, the very first', times[0] ?? Number.NaN, 'ms'),
    atMost('64 MiB from request to first write, p50', quantile(warm, 0.5), 'ms', 2),
    plain('64 MiB from request to first write, p99.9', quantile(warm, 0.999), 'ms'),
  ];
}
