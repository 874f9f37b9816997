/** Holds what is known of every host and feeds it: samples as they come, and the time that passes without them. */
import type { AgentSample, AlertBody } from '@nautilus/contracts';
import type { Clock } from '@nautilus/kit';
import type { Series } from './series/series.ts';
import { watchSeries } from './series/watch-series.ts';
import type { WatchSettings } from './settings.ts';
import type { Announcement } from './watch/announcement.ts';
import { type HostWatch, passTime, raisedAlerts, takeSample } from './watch/host-watch.ts';

export class Watcher {
  readonly #settings: WatchSettings;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #hosts = new Map<string, HostWatch>();
  #listeningSinceMs: number | null = null;
  #lookedAtMs: number;

  constructor(settings: WatchSettings, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#settings = settings;
    this.#clock = clock;
    this.#lookedAtMs = clock.monotonic();
  }

  /** Whether samples could be heard from now on. */
  listening(isListening: boolean): void {
    this.#listeningSinceMs = isListening ? this.#clock.monotonic() : null;
  }

  take(sample: AgentSample): readonly Announcement[] {
    const before = this.#hosts.get(sample.host);
    const taken = takeSample(before, sample, this.#clock.monotonic(), this.#settings);
    if (taken === null) return [];
    this.#hosts.set(sample.host, taken.watch);
    return taken.announcements;
  }

  look(): readonly Announcement[] {
    const monotonicMs = this.#clock.monotonic();
    const wasAway = monotonicMs - this.#lookedAtMs > this.#settings.silenceMs;
    this.#lookedAtMs = monotonicMs;
    // This process stood still (suspended, starved): what waits to be read is not silence of the hosts.
    if (wasAway && this.#listeningSinceMs !== null) this.#listeningSinceMs = monotonicMs;
    const look = { monotonicMs, at: this.#clock.now(), listeningSinceMs: this.#listeningSinceMs };
    return [...this.#hosts].flatMap(([host, before]) => {
      const { watch, announcements } = passTime(before, look, this.#settings);
      this.#hosts.set(host, watch);
      return announcements;
    });
  }

  raised(): readonly Announcement[] {
    return [...this.#hosts.values()].flatMap(raisedAlerts);
  }

  alerts(host?: string): AlertBody[] {
    return this.raised()
      .map(({ body }) => body)
      .filter((body) => host === undefined || body.host === host);
  }

  series(): readonly Series[] {
    const monotonicMs = this.#clock.monotonic();
    return [...this.#hosts.values()].flatMap((watch) => watchSeries(watch, monotonicMs, this.#settings));
  }
}
