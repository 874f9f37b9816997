import { type ErrorCode, NautilusError } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { Renewal } from './renewal.ts';

type Answer = string | ErrorCode;

/** Renews once for each answer: a segment, or the code of a refusal. Answers why and when it ended. */
async function renew(...answers: Answer[]): Promise<{ ends: [number, string][]; logged: string[] }> {
  const ends: [number, string][] = [];
  const logged: string[] = [];
  const log = (level: string) => () => void logged.push(level);
  let turn = 0;
  const renewal = new Renewal({
    stream: 's-00000001',
    join: async () => {
      const answer = answers[turn] ?? '';
      if (answer.startsWith('s-')) return { segment: answer };
      throw new NautilusError({ code: answer as ErrorCode, message: 'by the test' });
    },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    end: (reason) => ends.push([turn, reason]),
  });
  for (turn = 0; turn < answers.length; turn += 1) await renewal.renew();
  return { ends, logged };
}

describe('a renewal', () => {
  it('lets the subscription live while the channel is the same, and while nobody answers', async () => {
    const same = await renew('s-00000001', 'unavailable', 'timeout', 'not_ready', 's-00000001');
    expect(same).toEqual({ ends: [], logged: ['debug', 'debug', 'debug'] });
  });

  it('ends it when another channel of the name has come', async () => {
    const { ends } = await renew('s-00000001', 's-00000002');
    expect(ends).toEqual([[1, expect.stringContaining('began anew')]]);
  });

  it('ends it when there is no channel twice in a row, because its publisher may be late after a restart', async () => {
    const once = await renew('unknown_channel', 's-00000001', 'unknown_channel', 's-00000001');
    expect(once.ends).toEqual([]);
    const twice = await renew('unknown_channel', 'unavailable', 'unknown_channel');
    expect(twice.ends).toEqual([[2, expect.stringContaining('no longer for this container')]]);
  });

  it('says what else is wrong', async () => {
    expect(await renew('permission_denied')).toEqual({ ends: [], logged: ['warn'] });
  });
});
