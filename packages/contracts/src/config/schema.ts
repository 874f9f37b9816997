/** The whole of `nautilus.yaml`. Every key has a description: the reference page is generated from here. */
import { z } from 'zod';
import { isToken } from '../names.ts';
import { checkMemory } from './check.ts';
import { defaultContainers, defaultPools, defaultRegions } from './defaults.ts';
import { containers, pools, regions } from './memory.ts';
import { bytes, duration, percentage } from './quantity.ts';
import { runtime } from './runtime.ts';

const port = z
  .number()
  .int()
  .min(0)
  .max(65_535)
  .meta({ description: 'TCP port of /metrics, /healthz and /readyz; 0 takes a free one.' });
const bind = z.string().default('127.0.0.1').meta({ description: 'Address that the port binds to.' });

export const host = z.strictObject({
  id: z
    .string()
    .refine(isToken, { error: 'must be lower-case letters, digits and single "-" (at most 63)' })
    .default('h1')
    .meta({ description: 'Name of this host in every subject.' }),
  capacity: bytes.prefault('36GiB').meta({
    description: 'Memory that the system manages. A smaller machine scales everything down together.',
  }),
  reserve: bytes
    .prefault('6GiB')
    .meta({ description: 'Part of the capacity that is left to the operating system.' }),
  socket: z
    .string()
    .min(1)
    .default('/tmp/nautilus/agent.sock')
    .meta({ description: 'Unix socket on which the agent hands out descriptors.' }),
  state_dir: z.string().min(1).default('/dev/shm/nautilus').meta({
    description: 'Private directory (0700) of the agent, on tmpfs: the journal and the segments it keeps.',
  }),
});

export const nats = z.strictObject({
  servers: z
    .array(z.string().min(1))
    .min(1)
    .default(['nats://127.0.0.1:4222'])
    .meta({ description: 'Addresses of the NATS servers.' }),
  seed_file: z
    .string()
    .nullable()
    .default(null)
    .meta({ description: 'File (0600) with the nkey seed of this party; null connects without identity.' }),
  tls: z
    .strictObject({
      ca_file: z.string().min(1).nullable().default(null).meta({
        description: 'PEM file of the authority that signed the servers; null trusts those of the system.',
      }),
      cert_file: z.string().min(1).nullable().default(null).meta({
        description: 'PEM file with the certificate of this party, where servers ask for one.',
      }),
      key_file: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .meta({ description: 'PEM file (0600) with the key that belongs to the certificate.' }),
    })
    .refine(({ cert_file, key_file }) => (cert_file === null) === (key_file === null), {
      error: 'cert_file and key_file belong together: give both or neither',
    })
    .nullable()
    .default(null)
    .meta({ description: 'Encrypts the connection; null leaves that to the server.' }),
  replicas: z
    .number()
    .int()
    .min(1)
    .max(5)
    .default(1)
    .meta({ description: 'Copies of every stream and bucket.' }),
});

export const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ description: 'Least severe level that is written.' }),
});

export const allocator = z.strictObject({
  port: port.default(9101),
  bind,
  sample_interval: duration.prefault('1s').meta({ description: 'Time between samples.' }),
  observe_interval: duration
    .prefault('5s')
    .meta({ description: 'Time between writes of the observed state to KV.' }),
  lease_ttl: duration
    .prefault('30s')
    .meta({ description: 'Life of a lease without a sign of life, unless the request names one.' }),
  kept_ttl: duration
    .prefault('1h')
    .meta({ description: 'Life of kept blocks after the last request of a client that speaks NATS only.' }),
  ticket_ttl: duration.prefault('10s').meta({ description: 'Life of a ticket.' }),
  return_grace: duration
    .prefault('10s')
    .meta({ description: 'Time that holders have to hand their segments back after the agent restarted.' }),
  handshake_timeout: duration
    .prefault('5s')
    .meta({ description: 'Time a socket peer has to say something valid.' }),
  software_devices: z.boolean().default(false).meta({
    description:
      'Lets a device that the processor computes stand in for a GPU; it makes nothing faster. For drills.',
  }),
  max_connections: z
    .number()
    .int()
    .positive()
    .default(1024)
    .meta({ description: 'Open connections on the socket.' }),
  max_blocks_per_container: z
    .number()
    .int()
    .positive()
    .default(50_000)
    .meta({ description: 'Blocks the agent keeps for one container that speaks NATS only.' }),
  max_leases_per_container: z
    .number()
    .int()
    .positive()
    .default(20_000)
    .meta({ description: 'Leases one container may hold.' }),
});

export const orchestrator = z.strictObject({
  port: port.default(9102),
  bind,
  interval: duration.prefault('60s').meta({ description: 'Time between plans.' }),
  headroom: percentage
    .prefault('25%')
    .meta({ description: 'Room above what a container holds that its budget should have.' }),
  dead_band: percentage
    .prefault('5%')
    .meta({ description: 'A budget that would change by less than this share stays.' }),
  stale_after: duration
    .prefault('15s')
    .meta({ description: 'Observations older than this freeze the plan of their host.' }),
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: 'Decides and tells every plan, but writes no budget and gives no command.' }),
});

const step = (raise: string) =>
  percentage.prefault(raise).meta({ description: 'Utilisation at which the tier is raised.' });

export const monitor = z.strictObject({
  port: port.default(9091),
  bind,
  memory: z
    .strictObject({ info: step('60%'), warning: step('80%'), critical: step('90%'), emergency: step('95%') })
    .prefault({})
    .refine(
      (ladder) =>
        ladder.info < ladder.warning &&
        ladder.warning < ladder.critical &&
        ladder.critical < ladder.emergency,
      {
        error: 'must rise: info < warning < critical < emergency',
      },
    ),
  gap: percentage
    .prefault('5%')
    .meta({ description: 'A tier clears this far below the step that raised it.' }),
  clear_hold: duration
    .prefault('30m')
    .meta({ description: 'Time that a value must stay below before the tier steps down.' }),
  raise_hold: duration.prefault('1m').meta({
    description:
      'Time that a value must stay above before INFO to CRITICAL are raised; EMERGENCY never waits.',
  }),
  history_dir: z.string().min(1).nullable().default('/tmp/nautilus/history').meta({
    description:
      'Directory of the last 24 hours, second by second, of one monitor alone; null keeps no history.',
  }),
  history_max: bytes
    .prefault('64MiB')
    .meta({ description: 'Most bytes of history a host may take; the oldest quarters of an hour go first.' }),
  runbook_url: z
    .string()
    .default('docs/guides/runbooks.md')
    .meta({ description: 'Where the runbooks are; the signal is the anchor.' }),
});

export const maintenance = z.strictObject({
  port: port.default(9103),
  bind,
  timezone: z.string().default('UTC').meta({ description: 'IANA time zone of the calendar.' }),
  catch_up: duration.prefault('12h').meta({
    description: 'A missed slot younger than this is run once, late; an older one is recorded as skipped.',
  }),
  clean_up: z
    .string()
    .default('0 2 * * *')
    .meta({ description: 'When the daily clean-up runs, as a cron pattern.' }),
  job_deadline: duration.prefault('5m').meta({ description: 'Longest run of a job.' }),
  pause_after: z.number().int().min(1).default(5).meta({
    description:
      'After so many slots in a row that failed, a job of a host is paused: its slots are recorded as skipped, until a run on request is done.',
  }),
});

export const configSchema = z
  .strictObject({
    host: host.prefault({}),
    nats: nats.prefault({}),
    log: log.prefault({}),
    regions: regions
      .prefault(defaultRegions)
      .meta({ description: 'Budgets of memory with an alignment and a device.' }),
    pools: pools
      .prefault(defaultPools)
      .meta({ description: 'Sets of segments with one strategy and limits.' }),
    containers: containers
      .prefault(defaultContainers)
      .meta({ description: 'Who may lease, how much, and who comes first.' }),
    runtime: runtime.prefault({}),
    allocator: allocator.prefault({}),
    orchestrator: orchestrator.prefault({}),
    monitor: monitor.prefault({}),
    maintenance: maintenance.prefault({}),
  })
  .superRefine(checkMemory);

export type Config = z.output<typeof configSchema>;
