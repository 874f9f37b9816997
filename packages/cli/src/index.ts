/** For programs that drive the command: its parts without the process. */
export { type Arguments, parseArguments } from './arguments.ts';
export { renderStatus } from './up/status.ts';
export { type Evidence, judge, type Verdict } from './up/verdict.ts';
