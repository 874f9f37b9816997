/** What a person or a check sees of the running system: the newest sample, raised alerts, ended leases, the lines of the demo. */
import type { Bus } from '@nautilus/bus';
import { type AgentSample, type AlertBody, notices, tiers } from '@nautilus/contracts';

export interface EndedLease {
  readonly container: string;
  readonly reason: string;
  readonly bytes: number;
  /** Monotonic milliseconds of this process when the fact arrived. */
  readonly heardAtMs: number;
}

export type DemoLine = Record<string, unknown>;

export class Observer {
  sample: AgentSample | null = null;
  /** By alert id; gone when cleared. */
  readonly raised = new Map<string, AlertBody>();
  alertsHeard = 0;
  readonly ended: EndedLease[] = [];
  /** The newest line of each container and event. */
  readonly lines = new Map<string, Map<string, DemoLine>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async watch(bus: Bus, host: string): Promise<void> {
    await bus.subscribe(notices.sampleTaken, { host, party: 'agent' }, (sample) => {
      this.sample = sample;
    });
    await bus.subscribe(notices.leaseEnded, { host, party: 'agent' }, ({ container, reason, bytes }) => {
      this.ended.push({ container, reason, bytes, heardAtMs: this.#now() });
      if (this.ended.length > 1000) this.ended.shift();
    });
    for (const party of tiers) {
      for (const topic of ['memory-pressure', 'host-silent']) {
        await bus.subscribe(notices.memoryPressure, { host, party, topic }, (alert) => this.#alert(alert));
      }
    }
  }

  line(container: string, line: DemoLine): void {
    const events = this.lines.get(container) ?? new Map<string, DemoLine>();
    this.lines.set(container, events);
    events.set(String(line['event']), line);
  }

  progress(container: string): DemoLine | null {
    return this.lines.get(container)?.get('progress') ?? null;
  }

  #alert(alert: AlertBody): void {
    this.alertsHeard += 1;
    if (alert.state === 'cleared') this.raised.delete(alert.alert);
    else this.raised.set(alert.alert, alert);
  }
}
