/** The traces that are checked in beside the benchmarks, packed with Brotli because Node unpacks that by itself. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { readTrace, TraceError } from './read-trace.ts';
import type { Trace } from './trace.ts';

export const traceNames = ['python', 'jq'] as const;
export type TraceName = (typeof traceNames)[number];
export type LoadTrace = (name: TraceName) => Promise<Trace>;

const folder = new URL('../../../bench/traces/', import.meta.url);
const unpack = promisify(brotliDecompress);

export async function loadTrace(name: TraceName): Promise<Trace> {
  const file = new URL(`${name}.trace.br`, folder);
  const packed = await readFile(file);
  try {
    return readTrace(name, await unpack(packed));
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(`trace ${name}: ${file.pathname} cannot be unpacked`, { cause: error });
  }
}
