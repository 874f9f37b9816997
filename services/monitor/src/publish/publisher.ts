/**
 * Tells the alerts to the stream, one after the other, while this instance leads. What cannot be stored is tried again
 * with growing pauses; what is given up is counted and logged.
 */
import type { Bus, LeaderLease } from '@nautilus/bus';
import { errorTable, memoryPressure, NautilusError, streams } from '@nautilus/contracts';
import { backoff, type Clock, type Logger } from '@nautilus/kit';
import type { Announcement } from '../watch/announcement.ts';
import { drop, emptyOutbox, expire, type Outbox, outboxLimits, put, takeOver } from './outbox.ts';

const publishTimeoutMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** For errors that no repetition should cure; a few, because one may be the server's bad moment. */
const hopelessAttempts = 3;

export interface PublisherOptions {
  readonly bus: Bus;
  readonly lease: LeaderLease;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** The newest announcement of everything that is raised: what a new leader says again. */
  readonly raised: () => readonly Announcement[];
}

/** Counts since the start. */
export interface PublisherStats {
  readonly alertPublishFailures: number;
  readonly alertsLost: number;
}

export class AlertPublisher {
  readonly #options: PublisherOptions;
  readonly #stats = { alertPublishFailures: 0, alertsLost: 0 };
  #outbox: Outbox = emptyOutbox;
  #wake: (() => void) | null = null;
  #idle: (() => void) | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get stats(): PublisherStats {
    return this.#stats;
  }

  offer(announcements: readonly Announcement[]): void {
    const { clock, lease } = this.#options;
    this.#outbox = put(this.#outbox, announcements, clock.monotonic(), lease.leading);
    this.#expire();
    if (announcements.length > 0) this.#wake?.();
  }

  /** Campaigns and tells until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#options.lease.run((epoch, leading) => this.#lead(epoch, leading), signal);
  }

  /** Resolves when a leader has told everything; at once for the others. */
  async flush(): Promise<void> {
    if (!this.#options.lease.leading || this.#outbox.pending.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** The last word on what is still untold: nobody else will tell what was ours. */
  close(): void {
    this.#lose(this.#outbox.pending.filter(({ isOurs }) => isOurs).map(({ announcement }) => announcement));
    this.#outbox = emptyOutbox;
  }

  async #lead(epoch: number, signal: AbortSignal): Promise<void> {
    const { bus, clock, log, raised, random } = this.#options;
    log.info({ epoch, kept: this.#outbox.pending.length }, 'leading: alerts are told from here');
    // Before it is ours: what an earlier leader must have told is not told again.
    this.#expire();
    this.#outbox = put(takeOver(this.#outbox), raised(), clock.monotonic(), true);
    const newPauses = () => backoff({ minimumMs: firstPauseMs, maximumMs: longestPauseMs, random });
    let pauses = newPauses();
    let attempts = 0;
    let trying: string | null = null;
    while (!signal.aborted) {
      this.#expire();
      const next = this.#outbox.pending[0]?.announcement;
      if (next === undefined) {
        this.#idle?.();
        await this.#work(signal);
        continue;
      }
      if (next.messageId !== trying) {
        trying = next.messageId;
        attempts = 0;
      }
      try {
        await this.#tell(next);
        this.#outbox = drop(this.#outbox, next.messageId);
        pauses = newPauses();
      } catch (error) {
        attempts += 1;
        this.#stats.alertPublishFailures += 1;
        log.warn({ err: error, alert: next.messageId, attempts }, 'alert not stored yet');
        if (attempts >= hopelessAttempts && !canSucceedLater(error)) {
          this.#outbox = drop(this.#outbox, next.messageId);
          this.#lose([next]);
        }
        await this.#pause(pauses.next().value, signal);
        await this.#repairStream(bus);
      }
    }
  }

  async #tell({ body, messageId }: Announcement): Promise<void> {
    const at = { host: body.host, party: body.tier, topic: body.signal };
    const options = { messageId, timeoutMs: publishTimeoutMs };
    const stored = await this.#options.bus.publishDurable(memoryPressure, at, body, options);
    this.#options.log.info(
      { alert: body.alert, tier: body.tier, state: body.state, sequence: stored.sequence },
      body.text,
    );
  }

  /** A server that lost its store has lost the stream as well. */
  async #repairStream(bus: Bus): Promise<void> {
    try {
      await bus.ensureStream(streams.alerts);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the stream of alerts cannot be made yet');
    }
  }

  #expire(): void {
    const { outbox, lost } = expire(this.#outbox, this.#options.clock.monotonic(), outboxLimits);
    this.#outbox = outbox;
    this.#lose(lost);
  }

  #lose(announcements: readonly Announcement[]): void {
    for (const { body, messageId } of announcements) {
      this.#stats.alertsLost += 1;
      this.#options.log.error(
        { alert: messageId, tier: body.tier, text: body.text },
        'alert lost: never stored',
      );
    }
  }

  /** Resolves when there may be something to tell, or the leading is over. */
  #work(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = null;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(delayMs, signal);
    } catch (error) {
      // Cancelled: the loop looks at the signal next.
      if (!signal.aborted) throw error;
    }
  }
}

function canSucceedLater(error: unknown): boolean {
  return error instanceof NautilusError && errorTable[error.code].retry;
}
