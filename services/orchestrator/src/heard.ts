/** What agents told of their writes and emergency steps, and of the life of containers; the newest few of each. */
import type { Bus, Subscription } from '@nautilus/bus';
import {
  type ContainerChanged,
  containerChanged,
  type LimitWrite,
  limitWritten,
  type ReflexReceipt,
  reflexStepped,
} from '@nautilus/contracts';

const kept = 16;
/** Names come over the network: a stranger's must not fill the memory of this process. */
const mostNames = 10_000;

export class Heard {
  readonly #writes = new Map<string, readonly LimitWrite[]>();
  readonly #receipts = new Map<string, readonly ReflexReceipt[]>();
  readonly #subscriptions: Subscription[] = [];
  /** Set by who leads. */
  onChange: ((host: string, change: ContainerChanged) => void | Promise<void>) | null = null;
  onWrite: ((host: string, write: LimitWrite) => void) | null = null;

  async start(bus: Pick<Bus, 'subscribe'>): Promise<void> {
    const everywhere = { host: '*', party: 'agent' };
    this.#subscriptions.push(
      await bus.subscribe(limitWritten, everywhere, (write, { host }) => {
        remember(this.#writes, `${host}.${write.container}`, write);
        this.onWrite?.(host, write);
      }),
      await bus.subscribe(reflexStepped, everywhere, (receipt, { host }) => {
        remember(this.#receipts, `${host}.${receipt.target}`, receipt);
        if (receipt.scope !== receipt.target) remember(this.#receipts, `${host}.${receipt.scope}`, receipt);
      }),
      await bus.subscribe(containerChanged, everywhere, (change, { host }) => this.onChange?.(host, change)),
    );
  }

  limitWrites(host: string, container: string): readonly LimitWrite[] {
    return this.#writes.get(`${host}.${container}`) ?? [];
  }

  receipts(host: string, container: string): readonly ReflexReceipt[] {
    return this.#receipts.get(`${host}.${container}`) ?? [];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.drain()));
  }
}

function remember<T>(all: Map<string, readonly T[]>, key: string, value: T): void {
  const old = all.get(key) ?? [];
  all.delete(key);
  all.set(key, [value, ...old].slice(0, kept));
  const oldest = all.keys().next();
  if (all.size > mostNames && !oldest.done) all.delete(oldest.value);
}
