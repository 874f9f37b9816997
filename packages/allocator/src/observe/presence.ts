/**
 * `presence/<host>`: which agent serves this host. Taken by create, kept by compare-and-set, forgotten by the bucket
 * when the agent stops renewing. A record of this same machine is our dead predecessor's, another machine's is not.
 */
import type { Bus, Store } from '@nautilus/bus';
import { buckets, fail, ok, type Presence, type Result } from '@nautilus/contracts';

export class PresenceRecord {
  readonly #bus: Bus;
  readonly #mine: Presence;
  #store: Store<Presence> | null = null;
  #revision: number | null = null;

  constructor(bus: Bus, mine: Presence) {
    this.#bus = bus;
    this.#mine = mine;
  }

  /** Takes or renews the record; a fault `host_taken` means that another machine serves this host. */
  async renew(): Promise<Result<null>> {
    this.#store ??= await this.#bus.store(buckets.presence);
    const store = this.#store;
    if (this.#revision !== null) {
      const renewed = await store.update(this.#mine.host, this.#mine, this.#revision);
      if (renewed.ok) {
        this.#revision = renewed.value;
        return ok(null);
      }
      this.#revision = null;
    }
    // Two rounds: the record may expire or appear between the look and the write.
    for (let round = 0; round < 2; round += 1) {
      const found = await store.get(this.#mine.host);
      if (found !== null && found.value.machine !== this.#mine.machine) {
        return fail(
          'host_taken',
          `host ${this.#mine.host} is served by agent ${found.value.instance} on another machine; give this one another host.id`,
          { instance: found.value.instance },
        );
      }
      const written =
        found === null
          ? await store.create(this.#mine.host, this.#mine)
          : await store.update(this.#mine.host, this.#mine, found.revision);
      if (written.ok) {
        this.#revision = written.value;
        return ok(null);
      }
    }
    return fail('conflict', `presence of host ${this.#mine.host} changes under our hands`);
  }

  /** Without NATS the record ends by itself. */
  async leave(): Promise<void> {
    if (this.#store === null || this.#revision === null || this.#bus.state !== 'connected') return;
    await this.#store.delete(this.#mine.host, this.#revision);
  }
}
