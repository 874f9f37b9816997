/** The agent's requests over NATS, in this container's name. One method a contract; nothing here retries. */
import type { OutputOf } from '@nautilus/bus';
import {
  describeSegments,
  encodeToken,
  grantSegment,
  leaseSegment,
  openSegment,
  releaseSegment,
  revokeGrant,
} from '@nautilus/contracts';
import type { ClientBus } from './client-bus.ts';

export type LeaseResponse = OutputOf<(typeof leaseSegment)['response']>;
export type OpenResponse = OutputOf<(typeof openSegment)['response']>;
export type GrantResponse = OutputOf<(typeof grantSegment)['response']>;
export type RevokeResponse = OutputOf<(typeof revokeGrant)['response']>;
export type ReleaseResponse = OutputOf<(typeof releaseSegment)['response']>;
/** The container's budget, its segments, and the segments it was granted. */
export type DescribeResponse = OutputOf<(typeof describeSegments)['response']>;

export interface ControlOptions {
  readonly bus: ClientBus;
  /** Tokens. */
  readonly host: string;
  readonly container: string;
  readonly timeoutMs: number;
}

interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export class Control {
  readonly #options: ControlOptions;
  readonly #at: { host: string; party: string };

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#at = { host: options.host, party: options.container };
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  get isConnected(): boolean {
    return this.#options.bus.state === 'connected';
  }

  /** Without a signal: an answer that nobody waits for would be a lease that nobody knows. */
  lease(pool: string, bytes: number, usual: boolean): Promise<LeaseResponse> {
    return this.#options.bus.request(leaseSegment, this.#at, { pool, bytes, usual }, this.#call());
  }

  open(segment: string, signal?: AbortSignal): Promise<OpenResponse> {
    return this.#options.bus.request(openSegment, this.#at, { segment }, this.#call(signal));
  }

  release(segment: string): Promise<ReleaseResponse> {
    return this.#options.bus.request(releaseSegment, this.#at, { segment }, this.#call());
  }

  grant(segment: string, to: string, signal?: AbortSignal): Promise<GrantResponse> {
    const body = { segment, to: encodeToken(to) };
    return this.#options.bus.request(grantSegment, this.#at, body, this.#call(signal));
  }

  revoke(segment: string, from: string, signal?: AbortSignal): Promise<RevokeResponse> {
    const body = { segment, from: encodeToken(from) };
    return this.#options.bus.request(revokeGrant, this.#at, body, this.#call(signal));
  }

  describe(segment?: string, signal?: AbortSignal): Promise<DescribeResponse> {
    const body = segment === undefined ? {} : { segment };
    return this.#options.bus.request(describeSegments, this.#at, body, this.#call(signal));
  }

  #call(signal?: AbortSignal): CallOptions {
    const { timeoutMs } = this.#options;
    return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  }
}
