/** The histories of all hosts that are heard of, and the answers to questions about them. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AgentSample,
  fail,
  type HistoryPoint,
  isToken,
  mostHistoryPoints,
  ok,
  type Result,
} from '@nautilus/contracts';
import type { Logger } from '@nautilus/kit';
import { History } from './history.ts';
import { Answer, type Question, TooManyPoints } from './query.ts';
import { seriesOf } from './series-of.ts';

export interface ArchiveOptions {
  readonly directory: string;
  readonly mostBytes: number;
  readonly now: () => number;
  readonly log: Logger;
}

/** A hundredth of what is kept: no more goes with a file that cannot be read. */
const fileMs = 15 * 60_000;
const keepMs = 24 * 3_600_000;
/** Told again no sooner, or a full disk would fill the log as well. */
const quietMs = 60_000;
/** Names come with messages: nobody shall fill a disk with hosts that are none. */
const mostHosts = 64;

interface Kept {
  readonly history: History;
  names: readonly string[];
  rowsLost: number;
}

export interface Answered {
  series: { name: string; points: (HistoryPoint | null)[] }[];
}

export class Archive {
  readonly #options: ArchiveOptions;
  readonly #hosts = new Map<string, Kept>();
  #toldAt = Number.NEGATIVE_INFINITY;

  /** Throws what the file system says when the directory cannot be used. */
  constructor(options: ArchiveOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.#removeForgotten();
  }

  take(sample: AgentSample): void {
    const kept = this.#of(sample.host);
    if (kept === null) return;
    const series = seriesOf(sample);
    kept.names = [...series.keys()];
    if (!kept.history.append(sample.at, series)) kept.rowsLost += 1;
  }

  async query(host: string, question: Question): Promise<Result<Answered>> {
    const kept = this.#known(host);
    if (kept === null) return unknownHost(host);
    const steps = Math.floor((question.to - question.from) / question.stepMs) + 1;
    if (steps > mostHistoryPoints) return tooMuch(steps, 1);
    const answer = new Answer(question, Math.floor(mostHistoryPoints / steps));
    const end = question.from + steps * question.stepMs - 1;
    try {
      await kept.history.read(question.from, Math.min(end, question.to), (row) => answer.take(row));
    } catch (error) {
      if (error instanceof TooManyPoints) return tooMuch(steps, error.series);
      throw error;
    }
    return ok({ series: [...answer.points()].map(([name, points]) => ({ name, points })) });
  }

  list(host: string): Result<{ series: string[]; storedBytes: number; rowsLost: number }> {
    const kept = this.#known(host);
    if (kept === null) return unknownHost(host);
    return ok({
      series: [...kept.names].sort(),
      storedBytes: kept.history.bytes,
      rowsLost: kept.rowsLost,
    });
  }

  close(): void {
    for (const { history } of this.#hosts.values()) history.close();
  }

  /** Hosts of which nothing was heard for longer than anything is kept. */
  #removeForgotten(): void {
    const { directory, now } = this.#options;
    for (const host of readdirSync(directory)) {
      const path = join(directory, host);
      const files = isToken(host) && statSync(path).isDirectory() ? readdirSync(path) : [];
      const isForgotten = files.every((name) => statSync(join(path, name)).mtimeMs < now() - keepMs);
      if (files.length > 0 && isForgotten) rmSync(path, { recursive: true, force: true });
    }
  }

  /** A host of an earlier run is found by its directory, before its first sample. */
  #known(host: string): Kept | null {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const isStored = isToken(host) && existsSync(join(this.#options.directory, host));
    return isStored ? this.#of(host) : null;
  }

  #of(host: string): Kept | null {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    if (!isToken(host) || this.#hosts.size >= mostHosts) {
      this.#tell(`no history is kept of host "${host.slice(0, 64)}": ${mostHosts} hosts are the most`);
      return null;
    }
    try {
      const { directory, mostBytes } = this.#options;
      const history = new History({
        directory: join(directory, host),
        keepMs,
        mostBytes,
        fileMs,
        now: this.#options.now,
        onTrouble: (text, error) => this.#tell(text, error),
      });
      const kept: Kept = { history, names: [], rowsLost: 0 };
      this.#hosts.set(host, kept);
      return kept;
    } catch (error) {
      this.#tell(`no history can be kept of host ${host}`, error);
      return null;
    }
  }

  #tell(text: string, error?: unknown): void {
    const now = this.#options.now();
    if (now - this.#toldAt < quietMs) return;
    this.#toldAt = now;
    this.#options.log.warn({ err: error }, text);
  }
}

function unknownHost(host: string) {
  return fail('unknown_host', `no sample of host ${host} was ever heard here`, { host });
}

function tooMuch(steps: number, series: number) {
  return fail(
    'invalid_request',
    `${steps} steps of ${series} series or more are ${steps * series} points, ${mostHistoryPoints} are the most; ask for a longer stepMs, a shorter time or fewer series`,
  );
}
