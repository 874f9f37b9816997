/** `nautilus jobs`: the calendar of maintenance, and a job right now. */
import { exchanges, type JobRun } from '@nautilus/contracts';
import { withBus } from '../connection/open-bus.ts';
import { type Call, refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { renderTable } from '../terminal/table.ts';

/** A job may take maintenance.job_deadline, five minutes by default; the answer is waited for a little longer. */
const patienceMs = 330_000;

export const jobsCommand: Command = {
  name: 'jobs',
  summary: 'Shows the calendar of maintenance and its last runs, or runs a job now.',
  positionals: [
    { name: 'ACTION', summary: 'What to do; list.', isOptional: true, choices: ['list', 'run'] },
    { name: 'JOB', summary: 'Job to run.', isOptional: true },
  ],
  options: [{ name: 'dry-run', summary: 'With run: say what would be done, and do nothing.' }],
  examples: [
    { line: 'jobs', says: 'Every job with its next time, and how it last went.' },
    { line: 'jobs run clean-up --dry-run', says: 'What the clean-up would collect on this host.' },
  ],
  connects: true,
  run: async (call) => {
    const job = call.positional('JOB');
    if (call.positional('ACTION') !== 'run') {
      if (job !== '' || call.flag('dry-run'))
        throw refuse('jobs list takes no job; did you mean `nautilus jobs run`?');
      return list(call);
    }
    if (job === '') throw refuse('jobs run: JOB is missing; `nautilus jobs` lists them');
    return run(call, job);
  },
};

function list(call: Call): Promise<number> {
  return withBus(call, async (bus) => {
    const answer = await call.wait('asking maintenance', bus.request(exchanges.listJobs, {}, {}));
    call.answer(answer, () => {
      const jobs = answer.jobs.map(({ job, schedule, timezone, nextAt, summary }) => [
        job,
        schedule,
        timezone,
        nextAt === null ? 'never' : time(nextAt),
        summary,
      ]);
      const runs = answer.runs.map((one) => [
        one.job,
        one.host,
        one.trigger,
        one.outcome,
        time(one.startedAt),
        one.reason ?? '',
      ]);
      return `${renderTable(['JOB', 'SCHEDULE', 'ZONE', 'NEXT', 'WHAT'], jobs)}\n\n${
        runs.length === 0
          ? 'nothing has run yet'
          : renderTable(['JOB', 'HOST', 'BECAUSE OF', 'OUTCOME', 'STARTED', 'REASON'], runs)
      }`;
    });
    return exitCodes.done.code;
  });
}

function run(call: Call, job: string): Promise<number> {
  return withBus(call, async (bus) => {
    const body = { job, host: call.host, dryRun: call.flag('dry-run') };
    const options = { timeoutMs: patienceMs, signal: call.surroundings.signal };
    const ran: JobRun = await call.wait(
      `running ${job} on ${call.host}`,
      bus.request(exchanges.runJob, {}, body, options),
    );
    call.answer(ran, () => {
      const paint = ran.outcome === 'done' ? call.colours.green : call.colours.red;
      const head = `${job} on ${ran.host}: ${paint(ran.outcome)}${ran.reason === null ? '' : ` (${ran.reason})`}${body.dryRun ? ', nothing was changed' : ''}`;
      return ran.report === null ? head : `${head}\n${JSON.stringify(ran.report, null, 2)}`;
    });
    return ran.outcome === 'done' ? exitCodes.done.code : exitCodes.negative.code;
  });
}

const time = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
