/** `nautilus validate`: the operator's system check, on the live system, with a grade that its evidence stands beside. */
import { NautilusError } from '@nautilus/contracts';
import { asOption } from '../connection/container-option.ts';
import { nextSample } from '../connection/next-sample.ts';
import { openBus, withBus } from '../connection/open-bus.ts';
import type { Call } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { readConfig } from '../run-config.ts';
import { printable } from '../terminal/table.ts';
import { type Check, checks, type Stage, Wrong } from '../validate/checks.ts';
import { type Finding, type Grade, gradeOf, grades } from '../validate/grade.ts';

export const validateCommand: Command = {
  name: 'validate',
  summary: 'Checks a live system with real leases, maps, grants and refusals, and grades it.',
  details: [
    `Every line is evidence that was just seen. Grades: ${Object.entries(grades)
      .map(([grade, text]) => `${grade}, ${text}`)
      .join('; ')}. Exit code 0 with A and B, else 1.`,
    'It leases 64 KiB in the name of one container, grants them to another, and gives everything back.',
  ],
  options: [
    { ...asOption, summary: 'Container that leases; portfolio. Its seed is needed.' },
    { name: 'reader', value: 'CONTAINER', summary: 'Container that reads; sandbox. Its seed is needed.' },
    { name: 'pool', value: 'POOL', summary: 'Pool that is leased from; temporary.' },
  ],
  examples: [
    { line: 'validate', says: 'Beside a running `nautilus up`.' },
    {
      line: 'validate --as order-gateway --reader reporting --json',
      says: 'With other containers, for a deployment gate.',
    },
  ],
  connects: true,
  run: (call) =>
    withBus(call, async (bus) => {
      const names = { owner: call.text('as') ?? 'portfolio', reader: call.text('reader') ?? 'sandbox' };
      // Only here is the addon loaded: help and completion must work where it is not built.
      const { connect } = await import('@nautilus/client');
      await using ownerBus = await openBus(call, names.owner);
      await using readerBus = await openBus(call, names.reader);
      await using owner = await connect({ container: names.owner, host: call.host, bus: ownerBus });
      await using reader = await connect({ container: names.reader, host: call.host, bus: readerBus });
      const stage: Stage = {
        host: call.host,
        bus,
        owner: { name: names.owner, client: owner, bus: ownerBus },
        reader: { name: names.reader, client: reader },
        pool: call.text('pool') ?? 'temporary',
        config: readConfig(call.text('config'), call.surroundings).config,
        sample: () => nextSample(call, bus),
        now: call.surroundings.now,
        made: { block: null, segment: null, leasedBefore: 0 },
      };
      const findings: Finding[] = [];
      for (const check of checks) {
        call.surroundings.signal.throwIfAborted();
        const finding = await call.wait(check.name, findOut(check, stage));
        findings.push(finding);
        if (!call.json) call.print(lineOf(call, finding));
      }
      const grade = gradeOf(findings);
      if (call.json)
        call.print(
          JSON.stringify({ grade, meaning: grades[grade], host: call.host, at: stage.now(), findings }),
        );
      else call.print(`\n${paint(call, grade)(`grade ${grade}: ${grades[grade]}`)}`);
      return grade === 'A' || grade === 'B' ? exitCodes.done.code : exitCodes.negative.code;
    }),
};

async function findOut({ name, isVital, run }: Check, stage: Stage): Promise<Finding> {
  const from = performance.now();
  const found = (state: Finding['state'], evidence: string): Finding => ({
    check: name,
    state,
    isVital,
    evidence,
    tookMs: Math.round((performance.now() - from) * 10) / 10,
  });
  try {
    const evidence = await run(stage);
    return evidence.startsWith('skipped: ')
      ? found('skipped', evidence.slice('skipped: '.length))
      : found('passed', evidence);
  } catch (error) {
    if (error instanceof Wrong) return found('failed', error.message);
    if (error instanceof NautilusError) return found('failed', `${error.code}: ${error.message}`);
    throw error;
  }
}

function lineOf({ colours }: Call, { check, state, evidence, tookMs }: Finding): string {
  const mark = { passed: colours.green('✓'), failed: colours.red('✗'), skipped: colours.yellow('–') }[state];
  return `${mark} ${check.padEnd(32)} ${printable(evidence)} ${colours.dim(`(${tookMs} ms)`)}`;
}

function paint({ colours }: Call, grade: Grade): (text: string) => string {
  return grade === 'A' ? colours.green : grade === 'F' ? colours.red : colours.yellow;
}
