/** A replica of a stateless container, made from what the engine says of the original. Pure. */
import type { InspectedContainer } from './api.ts';
import { memoryLabel, replicaLabel } from './discovery.ts';

export type ReplicaPlan =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly reason: string };

/** `replicaName`: in Docker and in the subjects. */
export function planReplica(original: InspectedContainer, source: string, replicaName: string): ReplicaPlan {
  const { Config, HostConfig } = original;
  const obstacle = obstacleOf(original, source);
  if (obstacle !== null) return { ok: false, reason: obstacle };
  const { Hostname: _, MacAddress: __, Labels, ...config } = Config;
  return {
    ok: true,
    body: {
      ...config,
      Labels: { ...Labels, [memoryLabel]: replicaName, [replicaLabel]: source },
      HostConfig: { ...HostConfig, ContainerIDFile: '' },
    },
  };
}

/** What two containers cannot both have, or what would make the copy another thing than the original. */
function obstacleOf({ Config, HostConfig }: InspectedContainer, source: string): string | null {
  if (Config.Labels[replicaLabel] !== undefined) {
    return `${source} is a replica of ${Config.Labels[replicaLabel]}; make replicas from the original`;
  }
  const ports = publishedPorts(HostConfig['PortBindings']);
  if (ports.length > 0) {
    return `${source} publishes the fixed ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}; let Docker choose (publish to port 0)`;
  }
  if (HostConfig.NetworkMode === 'host')
    return `${source} is on the network of the host, whose ports are taken`;
  if (HostConfig.NetworkMode.startsWith('container:')) {
    return `${source} shares the network of another container, whose ports are taken`;
  }
  return null;
}

function publishedPorts(bindings: unknown): string[] {
  if (typeof bindings !== 'object' || bindings === null) return [];
  return Object.values(bindings)
    .flat()
    .map((binding: unknown) =>
      typeof binding === 'object' && binding !== null && 'HostPort' in binding
        ? String(binding.HostPort)
        : '',
    )
    .filter((port) => port !== '' && port !== '0');
}
