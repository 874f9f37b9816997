/**
 * Who may say and hear what: one row a role. The NATS server's configuration is generated from it, so that identity is
 * enforced by the server and not by good manners. `{host}` and `{party}` are filled in for a user.
 */
import { subjectRoot } from './subject.ts';

export interface Role {
  readonly summary: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** May answer the reply subject of a request it received. */
  readonly allowResponses: boolean;
}

/** The JetStream calls of a party that keeps buckets and streams. Narrowed to single keys in a later issue. */
const jetstream = ['$JS.API.>', '$JS.ACK.>', '$JS.FC.>'] as const;
const answers = ['_INBOX.{party}.>'] as const;
/** Every class but `data`, which is the containers' own. */
const said = ['req', 'cmd', 'api', 'evt', 'tlm', 'alert', 'job'].map((name) => `${subjectRoot}.${name}.>`);
const kv = (...buckets: string[]) => buckets.map((name) => `$KV.${name}.>`);

export const roles = {
  container: {
    summary:
      'A container: asks in its own name, hears commands to itself, alerts of its host, and copied frames addressed to it.',
    publish: [
      `${subjectRoot}.req.{host}.{party}.>`,
      // Copied frames come from any host, so it may ask there; a name is then the same reader on every host.
      `${subjectRoot}.req.*.{party}.channel.join`,
      `${subjectRoot}.req.*.{party}.channel.leave`,
      `${subjectRoot}.data.{host}.{party}.*.*`,
    ],
    subscribe: [
      ...answers,
      `${subjectRoot}.cmd.{host}.{party}.>`,
      `${subjectRoot}.alert.{host}.>`,
      `${subjectRoot}.data.*.*.{party}.*`,
    ],
    allowResponses: true,
  },
  agent: {
    summary: 'The agent of a host: answers its containers, commands them, states what it observes.',
    publish: [
      ...jetstream,
      ...kv('observed', 'observed-host', 'presence'),
      `${subjectRoot}.evt.{host}.agent.>`,
      `${subjectRoot}.tlm.{host}.agent.>`,
      `${subjectRoot}.cmd.{host}.>`,
      // Only critical containers are left and memory is short: nobody else may be alive to say so.
      `${subjectRoot}.alert.{host}.emergency.>`,
    ],
    subscribe: [...answers, '$SRV.>', `${subjectRoot}.req.{host}.>`, `${subjectRoot}.cmd.{host}.agent.>`],
    allowResponses: true,
  },
  orchestrator: {
    summary: 'Plans: reads what agents observe, writes desired budgets, explains itself.',
    publish: [
      ...jetstream,
      ...kv('desired', 'limit-state', 'lease'),
      `${subjectRoot}.evt.*.orchestrator.>`,
      `${subjectRoot}.cmd.*.agent.container.>`,
    ],
    subscribe: [
      ...answers,
      '$SRV.>',
      `${subjectRoot}.api.orchestrator.>`,
      `${subjectRoot}.alert.>`,
      `${subjectRoot}.evt.*.agent.>`,
      `${subjectRoot}.evt.*.monitor.leak.judged`,
    ],
    allowResponses: true,
  },
  monitor: {
    summary: 'Watches: reads samples, publishes alerts.',
    publish: [
      ...jetstream,
      ...kv('lease', 'forecast'),
      `${subjectRoot}.alert.>`,
      `${subjectRoot}.evt.*.monitor.>`,
    ],
    subscribe: [
      ...answers,
      '$SRV.>',
      `${subjectRoot}.tlm.>`,
      `${subjectRoot}.evt.*.agent.>`,
      `${subjectRoot}.api.monitor.>`,
    ],
    allowResponses: true,
  },
  maintenance: {
    summary: 'Tidies: keeps the calendar, hands jobs to agents.',
    publish: [
      ...jetstream,
      ...kv('lease', 'schedule'),
      `${subjectRoot}.job.>`,
      `${subjectRoot}.cmd.*.agent.>`,
      `${subjectRoot}.evt.*.maintenance.>`,
      `${subjectRoot}.api.monitor.alert.list`,
    ],
    // Alerts, because nothing begins or goes on during an emergency.
    subscribe: [...answers, '$SRV.>', `${subjectRoot}.api.maintenance.>`, `${subjectRoot}.alert.>`],
    allowResponses: true,
  },
  operator: {
    summary: 'A person or tool with all requests of the services and every fact, but no state of its own.',
    publish: [`${subjectRoot}.api.>`, `${subjectRoot}.cmd.*.agent.>`, '$SRV.>', '$JS.API.>'],
    subscribe: [...answers, ...said, '$SRV.>'],
    allowResponses: false,
  },
} as const satisfies Record<string, Role>;

export type RoleName = keyof typeof roles;

/** The subjects of a role for one user. Example: `permissionsOf('container', { host: 'h1', party: 'risk-engine' })`. */
export function permissionsOf(role: RoleName, user: { host: string; party: string }): Role {
  const fill = (subject: string) => subject.replaceAll('{host}', user.host).replaceAll('{party}', user.party);
  const row: Role = roles[role];
  return { ...row, publish: row.publish.map(fill), subscribe: row.subscribe.map(fill) };
}
