/** For programs that drive the command: its parts without the process. */
export type { Command } from './line/command.ts';
export { exitCodes } from './line/exit-codes.ts';
export { guidePage } from './line/guide.ts';
export type { Output, Surroundings } from './line/surroundings.ts';
export { commands } from './registry.ts';
export { runCommandLine } from './run.ts';
export { renderStatus } from './up/status.ts';
export { type Evidence, judge, type Verdict } from './up/verdict.ts';
