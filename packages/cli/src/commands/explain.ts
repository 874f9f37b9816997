/** `nautilus explain CONTAINER`: what a container may have and has, and the reason in words and numbers. */
import {
  type ContainerForecast,
  exchanges,
  fail,
  formatBytes,
  formatDuration,
  NautilusError,
} from '@nautilus/contracts';
import { withBus } from '../connection/open-bus.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { printable } from '../terminal/table.ts';

export const explainCommand: Command = {
  name: 'explain',
  summary: 'Says why a container has the budget it has.',
  positionals: [{ name: 'CONTAINER', summary: 'Name of the container.' }],
  examples: [
    {
      line: 'explain risk-engine',
      says: 'Budget, use, the reason of the last plan, and what the agent last wrote.',
    },
  ],
  connects: true,
  run: (call) =>
    withBus(call, async (bus) => {
      const { host } = call;
      const container = call.positional('CONTAINER');
      const {
        plan,
        leader,
        epoch,
        container: known,
      } = await call.wait(
        'asking the orchestrator',
        bus.request(exchanges.explainPlan, {}, { host, container }, { signal: call.surroundings.signal }),
      );
      const observed = known?.observed ?? null;
      const budget = plan?.budgets.find((planned) => planned.container === container) ?? null;
      if (budget === null && observed === null) {
        const names = plan?.budgets.map((planned) => planned.container).join(', ') ?? 'none planned yet';
        throw new NautilusError(
          fail('unknown_container', `host ${host} knows no container "${container}"; there are ${names}`)
            .fault,
        );
      }
      const answer = {
        container,
        host,
        plan: plan === null ? null : { plan: plan.plan, decidedAt: plan.decidedAt, frozen: plan.frozen },
        leader,
        epoch,
        budget,
        desired: known?.desired ?? null,
        observed,
        forecast: known?.forecast ?? null,
        remembered: known?.remembered ?? null,
        limitWrites: known?.limitWrites ?? [],
        reflexReceipts: known?.reflexReceipts ?? [],
      };
      call.answer(answer, () => {
        const now = observed ?? undefined;
        const kernel = now?.kernel;
        return [
          call.colours.bold(`${container} on ${host}`),
          ...(now === undefined
            ? ['the agent has not reported it']
            : [
                `may have    ${formatBytes(now.budgetBytes)} (configured ${formatBytes(now.spec.minimumBytes)} to ${formatBytes(now.spec.maximumBytes)}, ${now.spec.priority}, ${now.spec.policy})`,
                `has leased  ${formatBytes(now.leasedBytes)}, ${formatBytes(now.liveBytes)} of it in live blocks; most so far ${formatBytes(now.highWaterBytes)}`,
                ...(now.refusedBytes > 0
                  ? [`refused     ${formatBytes(now.refusedBytes)} since the last report`]
                  : []),
              ]),
          ...(kernel === undefined
            ? []
            : [
                `kernel      ${kernel.usageBytes === null ? 'use not known' : `${formatBytes(kernel.usageBytes)} used`}, ${kernel.limitBytes === null ? (kernel.hasNoLimit ? 'no limit' : 'limit not known') : `limit ${formatBytes(kernel.limitBytes)}`} (${kernel.runtime})`,
                ...(kernel.lastLimit === null
                  ? []
                  : [`limit       ${kernel.lastLimit.outcome}: ${printable(kernel.lastLimit.reason)}`]),
              ]),
          ...(budget === null
            ? ['no plan names it yet']
            : [
                `planned     ${formatBytes(budget.budgetBytes)}${budget.previousBytes === null ? '' : `, was ${formatBytes(budget.previousBytes)}`}`,
                `because     ${printable(budget.reason)}`,
              ]),
          ...expected(known?.forecast ?? null),
          ...(known?.reflexReceipts ?? []).map(
            ({ at, step, outcome, reason }) =>
              `emergency   ${new Date(at).toISOString()} ${step}: ${outcome}, ${printable(reason)}`,
          ),
          ...(plan === null
            ? []
            : [
                `plan ${plan.plan} of ${new Date(plan.decidedAt).toISOString()}${plan.frozen === null ? '' : `, frozen: ${plan.frozen}`}`,
              ]),
        ].join('\n');
      });
      return exitCodes.done.code;
    }),
};

/** What the monitor expects, with how often it was right. */
function expected(forecast: ContainerForecast | null): string[] {
  if (forecast === null) return [];
  if (forecast.state === 'cold') return [`expected    nothing yet: ${printable(forecast.reason)}`];
  return forecast.horizons.map(
    ({ horizonMs, p50, p95, model, coverage }) =>
      `expected    within ${formatDuration(horizonMs)}: ${formatBytes(p50)}, at most ${formatBytes(p95)} (${model}, ${coverage === null ? 'not scored yet' : `held ${Math.round(coverage * 100)}% of the time`})`,
  );
}
