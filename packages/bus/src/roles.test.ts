/**
 * Every row of the role table against every subject there is, on a real server: a party can do what its row says and
 * nothing else. What the rows themselves must never allow is written down apart, so that a row that grows too wide fails.
 */
import { connect, errors, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import {
  buckets,
  exchangeSubject,
  exchanges,
  noticeSubject,
  notices,
  permissionsOf,
  type RoleName,
  roles,
} from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNkey } from './keys.ts';
import { generateServerConfig } from './server-config.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';

const names = Object.keys(roles) as RoleName[];
const partyOf = (role: RoleName): string => (role === 'container' ? 'sandbox' : role);

/** The rules of NATS for a concrete subject, written here again so that the server is judged and not asked. */
function covers(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const found = subject.split('.');
  for (const [at, token] of wanted.entries()) {
    if (token === '>') return found.length > at;
    if (at >= found.length || (token !== '*' && token !== found[at])) return false;
  }
  return wanted.length === found.length;
}

/** Every subject of the contracts, in the own name and in another's, here and on another host; state; answers. */
function allSubjects(): string[] {
  const subjects = new Set<string>();
  for (const host of ['h1', 'h2']) {
    for (const party of ['sandbox', 'risk-engine', 'agent', 'orchestrator', 'monitor', 'maintenance']) {
      for (const contract of Object.values(exchanges))
        subjects.add(exchangeSubject(contract, { host, party }));
      for (const contract of Object.values(notices)) {
        const topic = contract.topic === '*' ? 'clean-up' : contract.topic;
        subjects.add(noticeSubject(contract, { host, party, topic }));
      }
      subjects.add(`nautilus.v1.data.${host}.${party}.risk-engine.quotes`);
    }
    for (const { name } of Object.values(buckets)) subjects.add(`$KV.${name}.${host}.sandbox`);
  }
  for (const role of names) subjects.add(`_INBOX.${partyOf(role)}.a.b`);
  for (const call of ['STREAM.DELETE.KV_desired', 'STREAM.PURGE.alerts', 'STREAM.CREATE.x', 'INFO']) {
    subjects.add(`$JS.API.${call}`);
  }
  subjects.add('$SRV.PING').add('$SYS.REQ.SERVER.PING').add('nautilus.v2.api.anything');
  return [...subjects].sort();
}

/** What no row may ever come to allow, whatever else is added to it. */
const never: Record<RoleName, { publish: string[]; subscribe: string[] }> = {
  container: {
    publish: [
      'nautilus.v1.req.h1.risk-engine.segment.lease',
      'nautilus.v1.cmd.h1.agent.memory.clean-up',
      'nautilus.v1.cmd.h1.risk-engine.memory.release',
      'nautilus.v1.alert.h1.emergency.memory-pressure',
      'nautilus.v1.tlm.h1.agent.sample',
      'nautilus.v1.tlm.h1.risk-engine.counters',
      'nautilus.v1.api.orchestrator.plan.explain',
      'nautilus.v1.data.h1.risk-engine.sandbox.quotes',
      '$KV.desired.h1.sandbox',
      '$JS.API.STREAM.DELETE.KV_desired',
      '_INBOX.risk-engine.a.b',
    ],
    subscribe: [
      '>',
      'nautilus.v1.>',
      'nautilus.v1.req.>',
      'nautilus.v1.cmd.h1.risk-engine.>',
      '_INBOX.>',
      '_INBOX.agent.>',
    ],
  },
  agent: {
    publish: [
      '$KV.desired.h1.sandbox',
      'nautilus.v1.evt.h2.agent.segment.leased',
      'nautilus.v1.alert.h1.critical.memory-pressure',
    ],
    subscribe: ['nautilus.v1.req.h2.>', 'nautilus.v1.cmd.h1.sandbox.>', '_INBOX.sandbox.>', '>'],
  },
  orchestrator: {
    publish: [
      '$KV.observed.h1.sandbox',
      'nautilus.v1.alert.h1.critical.memory-pressure',
      'nautilus.v1.req.h1.sandbox.segment.lease',
    ],
    subscribe: ['nautilus.v1.req.>', 'nautilus.v1.data.>', '>'],
  },
  monitor: {
    publish: [
      '$KV.desired.h1.sandbox',
      '$KV.observed.h1.sandbox',
      'nautilus.v1.cmd.h1.sandbox.memory.release',
      'nautilus.v1.cmd.h1.agent.memory.clean-up',
    ],
    subscribe: ['nautilus.v1.req.>', 'nautilus.v1.data.>', '>'],
  },
  maintenance: {
    publish: [
      '$KV.desired.h1.sandbox',
      'nautilus.v1.cmd.h1.sandbox.memory.release',
      'nautilus.v1.tlm.h1.agent.sample',
    ],
    subscribe: ['nautilus.v1.req.>', 'nautilus.v1.data.>', '>'],
  },
  operator: {
    publish: [
      '$KV.desired.h1.sandbox',
      'nautilus.v1.req.h1.sandbox.segment.lease',
      'nautilus.v1.tlm.h1.agent.sample',
      'nautilus.v1.alert.h1.critical.memory-pressure',
    ],
    subscribe: ['nautilus.v1.data.>', '_INBOX.agent.>', '>'],
  },
};

describe.each(names)('the role %s', (role) => {
  const row = permissionsOf(role, { host: 'h1', party: partyOf(role) });
  let nats: NatsServer;
  let nc: NatsConnection;

  beforeAll(async () => {
    const { seed, publicKey } = createNkey();
    const users = [{ name: partyOf(role), nkey: publicKey, ...row, allowResponses: false }];
    nats = await startNats({ config: generateServerConfig({ users, port: 4222, storeDir: null }) });
    nc = await connect({
      servers: nats.url,
      inboxPrefix: `_INBOX.${partyOf(role)}`,
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
    });
  });
  afterAll(async () => {
    await nc.close();
    await nats[Symbol.asyncDispose]();
  });

  /** The refusals of a batch come before the answer to the ping that follows it. */
  async function refusedPublishes(subjects: readonly string[]): Promise<Set<string>> {
    const refused = new Set<string>();
    const status = nc.status();
    const listening = (async () => {
      for await (const each of status) {
        if (each.type === 'error' && each.error instanceof errors.PermissionViolationError) {
          if (each.error.subject === 'the.end') return;
          refused.add(each.error.subject);
        }
      }
    })();
    for (const subject of subjects) nc.publish(subject, '');
    nc.publish('the.end', '');
    await nc.flush();
    await listening;
    return refused;
  }

  async function isHeard(subject: string): Promise<boolean> {
    let refusal: Error | null = null;
    const subscription = nc.subscribe(subject, {
      callback: (error) => {
        refusal ??= error;
      },
    });
    await nc.flush();
    subscription.unsubscribe();
    return refusal === null;
  }

  it('may publish what its row says and is refused everything else', async () => {
    const subjects = allSubjects();
    const refused = await refusedPublishes(subjects);
    const allowed = subjects.filter((subject) => !refused.has(subject));
    const expected = subjects.filter((subject) => row.publish.some((pattern) => covers(pattern, subject)));
    expect(allowed).toEqual(expected);
    expect(refused.size).toBeGreaterThan(subjects.length / 4);
  });

  it('may hear what its row says and is refused everything else', async () => {
    const subjects = allSubjects();
    const heard: string[] = [];
    for (const subject of subjects) if (await isHeard(subject)) heard.push(subject);
    expect(heard).toEqual(
      subjects.filter((subject) => row.subscribe.some((pattern) => covers(pattern, subject))),
    );
  });

  it('is refused what no row may ever allow', async () => {
    const refused = await refusedPublishes(never[role].publish);
    expect([...refused].sort()).toEqual([...never[role].publish].sort());
    for (const pattern of never[role].subscribe)
      expect([pattern, await isHeard(pattern)]).toEqual([pattern, false]);
  });
});
