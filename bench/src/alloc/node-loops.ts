/** The loops of the Node part: what a program in JavaScript does with blocks all day, and the same with Buffers. */
import { type Arena, createArena, createSegment, type Mapping, mapSegment } from '@nautilus/native';
import { quantile } from '../figure.ts';

/** Nanoseconds an operation, over batches of `batch` operations. */
export interface Timing {
  readonly p50: number;
  readonly p999: number;
}

export interface Rig extends Disposable {
  readonly arena: Arena;
  readonly mapping: Mapping;
}

const mib = 2 ** 20;

export function openRig(strategy: 'slab' | 'buddy' | 'first_fit' | 'best_fit', bytes = 256 * mib): Rig {
  using payload = createSegment({ name: 'bench', bytes });
  const mapping = mapSegment(payload, { access: 'read-write' });
  const arena = createArena({ strategy, bytes, magazines: true });
  return {
    arena,
    mapping,
    [Symbol.dispose]() {
      arena.close();
      mapping.close();
    },
  };
}

/** A result that the compiler cannot prove unused. */
export const sink = { value: 0 };

type Loop = (operations: number) => void;

/** The engine compiles a loop anew when it meets a second strategy, and takes some ten thousand operations for it. */
const warmUpRounds = 1000;

/** The loops by turns, so that a slow moment of the machine hits all of them. Each is warmed up before. */
export function timeByTurns(loops: readonly Loop[], batch: number, batches: number): Timing[] {
  for (const loop of loops) for (let round = 0; round < warmUpRounds; round += 1) loop(batch);
  const samples = loops.map((): number[] => []);
  for (let round = 0; round < batches; round += 1) {
    for (const [at, loop] of loops.entries()) {
      const startedAt = process.hrtime.bigint();
      loop(batch);
      samples[at]?.push(Number(process.hrtime.bigint() - startedAt) / batch);
    }
  }
  return samples.map((values) => ({ p50: quantile(values, 0.5), p999: quantile(values, 0.999) }));
}

export function blockLoop({ arena, mapping }: Rig, bytes: number): Loop {
  return (operations) => {
    let sum = 0;
    for (let done = 0; done < operations; done += 1) {
      const handle = arena.allocate(bytes) as number;
      sum += mapping.view(arena.offsetOf(handle), bytes).length;
      arena.free(handle);
    }
    sink.value += sum;
  };
}

export function bufferLoop(bytes: number): Loop {
  return (operations) => {
    let sum = 0;
    for (let done = 0; done < operations; done += 1) sum += Buffer.allocUnsafe(bytes).length;
    sink.value += sum;
  };
}

/** Two readings of the clock, which a short batch would be charged with. */
function clockCost(): number {
  const readings = Array.from({ length: 2000 }, () => {
    const startedAt = process.hrtime.bigint();
    return Number(process.hrtime.bigint() - startedAt);
  });
  return quantile(readings, 0.5);
}

/** Frees only: bursts of `burst` blocks, allocated beside the clock. */
export function timeFrees({ arena }: Rig, bytes: number, burst: number, batches: number): Timing {
  const handles = new Float64Array(burst);
  const values: number[] = [];
  const clockNs = clockCost();
  for (let round = 0; round < batches + 200; round += 1) {
    for (let at = 0; at < burst; at += 1) handles[at] = arena.allocate(bytes) as number;
    const startedAt = process.hrtime.bigint();
    for (let at = 0; at < burst; at += 1) arena.free(handles[at] as number);
    if (round >= 200) values.push(Math.max(0, Number(process.hrtime.bigint() - startedAt) - clockNs) / burst);
  }
  return { p50: quantile(values, 0.5), p999: quantile(values, 0.999) };
}

export function resolveLoop({ arena }: Rig): Loop {
  const handles = Float64Array.from({ length: 1024 }, () => arena.allocate(4096) as number);
  return (operations) => {
    let sum = 0;
    for (let done = 0; done < operations; done += 1) sum += arena.offsetOf(handles[done & 1023] as number);
    sink.value += sum;
  };
}

/** One operation is an allocation or a free: half of each, 256 to a native call. */
export function batchLoop({ arena }: Rig, bytes: number): Loop {
  const sizes = new Float64Array(256).fill(bytes);
  const handles = new Float64Array(256);
  return (operations) => {
    for (let done = 0; done < operations; done += 512) {
      arena.allocateMany(sizes, handles);
      arena.freeMany(handles);
    }
  };
}
