/** ADR-32's `$SRV.PING`, `INFO` and `STATS`, so that `nats micro` and any service client can see what runs here. */
import type { Msg, Subscription as NatsSubscription } from '@nats-io/transport-node';
import { exchangeSubject } from '@nautilus/contracts';
import { isAnswerable } from './answerable.ts';
import type { EndpointRunner } from './endpoint-runner.ts';
import type { Link } from './link.ts';
import type { ServiceDefinition } from './serve.ts';
import { openSubscription, openTogether } from './subscription.ts';

export const defaultQueueGroup = 'q';

const namePattern = /^[A-Za-z0-9_-]+$/;
const versionPattern = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

export function assertServiceNames(service: ServiceDefinition): void {
  if (!namePattern.test(service.name))
    throw new RangeError(`service name "${service.name}": only letters, digits, "-" and "_"`);
  if (!versionPattern.test(service.version))
    throw new RangeError(`service version "${service.version}" is not a semantic version`);
  if (service.id !== undefined && !namePattern.test(service.id))
    throw new RangeError(`service id "${service.id}": only letters, digits, "-" and "_"`);
}

export class ServiceInfo {
  readonly #service: ServiceDefinition;
  readonly #id: string;
  readonly #runners: readonly EndpointRunner[];
  readonly #startedAt: string;
  readonly #names: readonly string[];

  constructor(
    service: ServiceDefinition,
    id: string,
    runners: readonly EndpointRunner[],
    startedAtMs: number,
  ) {
    this.#service = service;
    this.#id = id;
    this.#runners = runners;
    this.#startedAt = new Date(startedAtMs).toISOString();
    this.#names = uniqueNames(runners);
  }

  /** Nine subjects, no queue group: everybody answers. */
  async open(link: Link): Promise<NatsSubscription[]> {
    const answers = { PING: () => this.ping(), INFO: () => this.info(), STATS: () => this.stats() };
    const subscriptions: Promise<NatsSubscription>[] = [];
    for (const [verb, answer] of Object.entries(answers)) {
      const take = (message: Msg): void => {
        if (!isAnswerable(message.reply)) return;
        try {
          message.respond(JSON.stringify(answer()));
        } catch (error) {
          link.log.warn({ error, subject: message.subject }, 'bus: a service query was not answered');
        }
      };
      for (const suffix of ['', `.${this.#service.name}`, `.${this.#service.name}.${this.#id}`])
        subscriptions.push(openSubscription(link, `$SRV.${verb}${suffix}`, { take }));
    }
    return openTogether(subscriptions);
  }

  ping() {
    return { type: 'io.nats.micro.v1.ping_response', ...this.#identity() };
  }

  info() {
    return {
      type: 'io.nats.micro.v1.info_response',
      ...this.#identity(),
      description: this.#service.description ?? '',
      endpoints: this.#runners.map((runner, index) => this.#endpoint(runner, index)),
    };
  }

  stats() {
    return {
      type: 'io.nats.micro.v1.stats_response',
      ...this.#identity(),
      started: this.#startedAt,
      endpoints: this.#runners.map((runner, index) => {
        const { requests, errors, lastError, processingNs } = runner.figures;
        return {
          name: this.#names[index] ?? '',
          subject: subjectOf(runner),
          queue_group: queueGroupOf(runner),
          num_requests: requests,
          num_errors: errors,
          last_error: lastError,
          processing_time: processingNs,
          average_processing_time: requests === 0 ? 0 : Math.round(processingNs / requests),
        };
      }),
    };
  }

  #identity() {
    return { name: this.#service.name, id: this.#id, version: this.#service.version, metadata: {} };
  }

  #endpoint(runner: EndpointRunner, index: number) {
    return {
      name: this.#names[index] ?? '',
      subject: subjectOf(runner),
      queue_group: queueGroupOf(runner),
      metadata: { summary: runner.endpoint.contract.summary },
    };
  }
}

export function subjectOf({ endpoint }: EndpointRunner): string {
  const { contract, host, party } = endpoint;
  return exchangeSubject(contract, {
    ...(host === undefined ? {} : { host }),
    ...(party === undefined ? {} : { party }),
  });
}

function queueGroupOf({ endpoint }: EndpointRunner): string {
  return endpoint.queueGroup === null ? '' : (endpoint.queueGroup ?? defaultQueueGroup);
}

/** `segment-lease`; the same exchange served twice gets a number. */
function uniqueNames(runners: readonly EndpointRunner[]): string[] {
  const seen = new Map<string, number>();
  return runners.map(({ endpoint }) => {
    const name = `${endpoint.contract.noun}-${endpoint.contract.verb}`;
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}-${times}`;
  });
}
