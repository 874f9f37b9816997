/** Everything of the agent that needs NATS: endpoints, presence, samples, observed state, desired budgets, facts. */
import { type Bus, connectConfigured, type ServedService } from '@nautilus/bus';
import {
  type Fault,
  fail,
  type LeaseEndReason,
  NautilusError,
  type Notice,
  notices,
  streams,
} from '@nautilus/contracts';
import type { Clock, Component, Health, Logger } from '@nautilus/kit';
import type { z } from 'zod';
import type { Agent } from './agent.ts';
import { BudgetApplier } from './apply/desired.ts';
import { handlers } from './handlers/index.ts';
import type { Lease } from './memory/lease.ts';
import type { Containers } from './observe/containers.ts';
import { PresenceRecord } from './observe/presence.ts';
import { ObservedReport } from './observe/report.ts';
import { type HostFacts, takeSample } from './observe/sample.ts';

export interface ControlPlaneOptions {
  readonly agent: Agent;
  readonly containers: Containers;
  readonly facts: HostFacts;
  readonly machine: string;
  readonly clock: Clock;
  readonly health: Health;
  readonly log: Logger;
}

/** A third of the life of the presence record. */
const presenceMs = 3_000;
/** NATS may be absent for as long as it likes: the agent waits, and serves its socket meanwhile. */
const patienceMs = 2 ** 31 - 1;
/** Facts wait this long for company: one write to the socket then carries many. */
const factDelayMs = 5;
export const agentVersion = '0.1.0';

export class ControlPlane {
  bus: Bus | null = null;
  onSampled: (seconds: number) => void = () => {};
  onFatal: (fault: Fault) => void = () => {};
  readonly connection: Component;
  readonly serving: Component;
  readonly observing: Component;
  readonly #options: ControlPlaneOptions;
  readonly #timers = new AbortController();
  #applier: BudgetApplier | null = null;
  #served: ServedService | null = null;
  #presence: PresenceRecord | null = null;
  #sequence = 0;
  #facts: (() => void)[] = [];
  #factTimer: NodeJS.Timeout | null = null;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.connection = {
      name: 'nats',
      startDeadlineMs: patienceMs,
      start: ({ signal }) => this.#connect(signal),
      stop: () => this.#disconnect(),
    };
    this.serving = {
      name: 'endpoints',
      startDeadlineMs: 30_000,
      start: () => this.#serve(),
      drain: () => this.#served?.drain(),
    };
    this.observing = {
      name: 'observers',
      startDeadlineMs: 30_000,
      start: () => this.#observe(),
      drain: async () => {
        this.#timers.abort();
        await this.#applier?.stop();
        await this.#presence?.leave();
      },
    };
  }

  leased(lease: Lease): void {
    this.#publish(notices.segmentLeased, lease, {});
  }

  ended(lease: Lease, reason: LeaseEndReason, lingeringBytes: number): void {
    this.#publish(notices.leaseEnded, lease, { reason, lingeringBytes });
  }

  granted(lease: Lease, to: string): void {
    this.#publish(notices.segmentGranted, lease, { to });
  }

  /** Publishes a fact at once; false: there is no NATS to tell it to. */
  tell<Body extends z.ZodType>(notice: Notice<Body>, body: z.output<Body>, party = 'agent'): boolean {
    if (this.bus?.state !== 'connected') return false;
    this.bus.publish(notice, { host: this.#options.agent.host, party }, body);
    return true;
  }

  applyBudgets(): void {
    if (this.bus?.state === 'connected') this.#applier?.apply();
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { agent, health, log } = this.#options;
    const { nats } = agent.config;
    health.set('nats', { ok: false, reason: `no connection to ${nats.servers.join(', ')} yet` });
    this.bus = await connectConfigured(nats, {
      name: `agent-${agent.host}`,
      inboxPrefix: '_INBOX.agent',
      signal,
      log,
    });
    health.set('nats', { ok: true });
    this.bus.onState((state) =>
      health.set('nats', { ok: state === 'connected', reason: `NATS is ${state}` }),
    );
  }

  async #disconnect(): Promise<void> {
    this.#flushFacts();
    await this.bus?.close();
  }

  async #serve(): Promise<void> {
    const { agent } = this.#options;
    const bus = this.#connected();
    this.#presence = new PresenceRecord(bus, {
      host: agent.host,
      instance: agent.instance,
      machine: this.#options.machine,
      startedAt: agent.startedAt,
      socketPath: agent.config.host.socket,
      version: agentVersion,
    });
    // Before the first endpoint: two agents that answer for one host would both lease its memory.
    const taken = await this.#presence.renew();
    if (!taken.ok) throw new NautilusError(taken.fault);
    this.#served = await bus.serve({
      name: 'nautilus-agent',
      version: agentVersion,
      description: `Host agent of ${agent.host}`,
      endpoints: handlers.map((make) => make(agent, bus)),
    });
  }

  async #observe(): Promise<void> {
    const { agent, clock, log } = this.#options;
    const bus = this.#connected();
    await bus.ensureStream(streams.telemetry);
    const report = new ObservedReport(agent, bus, () => this.#options.containers.forgetPeaks());
    await report.write();
    this.#applier = new BudgetApplier(agent, bus, log);
    await this.#applier.start();

    const every = (name: string, intervalMs: number, tick: () => Promise<void> | void) => {
      const whenConnected = () => (bus.state === 'connected' ? tick() : undefined);
      const onError = (error: unknown) => log.warn({ err: error, loop: name }, 'will be tried again');
      return clock.every(intervalMs, whenConnected, { signal: this.#timers.signal, onError });
    };
    every('sample', agent.config.allocator.sample_interval, () => this.#sample());
    const reports = every('observe', agent.config.allocator.observe_interval, () => report.write());
    const presence = every('presence', presenceMs, () => this.#renew());
    this.#sample();
    bus.onReconnect(() => {
      reports.trigger();
      presence.trigger();
    });
  }

  async #renew(): Promise<void> {
    const renewed = await this.#presence?.renew();
    if (renewed === undefined || renewed.ok) return;
    if (renewed.fault.code === 'host_taken') this.onFatal(renewed.fault);
    else throw new NautilusError(renewed.fault);
  }

  #sample(): void {
    const { agent, facts, clock } = this.#options;
    const startedAt = clock.monotonic();
    const sample = takeSample(agent, facts, this.#sequence);
    this.#sequence += 1;
    this.#connected().publish(notices.sampleTaken, { host: agent.host, party: 'agent' }, sample);
    this.onSampled((clock.monotonic() - startedAt) / 1000);
  }

  #publish(
    notice: typeof notices.segmentLeased | typeof notices.leaseEnded | typeof notices.segmentGranted,
    lease: Lease,
    more: object,
  ): void {
    const { agent, clock } = this.#options;
    const { segment, container, pool, bytes } = lease;
    // The union of notices shares its first fields; each caller adds what its own asks for.
    const body = { at: clock.now(), segment, container, pool, bytes, ...more } as never;
    // The reply that caused the fact goes first, because somebody waits for it, and the facts of a moment go together.
    this.#facts.push(() => this.bus?.publish(notice, { host: agent.host, party: 'agent' }, body));
    this.#factTimer ??= setTimeout(() => this.#flushFacts(), factDelayMs);
  }

  #flushFacts(): void {
    if (this.#factTimer !== null) clearTimeout(this.#factTimer);
    this.#factTimer = null;
    const facts = this.#facts.splice(0);
    if (this.bus === null || this.bus.state === 'closed') return;
    for (const tell of facts) tell();
  }

  #connected(): Bus {
    if (this.bus === null) throw new NautilusError(fail('not_ready', 'NATS is not connected yet').fault);
    return this.bus;
  }
}
