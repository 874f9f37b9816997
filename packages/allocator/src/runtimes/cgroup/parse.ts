/** What the kernel writes into its memory files, as values. Pure; what does not parse is null, never zero. */
import type { ByteLimit, Psi } from '../runtime.ts';

/** The largest page that Linux runs on; the kernel rounds limits down to whole pages. */
const largestPageBytes = 65_536;

/** `max`, and what v1 says instead: more pages than can be counted. */
export function parseLimit(text: string): ByteLimit | null {
  const word = text.trim();
  if (word === 'max') return 'max';
  const bytes = parseCount(word);
  if (bytes === null) return null;
  return bytes > Number.MAX_SAFE_INTEGER ? 'max' : bytes;
}

export function parseCount(text: string): number | null {
  const word = text.trim();
  return /^\d+$/.test(word) ? Number(word) : null;
}

/** `name value` a line: memory.stat, memory.events, memory.oom_control. */
export function parseKeyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' ');
    const value = at < 0 ? null : parseCount(line.slice(at + 1));
    if (value !== null) values.set(line.slice(0, at), value);
  }
  return values;
}

export function parsePsi(text: string): Psi | null {
  const someTotalUs = psiTotal(text, 'some');
  const fullTotalUs = psiTotal(text, 'full');
  return someTotalUs === null || fullTotalUs === null ? null : { someTotalUs, fullTotalUs };
}

function psiTotal(text: string, share: 'some' | 'full'): number | null {
  const found = new RegExp(`^${share} .*\\btotal=(\\d+)`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

export function formatLimit(limit: ByteLimit): string {
  return limit === 'max' ? 'max' : String(limit);
}

/** Whether the kernel took this limit: what it says is what was written, down to a whole page. */
export function isReadBackOf(written: ByteLimit, readBack: ByteLimit | null): boolean {
  if (written === 'max' || readBack === 'max' || readBack === null) return written === readBack;
  return readBack <= written && written - readBack < largestPageBytes;
}

export function isBelow(one: ByteLimit, other: ByteLimit): boolean {
  if (one === 'max') return false;
  return other === 'max' || one < other;
}
