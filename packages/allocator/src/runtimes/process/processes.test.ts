import { describe, expect, it } from 'vitest';
import { realTiming } from '../testing/bench.ts';
import { ProcessRuntime, parseResident } from './processes.ts';

describe('plain processes', () => {
  it('reads resident memory, and takes a process without any for ended', () => {
    const status = 'Name:\tnode\nRssAnon:\t     100 kB\nRssFile:\t 20 kB\nRssShmem:\t 3 kB\nVmSwap:\t 0 kB\n';
    expect(parseResident(status)).toEqual({
      anonBytes: 102_400,
      fileBytes: 20_480,
      shmemBytes: 3_072,
      swapBytes: 0,
    });
    expect(parseResident('Name:\tnode\nState:\tZ (zombie)\n')).toBeNull();
    expect(parseResident('')).toBeNull();
  });

  it('gives no figures without /proc, each with the reason', async () => {
    const processes = () => new Map([['self', [process.pid]]]);
    const runtime = new ProcessRuntime({ processes, timing: realTiming, pollMs: 100, proc: null });
    const seen = await runtime.observe('self');
    expect(seen).toMatchObject({
      kind: 'observation',
      usageBytes: null,
      workingSetBytes: null,
      anonBytes: null,
    });
    expect(seen).toMatchObject({ missing: { workingSetBytes: expect.stringMatching(/no \/proc/) } });
  });
});
