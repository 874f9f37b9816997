/** The sign of life of a copied subscription, and its eye on the channel: the same request both ways. */
import type { BusLog } from '@nautilus/bus';
import { NautilusError } from '@nautilus/contracts';
import { isAway } from '../patience.ts';

export interface RenewalOptions {
  join(): Promise<{ readonly segment: string }>;
  /** The channel's segment when it was joined. */
  readonly stream: string;
  readonly log: BusLog;
  end(reason: string): void;
}

/** Renewals in a row that find no channel before it is taken to be gone: its publisher may have to announce it again. */
const unknownRenewals = 2;

export class Renewal {
  readonly #options: RenewalOptions;
  #unknown = 0;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  async renew(): Promise<void> {
    const { join, stream, log, end } = this.#options;
    try {
      const { segment } = await join();
      this.#unknown = 0;
      if (segment !== stream) end('the publisher began anew; subscribe again');
    } catch (error) {
      if (isUnknown(error)) {
        this.#unknown += 1;
        if (this.#unknown >= unknownRenewals) end(`over, or no longer for this container: ${error.message}`);
      } else if (isAway(error)) log.debug({ error }, 'client: nobody to renew a copied subscription with');
      else log.warn({ error }, 'client: a copied subscription could not be renewed');
    }
  }
}

/** No such channel, or not for this container: the two look the same. */
export function isUnknown(error: unknown): error is NautilusError {
  return error instanceof NautilusError && error.code === 'unknown_channel';
}
