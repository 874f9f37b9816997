/** The agent's requests about channels, in this container's name. One method a contract; nothing here retries. */
import type { InputOf, OutputOf } from '@nautilus/bus';
import { closeChannel, joinChannel, leaveChannel, listChannels, openChannel } from '@nautilus/contracts';
import type { ClientBus } from '../client-bus.ts';

export type JoinRequest = InputOf<(typeof joinChannel)['request']>;
export type JoinResponse = OutputOf<(typeof joinChannel)['response']>;
export type ListResponse = OutputOf<(typeof listChannels)['response']>;

export interface ChannelControlOptions {
  readonly bus: ClientBus;
  /** Tokens. */
  readonly host: string;
  readonly container: string;
  readonly timeoutMs: number;
}

export class ChannelControl {
  readonly #options: ChannelControlOptions;
  readonly #at: { host: string; party: string };

  constructor(options: ChannelControlOptions) {
    this.#options = options;
    this.#at = { host: options.host, party: options.container };
  }

  async open(body: InputOf<(typeof openChannel)['request']>): Promise<void> {
    await this.#options.bus.request(openChannel, this.#at, body, this.#call);
  }

  async close(channel: string, segment: string): Promise<void> {
    await this.#options.bus.request(closeChannel, this.#at, { channel, segment }, this.#call);
  }

  /** Of the publisher's host, which for a copied subscription may be another one. */
  join(host: string, body: JoinRequest): Promise<JoinResponse> {
    return this.#options.bus.request(joinChannel, { ...this.#at, host }, body, this.#call);
  }

  async leave(host: string, body: { channel: string; from: string; subscription: string }): Promise<void> {
    await this.#options.bus.request(leaveChannel, { ...this.#at, host }, body, this.#call);
  }

  list(from?: string): Promise<ListResponse> {
    const body = from === undefined ? {} : { from };
    return this.#options.bus.request(listChannels, this.#at, body, this.#call);
  }

  get #call(): { timeoutMs: number } {
    return { timeoutMs: this.#options.timeoutMs };
  }
}
