/**
 * Which hosts are in an emergency: heard at once from the alerts, and set right by the monitor's list. Maintenance
 * begins nothing on such a host, and what it has begun there gives way.
 */
import type { Bus } from '@nautilus/bus';
import { type AlertBody, listAlerts, memoryPressure } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';

export interface EmergencyParts {
  readonly bus: Pick<Bus, 'request' | 'subscribe'>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Heard {
  readonly text: string;
  /** Monotonic. */
  readonly at: number;
}

/** A monitor that answers no more cannot clear anything: what it said is believed for so long. */
export const believedMs = 600_000;
const askMs = 2_000;

export class Emergencies {
  readonly #parts: EmergencyParts;
  /** By host, then by alert. */
  readonly #heard = new Map<string, Map<string, Heard>>();
  readonly #yielding = new Map<string, Set<AbortController>>();

  constructor(parts: EmergencyParts) {
    this.#parts = parts;
  }

  /** The service does not begin without it: an emergency that nobody hears would be worked into. */
  async listen(): Promise<void> {
    await this.#parts.bus.subscribe(memoryPressure, {}, (alert) => this.take(alert));
  }

  take(alert: AlertBody): void {
    const isEmergency = alert.tier === 'emergency' && alert.state !== 'cleared';
    if (!isEmergency) {
      this.#forget(alert.host, alert.alert);
      return;
    }
    const ofHost = this.#heard.get(alert.host) ?? new Map<string, Heard>();
    ofHost.set(alert.alert, { text: alert.text, at: this.#parts.clock.monotonic() });
    this.#heard.set(alert.host, ofHost);
    for (const controller of this.#yielding.get(alert.host) ?? []) controller.abort();
  }

  /** What the emergency of a host is, in words; null: there is none. */
  of(host: string): string | null {
    const now = this.#parts.clock.monotonic();
    for (const { text, at } of this.#heard.get(host)?.values() ?? []) if (now - at < believedMs) return text;
    return null;
  }

  /** Asks the monitor. Without an answer, what was heard stands. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { bus, clock, log } = this.#parts;
    const askedAt = clock.monotonic();
    try {
      const { alerts } = await bus.request(listAlerts, {}, {}, { timeoutMs: askMs, signal });
      const raised = new Set(alerts.map(({ alert }) => alert));
      for (const [host, ofHost] of this.#heard) {
        for (const [alert, { at }] of ofHost)
          if (at < askedAt && !raised.has(alert)) this.#forget(host, alert);
      }
      for (const alert of alerts) this.take(alert);
    } catch (error) {
      log.debug({ err: error }, 'the monitor did not say which alerts are raised; what was heard stands');
    }
  }

  /** A signal that aborts as soon as an emergency of the host begins, for as long as the task takes. */
  async during<Value>(host: string, task: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const controller = new AbortController();
    const ofHost = this.#yielding.get(host) ?? new Set<AbortController>();
    this.#yielding.set(host, ofHost.add(controller));
    try {
      return await task(controller.signal);
    } finally {
      ofHost.delete(controller);
      if (ofHost.size === 0) this.#yielding.delete(host);
    }
  }

  #forget(host: string, alert: string): void {
    const ofHost = this.#heard.get(host);
    ofHost?.delete(alert);
    if (ofHost?.size === 0) this.#heard.delete(host);
  }
}
