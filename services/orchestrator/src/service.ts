/** The part of the app that needs NATS: opens the buckets, answers requests, and campaigns for leadership. */
import type { Bus, LeaderLease, ServedService } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';
import type { Clock, Component, Health, Logger } from '@nautilus/kit';
import { Decisions } from './decisions.ts';
import { explainEndpoint } from './explain.ts';
import { Heard } from './heard.ts';
import { Leader } from './leader.ts';
import { planPolicy } from './policy.ts';
import { openState, type State } from './state.ts';
import type { Telemetry } from './telemetry.ts';

export const service = 'orchestrator';
export const version = '0.1.0';

export interface ServiceParts {
  readonly config: Pick<Config, 'orchestrator'>;
  readonly bus: () => Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly health: Health;
  readonly telemetry: Telemetry;
  /** Unique among the instances. */
  readonly instance: string;
}

export interface Service extends Component {
  readonly isLeading: boolean;
}

export function createService(parts: ServiceParts): Service {
  const { health, log, instance } = parts;
  const ending = new AbortController();
  let lease: LeaderLease | null = null;
  let leader: Leader | null = null;
  const heard = new Heard();
  let served: ServedService | null = null;
  let campaign: Promise<void> = Promise.resolve();
  health.set('buckets', { ok: false, reason: 'not opened yet' });
  health.set('endpoints', { ok: false, reason: 'not served yet' });
  return {
    name: 'service',
    startDeadlineMs: 30_000,
    deadlineMs: 15_000,
    get isLeading() {
      return lease?.leading ?? false;
    },
    async start() {
      const bus = parts.bus();
      const state = await openState(bus);
      health.set('buckets', { ok: true });
      await heard.start(bus);
      const own = bus.leaderLease({ service, holder: instance, log });
      lease = own;
      const explain = explainEndpoint({
        state,
        heard,
        lastPlan: (host) => leader?.plans.get(host) ?? null,
        leadership: () => ({ leader: own.leading, epoch: own.epoch }),
      });
      served = await bus.serve({ name: service, version, endpoints: [explain] });
      health.set('endpoints', { ok: true });

      const decisions = new Decisions(bus, log);
      campaign = own.run(async (epoch, signal) => {
        const isLeading = () => !signal.aborted && own.leading;
        leader = new Leader(leaderParts(parts, state, decisions, heard), { epoch, isLeading });
        try {
          await leader.lead(signal);
        } finally {
          leader = null;
        }
      }, ending.signal);
      // Awaited when draining; a campaign that fails before that must be seen, and must not end the process.
      campaign.catch((error: unknown) => {
        log.error({ err: error }, 'the campaign for leadership ended');
        health.set('leadership', { ok: false, reason: String(error) });
      });
    },
    async drain() {
      ending.abort();
      await Promise.allSettled([campaign]);
      await heard.stop();
      await served?.drain();
    },
  };
}

function leaderParts(
  { config, clock, log, telemetry }: ServiceParts,
  state: State,
  decisions: Decisions,
  heard: Heard,
) {
  const policy = planPolicy(config.orchestrator);
  const { interval: intervalMs, dry_run: dryRun } = config.orchestrator;
  return { state, decisions, heard, policy, clock, log, telemetry, intervalMs, dryRun };
}
