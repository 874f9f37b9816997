/** The pressure alerts of this host, for whoever asks: one subscription, made when the first one asks. */
import type { BusLog, Subscription } from '@nautilus/bus';
import { type AlertBody, memoryPressure, type Tier, tiers } from '@nautilus/contracts';
import type { ClientBus } from './client-bus.ts';
import { Handlers } from './handlers.ts';

export interface PressureOptions {
  /** The mildest tier that is told. An alert that steps down from there is told too: that is how it ends. */
  readonly minimumTier?: Tier;
}

export class PressureAlerts {
  readonly #bus: ClientBus;
  readonly #host: string;
  readonly #log: BusLog;
  readonly #handlers: Handlers<AlertBody>;
  #subscription: Promise<Subscription | null> | null = null;

  constructor(bus: ClientBus, host: string, log: BusLog) {
    this.#bus = bus;
    this.#host = host;
    this.#log = log;
    this.#handlers = new Handlers('onPressure', log);
  }

  on(handler: (alert: AlertBody) => void, options: PressureOptions = {}): () => void {
    const least = options.minimumTier ?? tiers[0];
    const remove = this.#handlers.add((alert) => {
      if (concerns(alert, least)) handler(alert);
    });
    this.#subscription ??= this.#subscribe();
    return remove;
  }

  async close(): Promise<void> {
    const subscription = await this.#subscription;
    await subscription?.drain();
  }

  /** Null when it was refused; the next handler tries again. */
  async #subscribe(): Promise<Subscription | null> {
    try {
      const at = { host: this.#host, party: '*' };
      return await this.#bus.subscribe(memoryPressure, at, (alert) => this.#handlers.emit(alert));
    } catch (error) {
      this.#log.error({ error }, 'client: no pressure alerts: the subscription failed');
      this.#subscription = null;
      return null;
    }
  }
}

function concerns(alert: AlertBody, least: Tier): boolean {
  const reaches = (tier: Tier | null): boolean =>
    tier !== null && tiers.indexOf(tier) >= tiers.indexOf(least);
  return reaches(alert.tier) || reaches(alert.previousTier);
}
