/** `host.describe`: the machine as it was found at start, with what is missing and why. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import { probeHost } from '@nautilus/native';
import type { Agent } from '../agent.ts';

export function hostEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.describeHost,
    host: agent.host,
    party: 'agent',
    handle: () =>
      ok({
        host: agent.host,
        instance: agent.instance,
        startedAt: agent.startedAt,
        socketPath: agent.config.host.socket,
        scale: agent.shape.scale,
        managedBytes: agent.shape.managedBytes,
        reservedBytes: agent.shape.reservedBytes,
        hardware: { ...probeHost() },
      }),
  });
}
