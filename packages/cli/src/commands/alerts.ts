/** `nautilus alerts`: what is raised now, or every step as it happens. */
import { type AlertBody, exchanges, notices, tiers } from '@nautilus/contracts';
import { withBus } from '../connection/open-bus.ts';
import type { Call } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { tierColour } from '../terminal/colour.ts';
import { printable } from '../terminal/table.ts';

export const alertsCommand: Command = {
  name: 'alerts',
  summary: 'Lists the alerts that are raised now, or follows them.',
  details: ['Exit code 1 when one is raised at or above --tier (warning).'],
  options: [
    {
      name: 'follow',
      short: 'f',
      summary: 'Stays, and prints every alert that is raised, changes its tier or clears, until Ctrl-C.',
    },
    {
      name: 'tier',
      value: 'TIER',
      summary: 'Mildest tier that is told; warning with the list, info with --follow.',
      choices: tiers,
    },
    { name: 'all-hosts', summary: 'Of every host, not of one.' },
  ],
  examples: [
    { line: 'alerts', says: 'What is raised now, with the page that says what to do.' },
    { line: 'alerts --follow --tier critical --json', says: 'One JSON object a line, for a pager.' },
  ],
  connects: true,
  run: (call) => (call.flag('follow') ? follow(call) : list(call)),
};

const rank = (tier: string) => (tiers as readonly string[]).indexOf(tier);

function list(call: Call): Promise<number> {
  return withBus(call, async (bus) => {
    const least = rank(call.text('tier') ?? 'warning');
    const body = call.flag('all-hosts') ? {} : { host: call.host };
    const { alerts } = await call.wait('asking the monitor', bus.request(exchanges.listAlerts, {}, body));
    const shown = alerts
      .filter(({ tier }) => rank(tier) >= least)
      .sort((a, b) => rank(b.tier) - rank(a.tier) || b.at - a.at);
    call.answer(shown, () =>
      shown.length === 0 ? 'none is raised' : shown.map((alert) => lineOf(call, alert)).join('\n'),
    );
    return shown.length === 0 ? exitCodes.done.code : exitCodes.negative.code;
  });
}

function follow(call: Call): Promise<number> {
  return withBus(call, async (bus) => {
    const least = rank(call.text('tier') ?? 'info');
    const host = call.flag('all-hosts') ? '*' : call.host;
    for (const party of tiers.slice(least)) {
      await bus.subscribe(notices.memoryPressure, { host, party, topic: '>' }, (alert) =>
        call.print(call.json ? JSON.stringify(alert) : lineOf(call, alert)),
      );
    }
    await bus.flush();
    if (!call.json)
      call.surroundings.stderr.write(
        `following alerts of ${host === '*' ? 'every host' : `host ${host}`}; Ctrl-C ends it\n`,
      );
    await untilAborted(call.surroundings.signal);
    return exitCodes.done.code;
  });
}

export function lineOf({ colours }: Pick<Call, 'colours'>, alert: AlertBody): string {
  const { tier, state, host, scope, text, at, runbook, alert: id } = alert;
  const words = `${host} ${scope.kind} ${scope.name}: ${text}`;
  return `${new Date(at).toISOString()} ${tierColour(colours, tier)(tier.toUpperCase().padEnd(9))} ${state.padEnd(7)} ${printable(words)}\n    ${colours.dim(printable(`${id}  ${runbook}`))}`;
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
