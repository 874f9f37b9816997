/** Answers requests: every endpoint behind one wrapper that parses, limits, times and reports. */
import type { Exchange, Result } from '@nautilus/contracts';
import { pause } from './clock.ts';
import { EndpointRunner } from './endpoint-runner.ts';
import type { Link } from './link.ts';
import type { BusLog } from './log.ts';
import type { InputOf, OutputOf, Schema } from './schema.ts';
import { assertServiceNames, defaultQueueGroup, ServiceInfo, subjectOf } from './service-info.ts';
import { openSubscription, openTogether, stopSubscription } from './subscription.ts';

export interface RequestContext {
  readonly subject: string;
  /** Empty for `api`. */
  readonly host: string;
  /** The asking container for `req`, the addressed party for `cmd`, the service for `api`. */
  readonly party: string;
  readonly requestId: string;
  readonly epoch: number | null;
  readonly traceparent: string | null;
  /** Aborts at the deadline, or when a drain runs out of time. */
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly deadline: number | null;
  readonly log: BusLog;
}

export interface Endpoint {
  contract: Exchange;
  host?: string;
  /** `*` serves all containers. */
  party?: string;
  /** Requests handled at once; 64. */
  concurrency?: number;
  /** Requests waiting for that; the next one is answered with `overloaded`. 1024. */
  queueLimit?: number;
  /** Instances of one group share the requests; null: every instance answers. `q`. */
  queueGroup?: string | null;
  handle(body: unknown, context: RequestContext): Promise<Result<unknown>> | Result<unknown>;
}

/** An endpoint whose handler is typed by its contract. */
export function endpoint<Req extends Schema, Res extends Schema>(
  definition: Omit<Endpoint, 'contract' | 'handle'> & {
    contract: Exchange<Req, Res>;
    handle(
      body: OutputOf<Req>,
      context: RequestContext,
    ): Promise<Result<InputOf<Res>>> | Result<InputOf<Res>>;
  },
): Endpoint {
  return { ...definition, handle: (body, context) => definition.handle(body as OutputOf<Req>, context) };
}

export interface ServiceDefinition {
  /** Letters, digits, `-` and `_`. */
  name: string;
  /** Semantic version. */
  version: string;
  /** Generated when not given. */
  id?: string;
  description?: string;
  /** False: does not answer ADR-32's `$SRV` queries, which a container has no right to hear. Default true. */
  discoverable?: boolean;
  endpoints: readonly Endpoint[];
}

export interface ServedService {
  readonly id: string;
  readonly name: string;
  /** Takes no more, and resolves when every request that had arrived has its reply. */
  drain(timeoutMs?: number): Promise<void>;
}

const defaultDrainMs = 10_000;
/** What a handler gets to notice its abort before its requester is answered without it. */
const abortGraceMs = 500;

export async function serve(link: Link, service: ServiceDefinition): Promise<ServedService> {
  assertServiceNames(service);
  link.assertUsable(`service ${service.name}`);
  const id = service.id ?? link.options.newId();
  const runners = service.endpoints.map((each) => new EndpointRunner(link, each));
  const info = new ServiceInfo(service, id, runners, link.options.clock.now());
  const subscriptions = await openTogether(
    runners.map((runner) => {
      const { queueGroup } = runner.endpoint;
      return openSubscription(link, subjectOf(runner), {
        ...(queueGroup === null ? {} : { queue: queueGroup ?? defaultQueueGroup }),
        take: (message) => runner.take(message),
      });
    }),
  );
  const opening = service.discoverable === false ? Promise.resolve([]) : info.open(link);
  const queries = await opening.catch((error: unknown) => {
    for (const subscription of subscriptions) subscription.unsubscribe();
    throw error;
  });

  const finish = async (timeoutMs: number): Promise<void> => {
    await Promise.all(subscriptions.map((each) => stopSubscription(link, each)));
    const idle = Promise.all(runners.map((runner) => runner.idle())).then(() => true);
    if (!(await within(idle, timeoutMs))) {
      for (const runner of runners) runner.abort();
      if (!(await within(idle, abortGraceMs))) {
        const left = runners.reduce((sum, runner) => sum + runner.answerRemaining(), 0);
        link.log.error({ service: service.name, left }, 'bus: handlers ignored the end of the drain');
      }
    }
    await Promise.all(queries.map((each) => stopSubscription(link, each)));
    if (link.state === 'connected') await link.nc.flush();
    untrack();
  };
  let draining: Promise<void> | null = null;
  const served: ServedService = {
    id,
    name: service.name,
    drain(timeoutMs = defaultDrainMs) {
      draining ??= finish(timeoutMs);
      return draining;
    },
  };
  const untrack = link.track(served);
  return served;
}

async function within(done: Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([done, pause(timeoutMs, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}
