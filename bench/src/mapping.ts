/** From the request to the first written byte of a 64 MiB segment, through the client library; and from kill -9 to memory back. */
import { connect } from '@nautilus/client';
import { atMost, type Figure, plain, quantile } from './figure.ts';
import { container, host, type Stage } from './stage.ts';

const segmentBytes = 64 * 2 ** 20;
const rounds = 300;

export async function benchMapping({ url }: Stage): Promise<Figure[]> {
  await using client = await connect({ container, host, servers: url });
  const pool = client.pool('bench', { segmentBytes });
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const block = await pool.allocate(segmentBytes);
    block.view()[0] = 1;
    times.push(performance.now() - startedAt);
    block.free();
    await pool.trim();
  }
  return [
    atMost('64 MiB from request to first write, p50', quantile(times, 0.5), 'ms', 2),
    plain('64 MiB from request to first write, p99.9', quantile(times, 0.999), 'ms'),
  ];
}
