/** What the client library has to say, on stderr and as people read it: warnings and errors only, one line each. */
import type { BusLog } from '@nautilus/client';
import type { LineSink } from './report.ts';

export function lineLog(container: string, err: LineSink): BusLog {
  const line =
    (level: string) =>
    (fields: object, message: string): void => {
      err.write(`${container}: ${level}: ${message}${describeFields(fields)}\n`);
    };
  return { debug: () => undefined, info: () => undefined, warn: line('warning'), error: line('error') };
}

function describeFields(fields: object): string {
  const parts = Object.entries(fields).map(
    ([key, value]) => `${key} ${value instanceof Error ? value.message : JSON.stringify(value)}`,
  );
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
