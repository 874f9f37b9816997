/** The telling of alerts as a component: the stream, the campaign for leadership, and the publisher that leads. */
import type { Bus, LeaderLease } from '@nautilus/bus';
import { streams } from '@nautilus/contracts';
import type { Clock, Component, Logger } from '@nautilus/kit';
import { AlertPublisher, type PublisherStats } from '../publish/publisher.ts';
import type { Announcement } from '../watch/announcement.ts';

export interface TellingOptions {
  readonly bus: () => Bus;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly raised: () => readonly Announcement[];
}

export interface Telling extends Component {
  readonly isLeading: boolean;
  readonly stats: PublisherStats;
  offer(announcements: readonly Announcement[]): void;
}

/** Less than the deadline of the component, so that leadership is given up in time even when NATS is away. */
const flushMs = 2_000;

export function createTelling(options: TellingOptions): Telling {
  const { instance, clock, log, raised } = options;
  const ending = new AbortController();
  let lease: LeaderLease | null = null;
  let publisher: AlertPublisher | null = null;
  let running: Promise<void> = Promise.resolve();
  return {
    name: 'alerts',
    get isLeading() {
      return lease?.leading ?? false;
    },
    get stats() {
      return publisher?.stats ?? { alertPublishFailures: 0, alertsLost: 0 };
    },
    offer: (announcements) => publisher?.offer(announcements),
    async start() {
      const bus = options.bus();
      await bus.ensureStream(streams.alerts);
      lease = bus.leaderLease({ service: 'monitor', holder: instance, log, clock });
      publisher = new AlertPublisher({ bus, lease, clock, log, random: Math.random, raised });
      running = publisher.run(ending.signal).catch((error: unknown) => {
        log.error({ err: error }, 'the campaign for leadership ended: no alert is told from here');
      });
    },
    async drain() {
      if (publisher !== null) {
        const timeUp = new AbortController();
        await Promise.race([publisher.flush(), clock.sleep(flushMs, timeUp.signal).catch(() => undefined)]);
        timeUp.abort();
      }
      ending.abort();
      await running;
      publisher?.close();
      await lease?.release();
    },
  };
}
