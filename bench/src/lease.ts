/** Leases over NATS, measured in turn with a bare echo on the same pair of connections, empty and with 10,000 live leases. */
import type { Bus } from '@nautilus/bus';
import { exchanges } from '@nautilus/contracts';
import { type Figure, plain, quantile, ratioAtMost } from './figure.ts';
import { container, echoSubject, host, type Stage } from './stage.ts';

const at = { host, party: container };
const request = { pool: 'bench', bytes: 4096 };
const warmUp = 500;
const rounds = 3_000;
const liveLeases = 10_000;
const inFlight = 64;

export async function benchLeases({ bus }: Stage): Promise<Figure[]> {
  await pairs(bus, warmUp);
  const empty = await pairs(bus, rounds);
  await fill(bus, liveLeases);
  const full = await pairs(bus, rounds);
  return [
    plain('echo over NATS, p50', quantile(empty.echo, 0.5), 'ms'),
    plain('echo over NATS, p99.9', quantile(empty.echo, 0.999), 'ms'),
    ratioAtMost(
      'lease over NATS, p50, against the echo',
      quantile(empty.lease, 0.5),
      quantile(empty.echo, 0.5),
      'ms',
      1.5,
    ),
    plain('lease over NATS, p99.9', quantile(empty.lease, 0.999), 'ms'),
    ratioAtMost(
      'lease with 10,000 live leases, p50, against none',
      quantile(full.lease, 0.5),
      quantile(empty.lease, 0.5),
      'ms',
      2,
    ),
    plain('lease with 10,000 live leases, p99.9', quantile(full.lease, 0.999), 'ms'),
  ];
}

/** Echo and lease by turns, so that a slow moment of the machine hits both. The release in between is not measured. */
async function pairs(bus: Bus, count: number): Promise<{ echo: number[]; lease: number[] }> {
  const echo: number[] = [];
  const lease: number[] = [];
  const bytes = Buffer.from(JSON.stringify(request));
  for (let round = 0; round < count; round += 1) {
    let startedAt = performance.now();
    await bus.requestRaw(echoSubject, bytes, 5_000);
    echo.push(performance.now() - startedAt);
    startedAt = performance.now();
    const { segment } = await bus.request(exchanges.leaseSegment, at, request);
    lease.push(performance.now() - startedAt);
    await bus.request(exchanges.releaseSegment, at, { segment });
  }
  return { echo, lease };
}

async function fill(bus: Bus, count: number): Promise<void> {
  for (let done = 0; done < count; done += inFlight) {
    const batch = Math.min(inFlight, count - done);
    await Promise.all(Array.from({ length: batch }, () => bus.request(exchanges.leaseSegment, at, request)));
  }
}
