/** The shape of a log line, and what never stands in it. */
import { describe, expect, it } from 'vitest';
import { createLogger } from './log.ts';

describe('createLogger', () => {
  it('writes one JSON line per event, from its level up, without secrets', () => {
    const lines: string[] = [];
    const log = createLogger({
      name: 'monitor',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    });
    log.debug('too small');
    log.info({ nats: { password: 'hunter2' }, seed: 'hunter2', host: 'h1' }, 'connected');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('hunter2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      name: 'monitor',
      host: 'h1',
      msg: 'connected',
      seed: '[hidden]',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });
});
