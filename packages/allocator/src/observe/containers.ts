/**
 * The containers of this host as their runtime shows them: who lives, what each uses, second by second, and what
 * happened to them. Works without NATS; whoever listens is told at once.
 */
import type { ContainerChanged, ObservedKernel } from '@nautilus/contracts';
import type { Clock, Component, Logger } from '@nautilus/kit';
import type { OpenedRuntime } from '../runtimes/open.ts';
import type { ContainerChange, ContainerRef, Observation, RuntimeWatch } from '../runtimes/runtime.ts';
import { kernelMemoryOf } from './kernel-memory.ts';

export interface SeenContainer {
  readonly name: string;
  readonly id: string;
  readonly incarnation: string;
  /** Monotonic ms of its appearance. */
  readonly appearedAtMs: number;
  /** Unix ms; null: it ran before the agent began. */
  readonly startedAt: number | null;
  readonly restarts: number;
  /** Null until it was looked at. */
  observation: Observation | null;
  /** Monotonic ms of that look. */
  observedAtMs: number;
  peakWorkingSetBytes: number | null;
  lastLimit: ObservedKernel['lastLimit'];
}

export interface ContainersOptions {
  readonly open: () => Promise<OpenedRuntime | null>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
}

export interface ContainerListener {
  changed(change: ContainerChanged): void;
  /** Its processes are gone: what it held is free. */
  ended(name: string): void;
}

/** A kill this long before the end of a container is why it ended. */
const killToEndMs = 2_000;

export class Containers {
  opened: OpenedRuntime | null = null;
  readonly component: Component;
  readonly #options: ContainersOptions;
  readonly #listeners: ContainerListener[] = [];
  readonly #seen = new Map<string, SeenContainer>();
  /** Containers that lived and do not now, with their past. */
  readonly #ended = new Map<string, { atMs: number; restarts: number }>();
  readonly #killedAtMs = new Map<string, number>();
  readonly #timers = new AbortController();
  #watch: RuntimeWatch | null = null;
  /** Rounds of looks since the agent began. */
  rounds = 0;

  constructor(options: ContainersOptions) {
    this.#options = options;
    this.component = {
      name: 'containers',
      start: () => this.#start(),
      drain: async () => {
        this.#timers.abort();
        await this.#watch?.stop();
      },
    };
  }

  listen(listener: ContainerListener): void {
    this.#listeners.push(listener);
  }

  get all(): readonly SeenContainer[] {
    return [...this.#seen.values()];
  }

  get(name: string): SeenContainer | null {
    return this.#seen.get(name) ?? null;
  }

  /** It was seen alive, and is not now. */
  hasEnded(name: string): boolean {
    return this.#ended.has(name) && !this.#seen.has(name);
  }

  /** Undefined: not known to the runtime, or not looked at yet. */
  kernelOf(name: string): ObservedKernel | undefined {
    const seen = this.#seen.get(name);
    if (seen?.observation == null) return undefined;
    const { peakWorkingSetBytes, lastLimit } = seen;
    const runtime = this.opened?.runtime.name ?? '';
    return { ...kernelMemoryOf(seen.observation, { ...seen, runtime }), peakWorkingSetBytes, lastLimit };
  }

  /** The peaks were reported; the next ones begin with what is used now. */
  forgetPeaks(): void {
    for (const seen of this.#seen.values()) {
      seen.peakWorkingSetBytes = seen.observation?.workingSetBytes ?? null;
    }
  }

  /** Looks at one container now; null: it is gone, or not known. */
  async look(name: string): Promise<SeenContainer | null> {
    const seen = this.#seen.get(name);
    if (seen === undefined || this.opened === null) return null;
    const found = await this.opened.runtime.observe(seen.id);
    if (found.kind === 'gone' || found.container.incarnation !== seen.incarnation) return null;
    seen.observation = found;
    seen.observedAtMs = this.#options.clock.monotonic();
    const { workingSetBytes } = found;
    if (workingSetBytes !== null) {
      seen.peakWorkingSetBytes = Math.max(seen.peakWorkingSetBytes ?? 0, workingSetBytes);
    }
    return seen;
  }

  async #start(): Promise<void> {
    const { clock, log, intervalMs } = this.#options;
    this.opened = await this.#options.open();
    if (this.opened === null) return;
    log.info({ runtime: this.opened.summary }, 'containers are followed');
    let lastComplaint = '';
    const onError = (error: unknown) => {
      // An outage is said once, not at every look.
      const text = error instanceof Error ? error.message : String(error);
      if (text !== lastComplaint) log.warn({ err: error }, 'containers cannot be looked at; tried again');
      lastComplaint = text;
    };
    this.#watch = this.opened.runtime.watch((change) => this.#take(change), { onError });
    clock.every(intervalMs, () => this.#lookAtAll(), { signal: this.#timers.signal, onError });
  }

  async #lookAtAll(): Promise<void> {
    await Promise.all([...this.#seen.keys()].map((name) => this.look(name)));
    this.rounds += 1;
  }

  #take(change: ContainerChange): void {
    const name = this.opened?.nameOf(change.container.id) ?? null;
    if (name === null) return;
    if (change.kind === 'appeared') this.#appeared(name, change.container);
    else if (change.kind === 'vanished') this.#vanished(name, change.container, change.exitCode);
    else if (change.oomKills > 0) {
      this.#killedAtMs.set(name, this.#options.clock.monotonic());
      this.#tell(
        name,
        'oom-killed',
        `the kernel killed ${change.oomKills} of its processes for want of memory`,
      );
    }
  }

  #appeared(name: string, { id, incarnation }: ContainerRef): void {
    const { clock } = this.#options;
    const before = this.#ended.get(name);
    const startedAt = this.rounds === 0 && before === undefined ? null : clock.now();
    const seen: SeenContainer = {
      name,
      id,
      incarnation,
      appearedAtMs: clock.monotonic(),
      startedAt: startOf(incarnation) ?? startedAt,
      restarts: before === undefined ? 0 : before.restarts + 1,
      observation: null,
      observedAtMs: Number.NEGATIVE_INFINITY,
      peakWorkingSetBytes: null,
      lastLimit: null,
    };
    this.#seen.set(name, seen);
    this.#ended.delete(name);
    if (before !== undefined) {
      const awayMs = (clock.monotonic() - before.atMs).toFixed(0);
      this.#tell(name, 'restarted', `it runs again after ${awayMs} ms, as ${incarnation}`);
    } else if (startedAt !== null) this.#tell(name, 'started', `it began as ${incarnation}`);
    else this.#tell(name, 'started', `it was found running as ${incarnation} when the agent began`);
  }

  #vanished(name: string, { incarnation }: ContainerRef, exitCode: number | undefined): void {
    const seen = this.#seen.get(name);
    if (seen === undefined || seen.incarnation !== incarnation) return;
    const { clock } = this.#options;
    this.#seen.delete(name);
    this.#ended.set(name, { atMs: clock.monotonic(), restarts: seen.restarts });
    const killedAtMs = this.#killedAtMs.get(name);
    const wasKilled = killedAtMs !== undefined && clock.monotonic() - killedAtMs <= killToEndMs;
    this.#killedAtMs.delete(name);
    if (wasKilled)
      this.#tell(name, 'crashed', 'it ended right after the kernel had killed in it for want of memory');
    else if (exitCode !== undefined && isCrash(exitCode))
      this.#tell(name, 'crashed', `it ended with code ${exitCode}`);
    else
      this.#tell(name, 'stopped', exitCode === undefined ? 'it is gone' : `it ended with code ${exitCode}`);
    for (const listener of this.#listeners) listener.ended(name);
  }

  #tell(container: string, change: ContainerChanged['change'], detail: string): void {
    const at = this.#options.clock.now();
    for (const listener of this.#listeners) listener.changed({ at, container, change, detail });
  }
}

/** 143 and 130 are what a polite stop leaves; 137 is a kill, of whoever. */
function isCrash(exitCode: number): boolean {
  return exitCode !== 0 && exitCode !== 143 && exitCode !== 130;
}

/** Docker's incarnations end with the time of the start. */
function startOf(incarnation: string): number | null {
  const [, startedAt] = incarnation.split('@');
  const at = startedAt === undefined ? Number.NaN : Date.parse(startedAt);
  return at > 0 ? at : null;
}
