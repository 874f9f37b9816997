// Test support: what the kernel says of this process's memory, from /proc/self.

import { readFileSync } from 'node:fs';

export interface MappedArea {
  readonly address: bigint;
  /** Lines of smaps that are sizes, in bytes. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** The mappings whose line in /proc/self/maps ends with the words. */
export function areasOf(words: string): MappedArea[] {
  const areas: MappedArea[] = [];
  let current: Record<string, number> | null = null;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const head = /^([0-9a-f]+)-[0-9a-f]+ /.exec(line);
    if (head !== null) {
      current = line.replace(/ \(deleted\)$/, '').endsWith(words) ? {} : null;
      if (current !== null) areas.push({ address: BigInt(`0x${head[1]}`), bytes: current });
    }
    const size = /^(\w+): +(\d+) kB$/.exec(line);
    if (size !== null && current !== null) current[size[1] as string] = Number(size[2]) * 1024;
  }
  return areas;
}

/** A size of /proc/self/status, such as VmLck. */
export function statusBytes(name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  if (found === null) throw new Error(`/proc/self/status has no ${name}`);
  return Number(found[1]) * 1024;
}
