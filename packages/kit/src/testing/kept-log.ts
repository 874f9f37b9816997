/** A log for tests that keeps its lines, so that a test can read what was said. */
import { createLogger, type Logger } from '../log.ts';

export interface KeptLog {
  readonly log: Logger;
  readonly lines: readonly Record<string, unknown>[];
}

export function keptLog(): KeptLog {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  };
  return { log: createLogger({ name: 'test', level: 'debug', destination }), lines };
}
