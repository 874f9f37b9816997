/** Blocks and devices: what it costs to allocate one, to name it to a device, and what it takes until a device has worked on it. */
import {
  createArena,
  createSegment,
  type Device,
  detectDevices,
  type Mapping,
  mapSegment,
  openDevice,
} from '@nautilus/native';
import { atMost, type Figure, plain, quantile } from '../figure.ts';
import { sizes } from './latency.ts';

const segmentBytes = 2 ** 28;
const batch = 1000;
const mostHandOverNs = 50;
const sink = { value: 0 };

/** Nanoseconds an operation, over batches; the engine compiles in the first ones, which do not count. */
function inBatches(batches: number, operation: () => void): number[] {
  const samples: number[] = [];
  for (let round = -batches; round < batches; round += 1) {
    const startedAt = performance.now();
    for (let done = 0; done < batch; done += 1) operation();
    if (round >= 0) samples.push(((performance.now() - startedAt) * 1e6) / batch);
  }
  return samples;
}

function both(name: string, samples: readonly number[], of = ''): Figure[] {
  return [
    plain(`${name}, p50${of}`, quantile(samples, 0.5), 'ns'),
    plain(`${name}, p99.9${of}`, quantile(samples, 0.999), 'ns'),
  ];
}

export async function benchDevices(quick: boolean): Promise<Figure[]> {
  const batches = quick ? 50 : 1000;
  using segment = createSegment({ name: 'bench-device', bytes: segmentBytes });
  const mapping = mapSegment(segment, { access: 'read-write' });
  using arena = createArena({ strategy: 'first_fit', bytes: segmentBytes, magazines: true });
  const figures: Figure[] = [];
  for (const { name, bytes } of sizes) {
    const pair = inBatches(batches, () => arena.free(arena.allocate(bytes) as number));
    figures.push(...both(`allocate and free, ${name}`, pair, ` of batches of ${batch}`));
  }
  const { devices, kinds } = detectDevices();
  for (const { kind, reason } of kinds)
    if (reason !== null) process.stderr.write(`• no ${kind} device: ${reason}\n`);
  for (const { id, software } of devices) {
    await using device = openDevice(id);
    const title = software && device.kind !== 'host' ? `${id} (software)` : id;
    const buffer = device.import(mapping);
    const handle = arena.allocate(4096) as number;
    const handOver = inBatches(batches, () => {
      sink.value += buffer.place(arena.offsetOf(handle)).offset;
    });
    figures.push(
      atMost(`${title}: handle to device address, p50`, quantile(handOver, 0.5), 'ns', mostHandOverNs),
      plain(`${title}: handle to device address, p99.9 of batches`, quantile(handOver, 0.999), 'ns'),
      ...(await bytesCopied(device, buffer, mapping, title)),
    );
    arena.free(handle);
    if (device.facts.computes) figures.push(...(await completions(device, buffer, title, quick)));
    buffer.close();
  }
  mapping.close();
  return figures;
}

/** What is written through the mapping after the import and what the device then reads differ where it has a copy. */
async function bytesCopied(
  device: Device,
  buffer: Parameters<Device['fill']>[0]['buffer'],
  mapping: Mapping,
  title: string,
): Promise<Figure[]> {
  if (!device.facts.computes) return [];
  const sum = () => device.checksum({ buffer, offset: 0, bytes: 4096 });
  const view = mapping.view(0, 4096);
  view.fill(1);
  const before = await sum();
  view.fill(2);
  const isCopy = (await sum()) === before;
  return [atMost(`${title}: bytes copied at import`, isCopy ? buffer.bytes : 0, 'B', 0)];
}

/** Submission to answer, queue and driver included: no hand-over, and published as what it is. */
async function completions(
  device: Device,
  buffer: Parameters<Device['fill']>[0]['buffer'],
  title: string,
  quick: boolean,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, bytes } of sizes) {
    const samples: number[] = [];
    const rounds = Math.max(5, Math.min(quick ? 50 : 500, Math.floor((quick ? 2 ** 28 : 2 ** 31) / bytes)));
    for (let round = 0; round < rounds; round += 1) {
      const startedAt = performance.now();
      await device.fill({ buffer, offset: 0, bytes }, round & 255);
      samples.push((performance.now() - startedAt) * 1e6);
    }
    figures.push(...both(`${title}: completed, fill of ${name}`, samples));
  }
  return figures;
}
