/**
 * Turns the bytes of a trace file into a `Trace`, or says which record is wrong and how: a replay then needs no checks
 * of its own.
 */
import { maximumSegmentBytes } from '@nautilus/contracts';
import { recordBytes, Trace } from './trace.ts';

const states = { unknown: 0, live: 1, freed: 2 } as const;

export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/** Uncompressed little-endian records. Keeps `bytes` when they lie at a multiple of 4, else a copy. */
export function readTrace(name: string, bytes: Uint8Array): Trace {
  if (bytes.byteLength === 0 || bytes.byteLength % recordBytes !== 0)
    throw new TraceError(
      `trace ${name}: ${bytes.byteLength} bytes are not whole records of ${recordBytes} bytes`,
    );
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  return new Trace(name, words, checkRecords(name, new Trace(name, words, 0)));
}

/** Answers how many blocks the trace allocates. */
function checkRecords(name: string, trace: Trace): number {
  const state = new Uint8Array(trace.events);
  let blocks = 0;
  for (let event = 0; event < trace.events; event += 1) {
    const id = trace.id(event);
    const size = trace.size(event);
    const wrong = (why: string) => new TraceError(`trace ${name}, record ${event}: ${why}`);
    if (trace.isAllocation(event)) {
      if (id < blocks) throw wrong(`block ${id} is allocated a second time`);
      if (id > blocks) throw wrong(`ids are dense: the next one is ${blocks}, found ${id}`);
      if (size < 1 || size > maximumSegmentBytes)
        throw wrong(`block ${id} has ${size} bytes, possible are 1 to ${maximumSegmentBytes}`);
      state[id] = states.live;
      blocks += 1;
      continue;
    }
    const op = trace.operation(event);
    if (op !== 1) throw wrong(`operation ${op}, known are 0 (allocate) and 1 (free)`);
    if (id >= blocks) throw wrong(`block ${id} is freed but was never allocated`);
    if (state[id] === states.freed) throw wrong(`block ${id} is freed twice`);
    if (size !== 0) throw wrong(`a free has no size, found ${size} for block ${id}`);
    state[id] = states.freed;
  }
  return blocks;
}
