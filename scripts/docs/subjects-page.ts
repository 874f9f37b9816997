/** Everything that is said over NATS: requests, notices, buckets, streams, and who may say what. */
import {
  buckets,
  type Exchange,
  exchangeSubject,
  exchanges,
  formatBytes,
  formatDuration,
  type Notice,
  noticeSubject,
  notices,
  type Role,
  roles,
  type Stream,
  streams,
} from '@nautilus/contracts';
import type { z } from 'zod';
import { fieldsOf, typeOf } from './fields.ts';
import { jsonSchema } from './json-schema.ts';
import { code, page, table } from './markdown.ts';

/** Placeholders are not subject tokens, so the subject is made with stand-ins. `--` lets them pass as encoded names. */
function withPlaceholders(make: (host: string, party: string) => string, party: string): string {
  const standIns = { host: 'a--host', party: 'a--party' };
  return make(standIns.host, standIns.party).replace(standIns.host, '<host>').replace(standIns.party, party);
}

function exchangePattern(contract: Exchange): string {
  const isOpen = contract.party === '*';
  return withPlaceholders(
    (host, party) => exchangeSubject(contract, isOpen ? { host, party } : { host }),
    '<container>',
  );
}

function noticePattern(contract: Notice): string {
  const isAlert = contract.class === 'alert';
  const pattern = withPlaceholders(
    (host, party) => noticeSubject(contract, contract.party === '*' ? { host, party } : { host }),
    isAlert ? '<tier>' : '<container>',
  );
  return contract.class === 'job' && contract.topic === '*' ? pattern.replace(/\*$/, '<job>') : pattern;
}

function fieldTable(schema: z.ZodType): string {
  const plain = jsonSchema(schema);
  const rows = fieldsOf(plain).map(({ path, type, isRequired }) => [
    code(path),
    type,
    isRequired ? 'yes' : 'no',
  ]);
  return table(
    ['Field', 'Type', 'Required'],
    rows,
    plain.properties === undefined ? typeOf(plain) : 'No fields.',
  );
}

function exchangeSection(name: string, contract: Exchange): string {
  return [
    `### ${name}`,
    code(exchangePattern(contract)),
    contract.summary,
    `A request is at most ${formatBytes(contract.maximumBytes)}.`,
    `Request:`,
    fieldTable(contract.request),
    `Response:`,
    fieldTable(contract.response),
  ].join('\n\n');
}

function noticeSection(name: string, contract: Notice): string {
  return [`### ${name}`, code(noticePattern(contract)), contract.summary, fieldTable(contract.body)].join(
    '\n\n',
  );
}

function bucketTable(): string {
  return table(
    ['Bucket', 'Key', 'Written by', 'Lives', 'What'],
    Object.values(buckets).map(({ name, key, writer, ttlMs, summary }) => [
      code(name),
      code(key),
      writer,
      ttlMs === null ? 'for ever' : formatDuration(ttlMs),
      summary,
    ]),
  );
}

function streamTable(): string {
  return table(
    ['Stream', 'Subjects', 'Kept', 'At most', 'Retention', 'What'],
    Object.values(streams).map(
      ({ name, subjects, maximumAgeMs, maximumBytes, retention, summary }: Stream) => [
        code(name),
        subjects.map(code).join(', '),
        formatDuration(maximumAgeMs),
        formatBytes(maximumBytes),
        retention,
        summary,
      ],
    ),
  );
}

function roleTable(): string {
  const list = (subjects: readonly string[]) => subjects.map(code).join(' ');
  return table(
    ['Role', 'Publishes', 'Subscribes', 'Answers requests', 'What'],
    Object.entries(roles).map(([name, { publish, subscribe, allowResponses, summary }]: [string, Role]) => [
      code(name),
      list(publish),
      list(subscribe),
      allowResponses ? 'yes' : 'no',
      summary,
    ]),
  );
}

export function subjectsPage(): string {
  return page(
    'Subjects',
    'packages/contracts',
    `${code('<host>')} is the name of a host, ${code('<container>')} the name of a container as one subject token, ` +
      `${code('<tier>')} the tier of an alert, ${code('<job>')} the name of a job. Bodies are JSON; unknown fields are dropped.`,
    '## Requests',
    ...Object.entries(exchanges).map(([name, contract]) => exchangeSection(name, contract)),
    '## Notices',
    'Messages without a reply.',
    ...Object.entries(notices).map(([name, contract]) => noticeSection(name, contract)),
    '## Buckets',
    'State in NATS KV. Every key has one writer.',
    bucketTable(),
    ...Object.values(buckets).flatMap(({ name, value }) => [`### Value of ${name}`, fieldTable(value)]),
    '## Streams',
    streamTable(),
    '## Roles',
    `Who may say and hear what, enforced by the NATS server. ${code('{host}')} and ${code('{party}')} are filled in for a user.`,
    roleTable(),
  );
}
