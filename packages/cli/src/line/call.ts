/** One call of a command: its values, checked as they are read, and the ways to the terminal and to NATS. */
import { fail, NautilusError, parseBytes, parseDuration } from '@nautilus/contracts';
import type { Connection } from '../connection/connection.ts';
import { type Colours, coloursFor } from '../terminal/colour.ts';
import { withProgress } from '../terminal/progress.ts';
import type { Parsed } from './parse.ts';
import type { Surroundings } from './surroundings.ts';

export interface CallParts {
  readonly parsed: Parsed;
  readonly surroundings: Surroundings;
  /** Where NATS is; looked for at the first question only. */
  readonly connection: () => Connection;
}

export class Call {
  readonly surroundings: Surroundings;
  readonly colours: Colours;
  readonly #parsed: Parsed;
  readonly #connection: () => Connection;
  #found: Connection | null = null;

  constructor({ parsed, surroundings, connection }: CallParts) {
    this.surroundings = surroundings;
    this.colours = coloursFor(surroundings.stdout, surroundings.env);
    this.#parsed = parsed;
    this.#connection = connection;
  }

  get json(): boolean {
    return this.flag('json');
  }

  get connection(): Connection {
    this.#found ??= this.#connection();
    return this.#found;
  }

  get host(): string {
    return this.connection.host;
  }

  get columns(): number {
    return this.surroundings.stdout.columns ?? 80;
  }

  flag(name: string): boolean {
    return this.#parsed.values[name] === true;
  }

  text(name: string): string | null {
    const value = this.#parsed.values[name];
    return typeof value === 'string' ? value : null;
  }

  positional(name: string): string {
    return this.#parsed.positionals[name] ?? '';
  }

  whole(name: string, range: { least: number; most: number; usual: number }): number {
    const text = this.text(name);
    if (text === null) return range.usual;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < range.least || value > range.most) {
      throw refuse(`--${name}: found "${text}", must be a whole number from ${range.least} to ${range.most}`);
    }
    return value;
  }

  duration(name: string, usualMs: number): number {
    const text = this.text(name);
    if (text === null) return usualMs;
    const value = parseDuration(text);
    if (value === null || value === 0)
      throw refuse(`--${name}: found "${text}", must be a duration such as 30s, 15m or 24h`);
    return value;
  }

  print(text: string): void {
    this.surroundings.stdout.write(`${text}\n`);
  }

  /** For people, or the same for machines. */
  answer(value: unknown, text: () => string): void {
    this.print(this.json ? JSON.stringify(value) : text());
  }

  /** Says on standard error that it is still at work, when that takes longer than a second. */
  wait<T>(what: string, work: Promise<T>): Promise<T> {
    return withProgress(this.surroundings.stderr, what, work);
  }
}

/** A wrong value on the command line. */
export function refuse(message: string): NautilusError {
  return new NautilusError(fail('invalid_request', message).fault);
}

/** Bytes of `4096` or `2MiB`. */
export function bytesOf(what: string, text: string): number {
  const bytes = /^\d+$/.test(text) ? Number(text) : parseBytes(text);
  if (bytes === null || !Number.isSafeInteger(bytes)) {
    throw refuse(`${what}: found "${text}", must be a size such as 4096, 64KiB or 2MiB`);
  }
  return bytes;
}
