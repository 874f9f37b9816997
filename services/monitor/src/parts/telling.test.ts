/** The end of the telling: it flushes for a bounded time, gives leadership back, and says what it could not tell. */
import type { Bus, LeaderLease } from '@nautilus/bus';
import { NautilusError } from '@nautilus/contracts';
import { createLogger, manualClock } from '@nautilus/kit';
import { expect, it } from 'vitest';
import { announcementOf } from '../testing/announcement.ts';
import { createTelling } from './telling.ts';

it('stops in time although nothing can be stored, and counts what was lost', async () => {
  const clock = manualClock();
  const log = createLogger({ name: 'test', level: 'silent' });
  const lease = { leading: false, epoch: null, released: 0 };
  const work: LeaderLease = {
    get leading() {
      return lease.leading;
    },
    epoch: null,
    async run(lead, signal) {
      lease.leading = true;
      await lead(1, signal);
    },
    async release() {
      lease.leading = false;
      lease.released += 1;
    },
  };
  const bus: Pick<Bus, 'ensureStream' | 'leaderLease' | 'publishDurable'> = {
    ensureStream: () => Promise.resolve(),
    leaderLease: () => work,
    publishDurable: () => Promise.reject(new NautilusError({ code: 'unavailable', message: 'no stream' })),
  };
  const telling = createTelling({ bus: () => bus as Bus, instance: 'one', clock, log, raised: () => [] });
  await telling.start?.({ signal: new AbortController().signal, log });
  expect(telling.isLeading).toBe(true);
  telling.offer([announcementOf('a')]);

  const drained = Promise.resolve(telling.drain?.());
  await clock.advance(5_000);
  await drained;
  expect(lease.released).toBe(1);
  expect(telling.isLeading).toBe(false);
  expect(telling.stats.alertsLost).toBe(1);
  expect(telling.stats.alertPublishFailures).toBeGreaterThan(1);
});
