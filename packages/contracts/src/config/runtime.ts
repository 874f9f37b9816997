/** How the agent finds containers on its machine, and when its reflex acts. */
import { z } from 'zod';
import { bytes, duration, percentage } from './quantity.ts';

export const runtimeKinds = ['none', 'process', 'docker', 'cgroup'] as const;
export type RuntimeKind = (typeof runtimeKinds)[number];

export const runtime = z.strictObject({
  kind: z.enum(runtimeKinds).default('none').meta({
    description:
      'Where containers are found: plain processes, a Docker engine, or child cgroups. none: only leases are known.',
  }),
  docker_socket: z
    .string()
    .min(1)
    .default('/var/run/docker.sock')
    .meta({ description: 'Unix socket of the Docker engine.' }),
  cgroup_root: z.string().startsWith('/').nullable().default(null).meta({
    description:
      'Directory of the cgroup whose children are the containers, for kind cgroup; null: `nautilus` below the memory hierarchy.',
  }),
  poll: duration
    .prefault('20ms')
    .meta({ description: 'Time between two looks at what the kernel does not notify of.' }),
  usage_margin: bytes
    .prefault('16MiB')
    .meta({ description: 'Room above what is in use that every lowered limit leaves.' }),
  write_deadline: duration
    .prefault('2s')
    .meta({ description: 'Longest that writing one limit may take, squeezing included.' }),
  release_deadline: duration
    .prefault('2s')
    .meta({ description: 'Time a container has to give memory back before its limit is lowered.' }),
  restarts: z
    .number()
    .int()
    .min(0)
    .default(3)
    .meta({ description: 'Restarts of one container within the window, of whoever did them; then no more.' }),
  restart_window: duration.prefault('1h').meta({ description: 'Window in which restarts are counted.' }),
});

export const reflex = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether the agent acts by itself when memory runs out.' }),
  destructive: z.boolean().default(true).meta({
    description: 'Whether pausing, restarting and killing are among the steps; else it alerts instead.',
  }),
  poll: duration.prefault('150ms').meta({ description: 'Time between two looks at stalls and utilisation.' }),
  stall: percentage.prefault('10%').meta({
    description:
      'Share of the time of which some task waited for memory, over the stall window: an incident.',
  }),
  stall_full: percentage
    .prefault('40%')
    .meta({ description: 'Share of the time in which every task waited: destructive steps are allowed.' }),
  stall_window: duration.prefault('1s').meta({ description: 'Window over which stalls are added up.' }),
  onset: duration.prefault('20ms').meta({
    description: 'Stall within one window after which the first, mildest step is asked for.',
  }),
  act: percentage.prefault('90%').meta({ description: 'Utilisation at which the mild steps begin.' }),
  destroy: percentage
    .prefault('95%')
    .meta({ description: 'Utilisation from which destructive steps are allowed.' }),
  settle: duration.prefault('500ms').meta({
    description: 'Time after a mild step before it is measured again.',
  }),
  settle_destructive: duration
    .prefault('15s')
    .meta({ description: 'Time after a destructive step before another one.' }),
});
