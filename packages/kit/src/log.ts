/**
 * One JSON line per event on standard output, for whatever collects a container's output. Lines are written
 * synchronously, so that the last words of a dying process are not lost; values under secret names are never written.
 */
import { type DestinationStream, type LevelWithSilent, type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger } from 'pino';
export type LogLevel = LevelWithSilent;

export interface LoggerOptions {
  readonly name: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default standard output. */
  readonly destination?: DestinationStream;
  /** Pretty output is the reader's business: pipe the lines through a formatter. */
  readonly pretty?: never;
}

const secretNames = ['password', 'passphrase', 'seed', 'token', 'secret', 'credentials'];

export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level ?? 'info',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
