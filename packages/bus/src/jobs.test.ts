import { type JobRequest, jobRequested, sampleTaken, streams } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';
import type { JobInfo } from './jobs.ts';
import { streamState } from './testing/inspect.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, testBus } from './testing/setup.ts';

let nats: NatsServer;
let bus: Bus;

beforeEach(async () => {
  nats = await startNats({ jetstream: true });
  bus = await testBus(nats, 'bus');
});
afterEach(async () => {
  await bus.close();
  await nats[Symbol.asyncDispose]();
});

function job(run: string): JobRequest {
  return { run, job: 'defragment', host: 'h1', slot: 1, trigger: 'schedule', dryRun: false, epoch: 1 };
}
const options = {
  stream: streams.jobs,
  contract: jobRequested,
  durable: 'maintenance',
  ackWaitMs: 1_000,
  maxDeliver: 3,
  concurrency: 2,
  retryDelayMs: 50,
};
const at = { host: 'h1', topic: 'defragment' };
const enqueue = (run: string) =>
  bus.publishDurable(jobRequested, at, job(run), { messageId: `defragment:${run}` });

describe('work queue', () => {
  test('each job is done once, at most `concurrency` at a time; the same slot is enqueued once', async () => {
    const done: string[] = [];
    const infos: JobInfo[] = [];
    let running = 0;
    let most = 0;
    const queue = await bus.workQueue(options, async (body, info) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      infos.push(info);
      done.push(body.run);
      running -= 1;
    });
    for (let i = 0; i < 6; i += 1) expect(await enqueue(`${i}`)).toMatchObject({ duplicate: false });
    expect(await enqueue('0')).toMatchObject({ duplicate: true });
    await eventually('all are done', () => done.length === 6);
    await queue.drain();
    expect(done.sort()).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(most).toBe(2);
    expect(infos[0]).toMatchObject({ host: 'h1', topic: 'defragment', delivery: 1 });
  });

  test('a job that fails is delivered again, and taken out after the last time', async () => {
    const deliveries: number[] = [];
    const queue = await bus.workQueue(options, async (body, { delivery }) => {
      if (body.run === 'good') return;
      deliveries.push(delivery);
      throw new Error('this job always fails');
    });
    await enqueue('bad');
    await enqueue('good');
    await eventually('three deliveries', () => deliveries.length === 3);
    await queue.drain();
    expect(deliveries).toEqual([1, 2, 3]);
    expect(bus.stats.handlerErrors).toBe(3);
    // Nothing is left that would be delivered to nobody.
    expect(await streamState(nats, 'jobs')).toMatchObject({ messages: 0 });
    const again: string[] = [];
    const next = await bus.workQueue(options, async (body) => void again.push(body.run));
    await enqueue('later');
    await eventually('the later job', () => again.length > 0);
    await next.drain();
    expect(again).toEqual(['later']);
  });

  test('a long job that gives signs of life is not delivered twice', async () => {
    let deliveries = 0;
    let finished = false;
    const queue = await bus.workQueue({ ...options, ackWaitMs: 300 }, async (_, { working }) => {
      deliveries += 1;
      for (let i = 0; i < 6; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        working();
      }
      finished = true;
    });
    await enqueue('long');
    await eventually('the end', () => finished);
    await queue.drain();
    expect(deliveries).toBe(1);
  });

  test('a drain waits for what runs', async () => {
    let finished = false;
    const queue = await bus.workQueue(options, async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      finished = true;
    });
    await enqueue('running');
    await eventually('it runs', () => bus.stats.handled === 1);
    await queue.drain();
    expect(finished).toBe(true);
  });

  test('jobs survive a restart of the broker, and the worker goes on', async () => {
    const done: string[] = [];
    await enqueueBefore();
    await nats.restart({ keepStore: true });
    await eventually('reconnected', () => bus.state === 'connected');
    await bus.workQueue(options, async (body) => void done.push(body.run));
    await eventually('the old job', () => done.includes('before'));
    await nats.restart({ keepStore: true });
    await eventually('reconnected', () => bus.state === 'connected');
    await enqueue('after');
    await eventually('the new job', () => done.includes('after'));
    expect(done.filter((run) => run === 'before')).toHaveLength(1);
  });

  test('a publish that no stream takes is an error, not a silence', async () => {
    const sample = bus.publishDurable(sampleTaken, { host: 'h1' }, {} as never, { messageId: 'x' });
    await expect(sample).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/no stream/),
    });
  });

  test('a second durable on the same subjects is refused with the reason', async () => {
    await bus.workQueue(options, async () => undefined);
    const second = bus.workQueue({ ...options, durable: 'other' }, async () => undefined);
    await expect(second).rejects.toMatchObject({ code: 'config_invalid' });
  });

  async function enqueueBefore(): Promise<void> {
    await bus.ensureStream(streams.jobs);
    await enqueue('before');
  }
});
