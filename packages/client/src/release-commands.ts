/**
 * The agent asks for memory back. The mildest part needs nobody's help: segments without blocks go first, then the
 * container's own handlers are asked, then what they emptied goes as well.
 */
import { type BusLog, endpoint, type OutputOf, type ServedService } from '@nautilus/bus';
import { ok, releaseMemory } from '@nautilus/contracts';
import type { ClientBus } from './client-bus.ts';

export interface ReleaseRequest extends OutputOf<(typeof releaseMemory)['request']> {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers the bytes it released. */
export type ReleaseHandler = (request: ReleaseRequest) => number | Promise<number>;

export interface ReleaseCommandsOptions {
  readonly host: string;
  readonly container: string;
  readonly log: BusLog;
  /** Releases empty segments; answers the bytes. */
  trim(signal: AbortSignal): Promise<number>;
}

export class ReleaseCommands {
  readonly #options: ReleaseCommandsOptions;
  readonly #handlers = new Set<{ readonly handle: ReleaseHandler }>();
  #service: ServedService | null = null;

  constructor(options: ReleaseCommandsOptions) {
    this.#options = options;
  }

  on(handle: ReleaseHandler): () => void {
    const entry = { handle };
    this.#handlers.add(entry);
    return () => {
      this.#handlers.delete(entry);
    };
  }

  async serve(bus: ClientBus): Promise<void> {
    const { host, container } = this.#options;
    this.#service = await bus.serve({
      name: `container-${container}`,
      version: '0.1.0',
      description: 'Gives memory back when the agent asks.',
      discoverable: false,
      endpoints: [
        endpoint({
          contract: releaseMemory,
          host,
          party: container,
          handle: async (body, { signal }) => ok({ releasedBytes: await this.#release({ ...body, signal }) }),
        }),
      ],
    });
  }

  async close(): Promise<void> {
    await this.#service?.drain();
  }

  async #release(request: ReleaseRequest): Promise<number> {
    const alreadyEmpty = await this.#options.trim(request.signal);
    const released = await Promise.all([...this.#handlers].map(({ handle }) => this.#ask(handle, request)));
    const byHandlers = released.reduce((sum, bytes) => sum + bytes, 0);
    // What handlers freed inside segments they count themselves; the segments that this emptied are the same bytes.
    const emptiedNow = this.#handlers.size === 0 ? 0 : await this.#options.trim(request.signal);
    return alreadyEmpty + Math.max(byHandlers, emptiedNow);
  }

  async #ask(handle: ReleaseHandler, request: ReleaseRequest): Promise<number> {
    const { log } = this.#options;
    try {
      const bytes = await handle(request);
      if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
      log.error({ bytes }, 'client: an onRelease handler must answer a whole number of bytes; counted as 0');
    } catch (error) {
      log.error({ error }, 'client: an onRelease handler failed; counted as 0');
    }
    return 0;
  }
}
