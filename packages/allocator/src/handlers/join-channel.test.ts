import type { RequestContext } from '@nautilus/bus';
import { admitSubscriber, ok, type Result } from '@nautilus/contracts';
import { expect, it } from 'vitest';
import type { Agent } from '../agent.ts';
import { joinChannelEndpoint, type PublisherBus } from './join-channel.ts';

const admission = { slot: null, startSequence: 0, frameBytes: 2 ** 30 };

/** Publishers that say nothing before `answer`; what a copied join needs of an agent, and every right. */
function rig() {
  let answer: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked: (string | undefined)[] = [];
  const bus: PublisherBus = {
    request: async (_contract, { party }) => {
      asked.push(party);
      await promise;
      return admission as never;
    },
  };
  const agent = {
    host: 'h1',
    accounts: { container: () => ok({}) },
    channels: {
      find: (publisher: string, channel: string) => ok({ publisher, channel, segment: 's-00000001' }),
    },
  } as unknown as Agent;
  const { handle, contract } = joinChannelEndpoint(agent, bus);
  const join = async (party: string, from: string) => {
    const body = { channel: 'quotes', from, mode: 'copy', subscription: 'c-00000001' };
    const joined = await handle(contract.request.parse(body), { party } as RequestContext);
    return joined as Result<unknown>;
  };
  return { join, asked, answer };
}

const overloaded = (who: RegExp) => ({
  ok: false,
  fault: { code: 'overloaded', message: expect.stringMatching(who) },
});

it('lets four joins wait for a publisher that does not answer, and asks others meanwhile', async () => {
  const { join, asked, answer } = rig();
  const waiting = ['a', 'b', 'c', 'd'].map((party) => join(party, 'silent'));
  expect(await join('e', 'silent')).toMatchObject(overloaded(/silent/));
  waiting.push(join('e', 'market-data'));
  expect(asked).toEqual(['silent', 'silent', 'silent', 'silent', 'market-data']);
  answer();
  expect((await Promise.all(waiting)).every(({ ok: isJoined }) => isJoined)).toBe(true);
  expect((await join('e', 'silent')).ok).toBe(true);
});

it('lets four joins of one container wait, whichever publishers they are for', async () => {
  const { join, answer } = rig();
  const waiting = ['w', 'x', 'y', 'z'].map((from) => join('greedy', from));
  expect(await join('greedy', 'market-data')).toMatchObject(overloaded(/greedy/));
  waiting.push(join('risk-engine', 'market-data'));
  answer();
  expect((await Promise.all(waiting)).every(({ ok: isJoined }) => isJoined)).toBe(true);
});

it('takes no admission with frames longer than a channel can have', () => {
  const { response } = admitSubscriber;
  expect(response.safeParse(admission).success).toBe(true);
  expect(response.safeParse({ ...admission, frameBytes: 2 ** 30 + 1 }).success).toBe(false);
});
