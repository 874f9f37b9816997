/** What a machine has, what it lacks and why, as lines for a person: pure, so that every machine can be told of in a test. */
import type { DetectedDevices, HostProbe, MacVerification } from '@nautilus/native';

export interface Finding {
  readonly name: string;
  readonly state: 'here' | 'missing' | 'unproven';
  /** What it is, or why it is not there. */
  readonly text: string;
  /** The command that mends it, where there is one. */
  readonly remedy: string | null;
}

export interface Machine {
  readonly host: HostProbe;
  readonly devices: DetectedDevices;
  readonly mac: MacVerification;
}

const remedies: Readonly<Record<string, string>> = {
  // Forced, because what was built is kept, and nothing in the sources says that headers came.
  vulkan: 'sudo apt-get install libvulkan1 mesa-vulkan-drivers libvulkan-dev && npm run build -- --force',
};

export function findingsOf({ host, devices, mac }: Machine): Finding[] {
  const part = (name: string, found: { available: boolean; reason: string | null }, text: string): Finding =>
    found.available
      ? { name, state: 'here', text, remedy: null }
      : { name, state: 'missing', text: found.reason ?? 'not found', remedy: null };
  return [
    here(
      'machine',
      `${host.platform} ${host.arch}, kernel ${host.kernel}, ${host.cpuCount} × ${host.cpuModel}`,
    ),
    here('memory', `${(host.totalBytes / 2 ** 30).toFixed(1)} GiB (${host.totalSource})`),
    part('memfd', host.memfd, 'segments are sealed memory files'),
    part(
      'huge pages',
      host.hugePages,
      `${host.hugePages.freePages} free of ${host.hugePages.pageBytes} bytes`,
    ),
    part('stall time (PSI)', host.psi, 'the kernel counts it'),
    part(
      'cgroups',
      { available: host.cgroup.version !== null, reason: host.cgroup.reason },
      `version ${host.cgroup.version}${host.cgroup.memoryController ? '' : ', without a memory controller'}`,
    ),
    part('bandwidth counter', host.bandwidthCounter, host.bandwidthCounter.source ?? ''),
    ...devices.kinds.flatMap(({ kind, reason }) =>
      reason === null
        ? []
        : [
            {
              name: `devices: ${kind}`,
              state: 'missing' as const,
              text: reason,
              remedy: remedies[kind] ?? null,
            },
          ],
    ),
    ...devices.devices.map(({ id, name, software, computes, computeReason }) =>
      here(
        `device ${id}`,
        `${name}${software && !id.startsWith('host') ? ', computed by the processor' : ''}${computes ? '' : `, holds buffers only: ${computeReason}`}`,
      ),
    ),
    mac.verified
      ? here('Metal and Core ML', `verified on a Mac on ${mac.date} (${mac.file})`)
      : { name: 'Metal and Core ML', state: 'unproven', text: mac.reason, remedy: 'npm run verify:mac' },
  ];
}

function here(name: string, text: string): Finding {
  return { name, state: 'here', text, remedy: null };
}

export function renderFindings(findings: readonly Finding[]): string {
  const marks = { here: '✓', missing: '–', unproven: '?' } as const;
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .map(({ name, state, text, remedy }) => {
      const line = `${marks[state]} ${name.padEnd(width)}  ${text}`;
      return remedy === null ? line : `${line}\n  ${' '.repeat(width)}  → ${remedy}`;
    })
    .join('\n');
}
