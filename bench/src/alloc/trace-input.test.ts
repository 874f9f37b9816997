import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { unpackTrace, unpackTraces } from './trace-input.ts';

const folder = mkdtempSync(join(tmpdir(), 'nautilus-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, bytes: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

describe('a trace file', () => {
  it('is read as it is, or from Brotli', () => {
    const bytes = new Uint8Array(32).fill(7);
    const into = join(folder, 'unpacked');
    const plain = fileOf('plain.trace', bytes);
    expect(unpackTrace({ name: 'p', file: plain }, into)).toEqual({ name: 'p', file: plain });
    unpackTrace({ name: 'b', file: fileOf('a.trace.br', brotliCompressSync(bytes)) }, into);
    expect(new Uint8Array(readFileSync(into))).toEqual(bytes);
  });

  it.skipIf(spawnSync('xz', ['--version']).status !== 0)('is unpacked by xz', () => {
    const bytes = new Uint8Array(32).fill(9);
    const packed = spawnSync('xz', ['--stdout'], { input: bytes }).stdout;
    const into = join(folder, 'unpacked-xz');
    unpackTrace({ name: 'x', file: fileOf('a.trace.xz', packed) }, into);
    expect(new Uint8Array(readFileSync(into))).toEqual(bytes);
    const damaged = { name: 'd', file: fileOf('d.trace.xz', packed.subarray(0, 20)) };
    expect(() => unpackTrace(damaged, into)).toThrow('trace d: xz cannot unpack it');
  });

  it('that is absent or damaged is named', () => {
    const absent = { name: 'gone.br', file: join(folder, 'gone.br') };
    expect(() => unpackTrace(absent, '')).toThrow('trace gone.br: ENOENT');
    const damaged = { name: 'd', file: fileOf('d.br', new Uint8Array(9)) };
    expect(() => unpackTrace(damaged, '')).toThrow('trace d: it is no Brotli file, or a damaged one');
  });

  it('names the remedy where xz is missing', () => {
    const file = fileOf('n.xz', new Uint8Array(9));
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      expect(() => unpackTrace({ name: 'n', file }, '')).toThrow('apt-get install xz-utils');
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('records', () => {
  const native = fileURLToPath(new URL('../../native/', import.meta.url));
  const program = join(folder, 'read');
  const source = `#include <cstdio>
#include <exception>
#include "trace.h"
int main(int, char** words) try {
  const auto trace = nautilus::bench::read_trace("t", words[1]);
  std::printf("%zu %u %zu %llu", trace.events.size(), trace.blocks, trace.left.size(),
              static_cast<unsigned long long>(trace.peak_live_bytes));
} catch (const std::exception& failure) {
  std::printf("%s", failure.what());
}`;
  beforeAll(() => {
    const main = fileOf('read.cc', Buffer.from(source));
    const words = ['-std=c++20', '-I', native, main, join(native, 'trace.cc'), '-o', program];
    const built = spawnSync(process.env['CXX'] ?? 'c++', words, { encoding: 'utf8' });
    expect(built.stderr).toBe('');
  }, 120_000);

  const read = (...records: readonly (readonly [number, number, number])[]) => {
    const bytes = Buffer.alloc(records.length * 16);
    records.forEach(([op, id, size], at) => {
      bytes.writeUInt32LE(op, at * 16);
      bytes.writeUInt32LE(id, at * 16 + 4);
      bytes.writeBigUInt64LE(BigInt(size), at * 16 + 8);
    });
    return readBytes(bytes);
  };
  const readBytes = (bytes: Uint8Array) =>
    spawnSync(program, [fileOf('records', bytes)], { encoding: 'utf8' }).stdout;

  it('are counted, and an id may be used again', () => {
    expect(read([0, 9, 100], [0, 4, 2 ** 33], [1, 9, 0], [0, 9, 0])).toBe(`4 3 2 ${2 ** 33 + 100}`);
  });

  it('that are wrong are named', () => {
    expect(read([0, 0, 8], [2, 0, 8])).toBe(
      'trace t, record 1: operation 2, known are 0 (allocate) and 1 (free)',
    );
    expect(read([1, 3, 0])).toBe('trace t, record 0: id 3 is freed but is not allocated');
    expect(read([0, 3, 1], [1, 3, 0], [1, 3, 0])).toBe(
      'trace t, record 2: id 3 is freed but is not allocated',
    );
    expect(read([0, 3, 1], [0, 3, 1])).toBe('trace t, record 1: id 3 is allocated a second time');
    expect(read([0, 3, 2 ** 48])).toBe(`trace t, record 0: ${2 ** 48} bytes are more than can be addressed`);
    expect(readBytes(new Uint8Array(0))).toBe('trace t: it is empty');
    expect(readBytes(Buffer.concat([Buffer.alloc(4), Buffer.alloc(13, 1)]))).toBe(
      'trace t, record 1: ends after 1 of 16 bytes',
    );
  });

  it('of the checked-in traces are sound', () => {
    const inputs = unpackTraces([], folder);
    const counts = inputs.map(({ file }) => spawnSync(program, [file], { encoding: 'utf8' }).stdout);
    expect(counts.map((count) => count.split(' ')[0])).toEqual(['1000000', '196512']);
  });
});

describe('options', () => {
  it('take several traces and one part', () => {
    expect(parseOptions(['--json', '--trace', 'a', '--trace', 'b', '--only', 'cpp'])).toEqual({
      json: true,
      quick: false,
      traces: ['a', 'b'],
      parts: ['cpp'],
    });
    expect(parseOptions([]).parts).toEqual(['cpp', 'node']);
  });
  it('refuse what they do not know', () => {
    expect(() => parseOptions(['--only', 'rust'])).toThrow('--only rust is unknown');
    expect(() => parseOptions(['--fast'])).toThrow('usage: npm run bench:alloc');
    expect(() => parseOptions(['--trace'])).toThrow('usage: npm run bench:alloc');
  });
});
