/** Where the watcher meets the world: samples from NATS, ticks from the clock, and the list of alerts for who asks. */
import { type Bus, type Endpoint, endpoint, type ServedService, type Subscription } from '@nautilus/bus';
import { fail, listAlerts, listHistory, ok, queryHistory, sampleTaken } from '@nautilus/contracts';
import type { Clock, Component, Logger, Ticker } from '@nautilus/kit';
import type { Archive } from '../history/archive.ts';
import { version } from '../version.ts';
import type { Announcement } from '../watch/announcement.ts';
import type { Watcher } from '../watcher.ts';

export interface WatchingOptions {
  readonly bus: () => Bus;
  readonly watcher: Watcher;
  /** Null when the configuration keeps no history. */
  readonly archive: Archive | null;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  readonly onAnnouncements: (announcements: readonly Announcement[]) => void;
}

/** Samples of that many hosts may wait before the bus warns. */
const slow = 256;

export function createWatching(options: WatchingOptions): readonly Component[] {
  const { watcher, archive, clock, log, intervalMs, onAnnouncements } = options;
  let samples: Subscription | null = null;
  let service: ServedService | null = null;
  let ticker: Ticker | null = null;
  return [
    {
      name: 'samples',
      async start() {
        samples = await options.bus().subscribe(
          sampleTaken,
          {},
          (sample, { host, subject }) => {
            // The server vouches for the subject; the body is only what the sender says.
            if (sample.host !== host) {
              log.warn({ subject, host: sample.host }, 'a sample in the name of another host was dropped');
              return;
            }
            onAnnouncements(watcher.take(sample));
            archive?.take(sample);
          },
          { slow },
        );
      },
      drain: () => samples?.drain(),
      stop: () => archive?.close(),
    },
    {
      name: 'api',
      async start() {
        const list = endpoint({
          contract: listAlerts,
          handle: ({ host }) => ok({ alerts: watcher.alerts(host) }),
        });
        service = await options
          .bus()
          .serve({ name: 'monitor', version, endpoints: [list, ...historyEndpoints(archive)] });
      },
      drain: () => service?.drain(),
    },
    {
      name: 'ticks',
      start() {
        ticker = clock.every(intervalMs, () => onAnnouncements(watcher.look()), {
          onError: (error) => log.error({ err: error }, 'the look at the silence of hosts failed'),
        });
      },
      drain: () => ticker?.stop(),
    },
  ];
}

function historyEndpoints(archive: Archive | null): Endpoint[] {
  const none = () => fail('unsupported', 'this monitor keeps no history (monitor.history_dir is null)');
  return [
    endpoint({
      contract: queryHistory,
      handle: async ({ host, ...question }) => {
        const answered = (await archive?.query(host, question)) ?? none();
        if (!answered.ok) return answered;
        const { from, stepMs } = question;
        return ok({ host, from, stepMs, series: answered.value.series });
      },
    }),
    endpoint({
      contract: listHistory,
      handle: ({ host }) => {
        const listed = archive?.list(host) ?? none();
        return listed.ok ? ok({ host, ...listed.value }) : listed;
      },
    }),
  ];
}
