import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { native } from './addon.ts';
import { AddonLoadError, addonPaths, loadNative } from './load.ts';
import { strategies } from './strategies.ts';

describe('loadNative', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nautilus-load-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function failureOf(paths: readonly string[]): AddonLoadError {
    try {
      loadNative(paths);
    } catch (error) {
      if (error instanceof AddonLoadError) return error;
      throw error;
    }
    throw new Error('it loaded');
  }

  it('names platform, Node version, path, reason and command when the file is missing', () => {
    const missing = join(folder, 'missing.node');
    const { message, attempts } = failureOf([missing]);
    expect(message).toContain(`${process.platform}-${process.arch}`);
    expect(message).toContain(process.version);
    expect(message).toContain(missing);
    expect(message).toContain('npm run build -w @nautilus/native');
    expect(message).not.toContain('Require stack');
    expect(attempts).toHaveLength(1);
  });

  it('passes on what the dynamic loader says about a corrupt file', () => {
    const corrupt = join(folder, 'corrupt.node');
    writeFileSync(corrupt, 'this is no shared library, but long enough to be read as the header of one');
    expect(failureOf([corrupt]).attempts[0]?.reason).toMatch(/corrupt\.node.*(header|not valid|magic)/i);
  });

  it('goes on to the next path after a failure', () => {
    expect(loadNative([join(folder, 'missing.node'), ...addonPaths()]).segmentKinds().length).toBeGreaterThan(
      0,
    );
  });
});

describe('the boundary', () => {
  const names = (file: string, pattern: RegExp) =>
    [...readFileSync(new URL(file, import.meta.url), 'utf8').matchAll(pattern)].map((match) => match[1]);

  it('declares the exports of the addon in the same order', () => {
    const inTypeScript = readFileSync(new URL('./native.ts', import.meta.url), 'utf8')
      .split('export interface Native {')[1]
      ?.match(/^ {2}\w+(?=\()/gm)
      ?.map((name) => name.trim());
    const inCpp = names('../binding/exports.cc', /^ {4}\{"(\w+)", /gm);
    expect(inCpp.length).toBeGreaterThan(30);
    expect(inTypeScript).toEqual(inCpp);
    expect(Object.keys(native)).toEqual(inCpp);
  });

  it('lists the same strategies in TypeScript and C++', () => {
    expect(Object.values(strategies)).toEqual(native.arenaStrategies());
    expect(Object.keys(strategies)).toEqual(Object.values(strategies).map(({ name }) => name));
  });

  it('names the argument that has the wrong type, undefined above all', () => {
    const call = native.fileSegmentOpen as (path: unknown, writable: unknown) => number;
    expect(() => call('/tmp/x', undefined)).toThrow('args[1]: expected a boolean, found undefined');
    expect(() => call(7, true)).toThrow('args[0]: expected a string');
    expect(() => (native.arenaFreeBytes as (arena: unknown) => unknown)({})).toThrow('expected an arena');
  });
});
