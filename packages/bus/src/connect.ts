/**
 * The way in: waits for a server, checks that it can do what is needed and that the role may receive answers, and
 * hands out the bus. The first connection is this file's own loop, because the client's cannot be given up.
 */
import {
  connect,
  createInbox,
  errors,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  nuid,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { encodeToken, NautilusError } from '@nautilus/contracts';
import type { Bus, BusOptions } from './bus.ts';
import { classify } from './classify.ts';
import { pause, systemClock } from './clock.ts';
import { assertServer } from './features.ts';
import { Link } from './link.ts';
import { silentLog } from './log.ts';
import { NatsBus } from './nats-bus.ts';
import { openSubscription } from './subscription.ts';

const defaultPingMs = 10_000;
const defaultReconnectMs = 2_000;
const dialTimeoutMs = 5_000;
const absenceLogMs = 5_000;

export async function connectBus(options: BusOptions): Promise<Bus> {
  const log = options.log ?? silentLog;
  const inboxPrefix = options.inboxPrefix ?? `_INBOX.${encodeToken(options.name)}`;
  const random = options.random ?? Math.random;
  const nc = await firstConnection(options, clientOptions(options, inboxPrefix, random));
  const link = new Link(nc, {
    log,
    inboxPrefix,
    random,
    clock: options.clock ?? systemClock,
    newId: options.newId ?? (() => nuid.next()),
    replicas: options.replicas ?? 1,
  });
  try {
    const needed = options.requireFeatures ?? [];
    assertServer(nc.info?.version ?? '', needed);
    if (needed.includes('jetstream') && nc.info?.jetstream !== true)
      throw new NautilusError({
        code: 'unsupported',
        message: `the NATS server at ${nc.getServer()} runs without JetStream; start it with -js`,
      });
    await assertInbox(link, inboxPrefix);
  } catch (error) {
    await link.close();
    throw error;
  }
  log.info({ server: nc.getServer(), version: nc.info?.version }, 'bus: connected');
  return new NatsBus(link);
}

/** A role that may not hear its own answers would see nothing but time-outs. */
async function assertInbox(link: Link, inboxPrefix: string): Promise<void> {
  const probe = await openSubscription(link, createInbox(inboxPrefix), { take: () => undefined });
  probe.unsubscribe();
}

function clientOptions(
  options: BusOptions,
  inboxPrefix: string,
  random: () => number,
): NodeConnectionOptions {
  const longestMs = options.reconnectDelayMs ?? defaultReconnectMs;
  const { credentials } = options;
  return {
    servers: serversOf(options),
    name: options.name,
    inboxPrefix,
    pingInterval: options.pingIntervalMs ?? defaultPingMs,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    // The default gives up after ten tries, and after two refusals of the credentials: an agent never does.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => longestMs / 2 + random() * (longestMs / 2),
    timeout: dialTimeoutMs,
    // Our errors carry the subject; a stack per request costs more than the request.
    noAsyncTraces: true,
    ...(credentials === undefined || credentials === null
      ? {}
      : {
          authenticator:
            'nkeySeed' in credentials
              ? nkeyAuthenticator(new TextEncoder().encode(credentials.nkeySeed.trim()))
              : usernamePasswordAuthenticator(credentials.user, credentials.password),
        }),
    ...(options.tls === undefined ? {} : { tls: { ...options.tls } }),
  };
}

function serversOf({ servers }: BusOptions): string[] {
  return typeof servers === 'string' ? [servers] : [...servers];
}

async function firstConnection(options: BusOptions, client: NodeConnectionOptions): Promise<NatsConnection> {
  const { signal } = options;
  const clock = options.clock ?? systemClock;
  const startedAt = clock.monotonic();
  let loggedAt = Number.NEGATIVE_INFINITY;
  const servers = serversOf(options).join(', ');
  while (true) {
    try {
      return await abortable(connect(client), signal);
    } catch (error) {
      if (signal?.aborted === true)
        throw new NautilusError({ code: 'cancelled', message: `gave up waiting for NATS at ${servers}` });
      const fault = classifyDial(error, servers);
      if (fault.code !== 'unavailable' || options.waitOnFirstConnect === false) throw fault;
      const now = clock.monotonic();
      if (now - loggedAt >= absenceLogMs) {
        loggedAt = now;
        options.log?.warn(
          { servers, waitedMs: Math.round(now - startedAt), reason: fault.message },
          'bus: NATS is not there yet, waiting for it',
        );
      }
    }
    await pause(client.reconnectDelayHandler?.() ?? defaultReconnectMs, signal);
  }
}

function classifyDial(error: unknown, servers: string): NautilusError {
  if (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError ||
    error instanceof errors.InvalidArgumentError
  )
    return classify(error, `NATS at ${servers}`);
  const reason = error instanceof Error ? error.message : String(error);
  return new NautilusError(
    { code: 'unavailable', message: `no NATS at ${servers}: ${reason}`, details: { servers } },
    { cause: error },
  );
}

/** Rejects at the abort; a connection that comes about afterwards is closed. */
async function abortable(dialling: Promise<NatsConnection>, signal?: AbortSignal): Promise<NatsConnection> {
  if (signal === undefined) return dialling;
  let abandon: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abandon = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abandon, { once: true });
  if (signal.aborted) abandon();
  try {
    return await Promise.race([dialling, aborted]);
  } catch (error) {
    if (signal.aborted)
      dialling.then(
        (late) => late.close(),
        // It failed after it was given up: nobody waits for the reason any more.
        () => undefined,
      );
    throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}
