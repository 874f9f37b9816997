/**
 * The grammar of subjects: `nautilus.v1.<class>.<host>.<party>.<noun>.<verb or fact>`. A contract is a value that
 * knows its schemas; its subject is computed from it, so no other file spells one.
 */
import type { z } from 'zod';
import { isToken } from './names.ts';

export const subjectRoot = 'nautilus.v1';

/** `req` a container asks its agent; `cmd` a command to one party; `api` a service's own requests. */
export type ExchangeClass = 'req' | 'cmd' | 'api';
/** `evt` a fact; `tlm` a sample; `alert` its party is the tier; `job` work for the queue. */
export type NoticeClass = 'evt' | 'tlm' | 'alert' | 'job';

/** One stream of copied frames: to one subscriber, so that the server lets nobody else hear them. */
export interface DataAddress {
  readonly host: string;
  readonly publisher: string;
  readonly subscriber: string;
  readonly channel: string;
}

/** A request with its reply. */
export interface Exchange<Req extends z.ZodType = z.ZodType, Res extends z.ZodType = z.ZodType> {
  readonly kind: 'exchange';
  readonly class: ExchangeClass;
  /** The service for `api`, `agent` or `*` (any container) for `cmd`, `*` for `req`. */
  readonly party: string;
  readonly noun: string;
  readonly verb: string;
  readonly summary: string;
  readonly request: Req;
  readonly response: Res;
  /** Larger requests are refused before they are parsed. */
  readonly maximumBytes: number;
}

/** A message without a reply. */
export interface Notice<Body extends z.ZodType = z.ZodType> {
  readonly kind: 'notice';
  readonly class: NoticeClass;
  readonly party: string;
  /** `noun.fact` for events, `sample` for telemetry, the signal for alerts, the job for jobs. */
  readonly topic: string;
  readonly summary: string;
  readonly body: Body;
}

const defaultMaximumBytes = 16 * 1024;

export function exchange<Req extends z.ZodType, Res extends z.ZodType>(
  definition: Omit<Exchange<Req, Res>, 'kind' | 'maximumBytes'> & { maximumBytes?: number },
): Exchange<Req, Res> {
  return { kind: 'exchange', maximumBytes: defaultMaximumBytes, ...definition };
}

export function notice<Body extends z.ZodType>(definition: Omit<Notice<Body>, 'kind'>): Notice<Body> {
  return { kind: 'notice', ...definition };
}

function token(value: string, what: string): string {
  if (value === '*' || isToken(value) || value.includes('--')) return value;
  throw new RangeError(`${what} "${value}" is not a subject token; encode it with encodeToken()`);
}

/** Where to send or serve an exchange. `api` has no host; `req` and `cmd` need host and party (`*` subscribes to all). */
export function exchangeSubject(contract: Exchange, at: { host?: string; party?: string } = {}): string {
  if (contract.class === 'api')
    return `${subjectRoot}.api.${contract.party}.${contract.noun}.${contract.verb}`;
  const host = token(at.host ?? '*', 'host');
  const party = token(at.party ?? contract.party, 'party');
  return `${subjectRoot}.${contract.class}.${host}.${party}.${contract.noun}.${contract.verb}`;
}

/** Where to publish or subscribe a notice. Alerts: `party` is the tier and `topic` the signal. Jobs have no party. */
export function noticeSubject(
  contract: Notice,
  at: { host?: string; party?: string; topic?: string } = {},
): string {
  const host = token(at.host ?? '*', 'host');
  const topic = at.topic ?? contract.topic;
  if (contract.class === 'job') return `${subjectRoot}.job.${host}.${topic}`;
  return `${subjectRoot}.${contract.class}.${host}.${token(at.party ?? contract.party, 'party')}.${topic}`;
}

/** Where the frames of a channel go for a subscriber that cannot map them: `data` carries bytes, not JSON. */
export function dataSubject({ host, publisher, subscriber, channel }: DataAddress): string {
  const parts = [
    token(host, 'host'),
    token(publisher, 'publisher'),
    token(subscriber, 'subscriber'),
    token(channel, 'channel'),
  ];
  return `${subjectRoot}.data.${parts.join('.')}`;
}

/** The parts of a concrete subject, or null when it is not one of ours. */
export function parseSubject(
  subject: string,
): { class: string; host: string; party: string; rest: readonly string[] } | null {
  const [root, version, kind, host, party, ...rest] = subject.split('.');
  if (
    root !== 'nautilus' ||
    version !== 'v1' ||
    kind === undefined ||
    host === undefined ||
    party === undefined
  ) {
    return null;
  }
  return { class: kind, host, party, rest };
}
