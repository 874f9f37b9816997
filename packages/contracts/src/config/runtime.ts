/** How the agent finds containers on its machine. */
import { z } from 'zod';
import { duration } from './quantity.ts';

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
});
