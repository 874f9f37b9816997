/**
 * A process as an ordered list of components. They start in order; all drain in reverse, then all stop in reverse;
 * every phase has a deadline, and a component that misses it is reported and left behind instead of holding the rest.
 */
import { NautilusError } from '@nautilus/contracts';
import type { Clock } from '../clock/clock.ts';
import { systemClock } from '../clock/system-clock.ts';
import type { Health } from '../health.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { exposeAppState } from './app-state-metric.ts';
import type { AppState, Component, PhaseFailure } from './component.ts';
import { withDeadline } from './with-deadline.ts';

export interface AppOptions {
  readonly name: string;
  readonly version?: string;
  readonly components: readonly Component[];
  readonly log: Logger;
  /** Told about every change of state. */
  readonly health?: Health;
  /** Gets `nautilus_app_state`. */
  readonly metrics?: Metrics;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const defaultDeadlineMs = 5000;

export class App {
  readonly name: string;
  readonly log: Logger;
  readonly #components: readonly Component[];
  readonly #version: string | undefined;
  readonly #clock: Clock;
  readonly #lifetime = new AbortController();
  readonly #listeners = new Set<(state: AppState) => void>();
  readonly #failures: PhaseFailure[] = [];
  #state: AppState = 'init';
  #started: Component[] = [];
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: AppOptions) {
    this.name = options.name;
    this.log = options.log;
    this.#version = options.version;
    this.#components = options.components;
    this.#clock = options.clock ?? systemClock();
    const { health, metrics } = options;
    if (health !== undefined) {
      health.setState(this.#state);
      this.onState((state) => health.setState(state));
    }
    if (metrics !== undefined) exposeAppState(this, metrics);
  }

  get state(): AppState {
    return this.#state;
  }

  /** Everything that failed or overran, in order. */
  get failures(): readonly PhaseFailure[] {
    return this.#failures;
  }

  /** Calls back on every change; the returned function ends that. */
  onState(listener: (state: AppState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Rejects naming the component that failed, after the ones before it have stopped. Can be called once. */
  start(): Promise<void> {
    if (this.#starting !== null || this.#stopping !== null) {
      return Promise.reject(new Error(`${this.name} cannot start again: its state is ${this.#state}`));
    }
    this.#starting = this.#startAll();
    return this.#starting;
  }

  /** Never rejects for a component's fault: see `failures`. Further calls wait for the first. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= Promise.resolve().then(() => this.#stopAll(reason));
    return this.#stopping;
  }

  /** For a component that cannot go on: the app drains and stops, and its end counts as failed. */
  fail(component: string, error: unknown): void {
    this.#failures.push({ component, phase: 'run', error });
    this.log.fatal({ component, err: error }, 'component cannot go on');
    void this.stop(`${component} cannot go on`);
  }

  async #startAll(): Promise<void> {
    this.#enter('starting');
    this.log.info({ app: this.name, version: this.#version }, 'starting');
    for (const component of this.#components) {
      if (this.#lifetime.signal.aborted) break;
      try {
        await this.#startOne(component);
        this.#started.push(component);
      } catch (error) {
        if (this.#lifetime.signal.aborted) {
          this.log.warn({ component: component.name, err: error }, 'start given up, because the app stops');
          break;
        }
        throw await this.#abandon(component, error);
      }
    }
    if (this.#lifetime.signal.aborted) {
      throw new NautilusError({ code: 'cancelled', message: `${this.name} was stopped while it started` });
    }
    this.#enter('ready');
    this.log.info({ app: this.name }, 'ready');
  }

  async #startOne(component: Component): Promise<void> {
    const { signal } = this.#lifetime;
    const log = this.log.child({ component: component.name });
    const startedAt = this.#clock.monotonic();
    await withDeadline(() => component.start?.({ signal, log }), {
      clock: this.#clock,
      deadlineMs: component.startDeadlineMs ?? component.deadlineMs ?? defaultDeadlineMs,
      what: `component "${component.name}" did not start`,
      onLate: (error) => this.#undoLateStart(component, error),
    });
    log.debug({ durationMs: this.#clock.monotonic() - startedAt }, 'component started');
  }

  /** A start that succeeds after everyone gave up on it has opened something that nobody else will close. */
  #undoLateStart(component: Component, error: unknown): void {
    if (error !== null) {
      this.log.warn({ component: component.name, err: error }, 'start failed after its deadline');
      return;
    }
    this.log.warn({ component: component.name }, 'started after its deadline, stopping it');
    void this.#phase(component, 'stop');
  }

  async #abandon(component: Component, error: unknown): Promise<Error> {
    this.#failures.push({ component: component.name, phase: 'start', error });
    this.log.error({ component: component.name, err: error }, 'component did not start');
    this.#lifetime.abort(`component "${component.name}" did not start`);
    // What started may have begun work of its own: it ends as in an orderly stop.
    await this.#reverse('drain');
    await this.#reverse('stop');
    this.#started = [];
    this.#enter('failed');
    const text = error instanceof Error ? error.message : String(error);
    const message = text.startsWith('component "')
      ? text
      : `component "${component.name}" did not start: ${text}`;
    return error instanceof NautilusError
      ? new NautilusError({ ...error.toFault(), message }, { cause: error })
      : new Error(message, { cause: error });
  }

  async #stopAll(reason: string): Promise<void> {
    if (this.#state === 'failed') return;
    this.log.info({ app: this.name, reason }, 'stopping');
    this.#enter('draining');
    this.#lifetime.abort(reason);
    // A failed start is its own caller's to handle; here it only has to be over.
    if (this.#starting !== null) await Promise.allSettled([this.#starting]);
    await this.#reverse('drain');
    await this.#reverse('stop');
    this.#started = [];
    this.#enter(this.#failures.length === 0 ? 'stopped' : 'failed');
    this.log.info({ app: this.name, failures: this.#failures.length }, 'stopped');
  }

  async #reverse(phase: 'drain' | 'stop'): Promise<void> {
    for (const component of [...this.#started].reverse()) await this.#phase(component, phase);
  }

  async #phase(component: Component, phase: 'drain' | 'stop'): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const line = { component: component.name, phase };
    try {
      await withDeadline(() => component[phase]?.(), {
        clock: this.#clock,
        deadlineMs: component.deadlineMs ?? defaultDeadlineMs,
        what: `component "${component.name}" did not ${phase}`,
        onLate: (error) => this.log.warn({ ...line, err: error }, 'ended after its deadline'),
      });
      this.log.debug({ ...line, durationMs: this.#clock.monotonic() - startedAt }, 'phase done');
    } catch (error) {
      this.#failures.push({ component: component.name, phase, error });
      this.log.error({ ...line, err: error }, 'phase failed, going on');
    }
  }

  #enter(state: AppState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

export function createApp(options: AppOptions): App {
  return new App(options);
}
