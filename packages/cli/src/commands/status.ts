/** `nautilus status`: one page about a host, from the next sample and what the services answer. */
import { type AgentSample, type AlertBody, exchanges, formatBytes, NautilusError } from '@nautilus/contracts';
import { nextSample } from '../connection/next-sample.ts';
import { withBus } from '../connection/open-bus.ts';
import type { Call } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { tierColour } from '../terminal/colour.ts';
import { printable, renderTable } from '../terminal/table.ts';
import { bar } from '../up/status.ts';

export interface HostStatus {
  readonly sample: AgentSample;
  /** Null: the monitor did not answer, which is not the same as none. */
  readonly alerts: readonly AlertBody[] | null;
  readonly alertsMissing: string | null;
}

export const statusCommand: Command = {
  name: 'status',
  summary: 'One page about a host: memory, regions, pools, containers, alerts.',
  details: [
    'Exit code 1 when an alert of tier critical or emergency is raised, or the alerts are not known.',
  ],
  examples: [
    { line: 'status', says: 'The host of the running system.' },
    { line: 'status --host h2 --json', says: 'Another host, for machines.' },
  ],
  connects: true,
  run: (call) =>
    withBus(call, async (bus) => {
      const sample = await nextSample(call, bus);
      let alerts: AlertBody[] | null = null;
      let alertsMissing: string | null = null;
      try {
        ({ alerts } = await bus.request(exchanges.listAlerts, {}, { host: call.host }));
      } catch (error) {
        if (!(error instanceof NautilusError)) throw error;
        alertsMissing = error.message;
      }
      const status: HostStatus = { sample, alerts, alertsMissing };
      call.answer(status, () => renderHostStatus(status, call));
      const isWell = alerts?.every(({ tier }) => tier === 'info' || tier === 'warning') === true;
      return isWell ? exitCodes.done.code : exitCodes.negative.code;
    }),
};

const size = formatBytes;

export function renderHostStatus(
  { sample, alerts, alertsMissing }: HostStatus,
  { colours }: Pick<Call, 'colours'>,
): string {
  const { memory, capacity, segments } = sample;
  const used = memory.totalBytes - memory.availableBytes;
  const held = capacity.leasedBytes + capacity.lingeringBytes;
  return [
    colours.bold(`Host ${sample.host}`),
    `memory  ${bar(used, memory.totalBytes)}  ${size(used)} of ${size(memory.totalBytes)} used by everything on the machine`,
    `leases  ${bar(held, capacity.grantableBytes)}  ${size(held)} of ${size(capacity.grantableBytes)} in ${segments.live} segments`,
    '',
    renderTable(
      ['REGION', '>LEASED', '>OF', 'USE', 'DEVICE'],
      sample.regions.map(({ name, leasedBytes, capacityBytes, device }) => [
        name,
        size(leasedBytes),
        size(capacityBytes),
        bar(leasedBytes, capacityBytes),
        device === undefined
          ? ''
          : device.state === 'as-wanted'
            ? device.device
            : `${device.device} (${device.wanted} ${device.state})`,
      ]),
    ),
    '',
    renderTable(
      ['POOL', '>LEASED', '>LIMIT', 'USE', '>LIVE', '>SEGMENTS', 'STRATEGY'],
      sample.pools.map(({ name, leasedBytes, limitBytes, liveBytes, segments: count, strategy }) => [
        name,
        size(leasedBytes),
        size(limitBytes),
        bar(leasedBytes, limitBytes),
        size(liveBytes),
        String(count),
        strategy,
      ]),
    ),
    '',
    renderTable(
      ['CONTAINER', '>LEASED', '>BUDGET', 'USE', '>LIVE', 'PRIORITY', ''],
      sample.containers.map(({ name, leasedBytes, budgetBytes, liveBytes, spec, connected }) => [
        name,
        size(leasedBytes),
        size(budgetBytes),
        bar(leasedBytes, budgetBytes),
        size(liveBytes),
        spec.priority,
        connected ? 'connected' : '',
      ]),
    ),
    '',
    alerts === null
      ? colours.yellow(`alerts not known: ${alertsMissing}`)
      : alerts.length === 0
        ? 'no alerts'
        : alerts
            .map(
              ({ tier, scope, text }) =>
                `${tierColour(colours, tier)(tier.toUpperCase())} ${printable(`${scope.kind} ${scope.name}: ${text}`)}`,
            )
            .join('\n'),
    ...Object.entries(sample.missing).map(([name, reason]) =>
      colours.dim(`not measured: ${name} (${printable(reason)})`),
    ),
  ].join('\n');
}
