import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { probeHost, raiseDescriptorLimit, readHostMemory } from './probe.ts';

describe('probeHost', () => {
  const host = probeHost();

  it('agrees with what Node knows', () => {
    expect(host.platform).toBe(process.platform);
    expect(host.cpuCount).toBe(cpus().length);
    expect(host.totalBytes).toBeLessThanOrEqual(totalmem());
    expect(host.totalSource).toBe(host.totalBytes === totalmem() ? 'host' : 'cgroup');
  });

  it.runIf(process.arch === 'x64')('names the processor', () => {
    expect(host.cpuModel).toBe(cpus()[0]?.model.trim());
  });

  it('gives a reason exactly for what is missing', () => {
    for (const part of [
      'hugePages',
      'psi',
      'memfd',
      'unifiedMemory',
      'gpu',
      'neuralEngine',
      'bandwidthCounter',
    ] as const) {
      const { available, reason } = host[part];
      expect({ part, missing: reason !== null }).toEqual({ part, missing: !available });
    }
    expect(host.cgroup.memoryController).toBe(host.cgroup.reason === null);
    expect(host.gpu.name !== null).toBe(host.gpu.available);
    expect(host.bandwidthCounter.source !== null).toBe(host.bandwidthCounter.available);
    expect(Object.values(host)).not.toContain(undefined);
  });

  it('reads the identity of this boot', () => {
    expect(host.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  });
});

describe('readHostMemory', () => {
  it('agrees with /proc/meminfo', () => {
    const memory = readHostMemory();
    const kilobytes = /MemTotal: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    expect(memory.totalBytes).toBe(Number(kilobytes) * 1024);
    expect(memory.availableBytes).toBeGreaterThan(0);
    expect(memory.availableBytes).toBeLessThan(memory.totalBytes);
    expect(memory.swapFreeBytes).toBeLessThanOrEqual(memory.swapTotalBytes);
    expect(memory.majorFaults).toBeGreaterThan(0);
  });

  it('has pressure exactly when the host has it', () => {
    const { psi } = probeHost();
    const { psiSomeTotalUs, psiFullTotalUs, psiSomeAvg10, psiFullAvg10 } = readHostMemory();
    for (const figure of [psiSomeTotalUs, psiFullTotalUs, psiSomeAvg10, psiFullAvg10]) {
      expect(figure !== null).toBe(psi.available);
    }
  });

  it('is cheap enough for every second', () => {
    const startedMs = performance.now();
    for (let round = 0; round < 100; round += 1) readHostMemory();
    expect((performance.now() - startedMs) / 100).toBeLessThan(5);
  });
});

describe('raiseDescriptorLimit', () => {
  it('raises soft to hard', () => {
    const { soft, hard } = raiseDescriptorLimit();
    expect(soft).toBe(hard);
    expect(soft).toBeGreaterThanOrEqual(1024);
  });
});
