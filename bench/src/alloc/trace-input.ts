/** Trace files as the harness reads them: unpacked. What their records say, the harness checks. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

export interface TraceInput {
  readonly name: string;
  readonly file: string;
}

export class TraceInputError extends Error {
  override readonly name = 'TraceInputError';
}

const recorded = ['python', 'jq'].map((name) => ({
  name,
  file: fileURLToPath(new URL(`../../traces/${name}.trace.br`, import.meta.url)),
}));
const mostBytes = 2 ** 32;

/** The recorded traces and the given files, unpacked into `folder`. A given file keeps the name it was given by. */
export function unpackTraces(given: readonly string[], folder: string): TraceInput[] {
  const inputs = [...recorded, ...given.map((file) => ({ name: file, file }))];
  return inputs.map((input, index) =>
    unpackTrace(input, join(folder, `${index}-${basename(input.file)}.raw`)),
  );
}

export function unpackTrace({ name, file }: TraceInput, into: string): TraceInput {
  if (!file.endsWith('.xz') && !file.endsWith('.br')) return { name, file };
  writeFileSync(into, file.endsWith('.xz') ? unpackXz(name, file) : unpackBrotli(name, file));
  return { name, file: into };
}

function unpackBrotli(name: string, file: string): Uint8Array {
  const packed = read(name, file);
  try {
    return brotliDecompressSync(packed, { maxOutputLength: mostBytes });
  } catch (error) {
    throw new TraceInputError(`trace ${name}: it is no Brotli file, or a damaged one`, { cause: error });
  }
}

function unpackXz(name: string, file: string): Uint8Array {
  const packed = read(name, file);
  const { error, status, stdout, stderr } = spawnSync('xz', ['--decompress', '--stdout'], {
    input: packed,
    maxBuffer: mostBytes,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    throw new TraceInputError(
      `trace ${name}: xz is needed to unpack it. Type: sudo apt-get install xz-utils (Debian, Ubuntu), or brew install xz (macOS)`,
    );
  if (error !== undefined || status !== 0) {
    const why = error?.message ?? stderr.toString().trim();
    throw new TraceInputError(`trace ${name}: xz cannot unpack it: ${why}`);
  }
  return stdout;
}

function read(name: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TraceInputError(`trace ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
