/** Every command: one file and one line each. Help, completion and docs/guides/command-line.md are made from this list. */
import { alertsCommand } from './commands/alerts.ts';
import { allocCommand } from './commands/alloc.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { freeCommand } from './commands/free.ts';
import { historyCommand } from './commands/history.ts';
import { identityCommand } from './commands/identity.ts';
import { jobsCommand } from './commands/jobs.ts';
import { mapCommand } from './commands/map.ts';
import { statusCommand } from './commands/status.ts';
import { topCommand } from './commands/top.ts';
import { upCommand } from './commands/up.ts';
import { validateCommand } from './commands/validate.ts';
import type { Command } from './line/command.ts';

const others: readonly Command[] = [
  upCommand,
  statusCommand,
  topCommand,
  explainCommand,
  allocCommand,
  freeCommand,
  mapCommand,
  alertsCommand,
  jobsCommand,
  historyCommand,
  validateCommand,
  identityCommand,
  configCommand,
  doctorCommand,
];

export const commands: readonly Command[] = [...others, completionCommand(others)];
