/** The exit codes of every command, once: help prints this table, and each fault code is in one row. */
import { type ErrorCode, errorTable } from '@nautilus/contracts';

export const exitCodes = {
  done: { code: 0, summary: 'Done.' },
  negative: {
    code: 1,
    summary: 'Done, and what was asked about is not well: a check failed, a job did not succeed.',
  },
  usage: { code: 2, summary: 'The command line or the request is wrong; nothing was done.' },
  unavailable: {
    code: 3,
    summary: 'Nobody answered: NATS or the service is away, starting or too slow. Try again later.',
  },
  refused: { code: 4, summary: 'Refused: permissions, identity, a budget, or no room.' },
  unknown: { code: 5, summary: 'There is no host, container, pool, segment, block or job of that name.' },
  config: { code: 6, summary: 'The configuration is wrong.' },
  internal: { code: 70, summary: 'A bug, or something this machine or build cannot do.' },
  interrupted: { code: 130, summary: 'Interrupted before it was done.' },
} as const;

/** Example: `exitCodeOf('over_budget')` is 4. */
export function exitCodeOf(fault: ErrorCode): number {
  if (fault === 'config_invalid') return exitCodes.config.code;
  const { status } = errorTable[fault];
  if (status === 499) return exitCodes.interrupted.code;
  if (status === 404 || status === 410) return exitCodes.unknown.code;
  if (status === 400 || status === 413) return exitCodes.usage.code;
  if (status === 503 || status === 504) return exitCodes.unavailable.code;
  if (status === 403 || status === 409 || status === 422 || status === 507) return exitCodes.refused.code;
  return exitCodes.internal.code;
}
