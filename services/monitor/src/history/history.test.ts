/** History outlives restarts, kills and damage: whole rows come back as they were, and what was not measured is a gap. */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History } from './history.ts';
import { Answer } from './query.ts';

const directories: string[] = [];
const minute = 60_000;
const start = 1_700_000_000_000;

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nautilus-history-'));
  directories.push(directory);
  return directory;
}

beforeEach(() => {
  clock.at = start;
});
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Of the monitor. */
const clock = { at: start };

function open(directory: string, options: { mostBytes?: number; keepMs?: number } = {}) {
  const troubles: string[] = [];
  const history = new History({
    directory,
    keepMs: 60 * minute,
    mostBytes: 2 ** 30,
    fileMs: 5 * minute,
    now: () => clock.at,
    onTrouble: (text) => troubles.push(text),
    ...options,
  });
  return { history, troubles };
}

const row = (value: number) => new Map([['host/availableBytes', value]]);

async function valuesIn(history: History, from = 0, to = Number.MAX_SAFE_INTEGER) {
  const seen: [number, number][] = [];
  await history.read(from, to, ({ at, values, names }) => {
    seen.push([(at - start) / 1000, values[names.indexOf('host/availableBytes')] ?? Number.NaN]);
  });
  return seen;
}

/** Seconds `from` to `to`, each with its own number. */
function write(history: History, from: number, to: number): void {
  for (let second = from; second <= to; second += 1) {
    clock.at = Math.max(clock.at, start + second * 1000);
    history.append(start + second * 1000, row(second * 7));
  }
}

const expected = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => [from + index, (from + index) * 7]);

describe('history', () => {
  it('is there after a restart, over the borders of files', async () => {
    const directory = place();
    const first = open(directory);
    write(first.history, 0, 400);
    first.history.close();
    const second = open(directory);
    write(second.history, 401, 800);
    expect(await valuesIn(second.history)).toEqual(expected(0, 800));
    expect(await valuesIn(second.history, start + 390_000, start + 410_000)).toEqual(expected(390, 410));
    expect(readdirSync(directory).length).toBeGreaterThan(2);
    expect(second.troubles).toEqual([]);
  });

  it('of a process that was killed has every row that it had appended', async () => {
    const directory = place();
    const index = JSON.stringify(new URL('./history.ts', import.meta.url).href);
    const tsx = JSON.stringify(createRequire(import.meta.url).resolve('tsx/esm/api'));
    const script = `
      require(${tsx}).register();
      import(${index}).then(({ History }) => {
        const history = new History({ directory: ${JSON.stringify(directory)}, keepMs: 1e9, mostBytes: 1e9,
          fileMs: 100_000, now: () => ${start} + second * 1000, onTrouble: () => {} });
        let second = 0;
        const step = () => {
          for (let count = 0; count < 50; count += 1, second += 1) {
            history.append(${start} + second * 1000, new Map([['host/availableBytes', second * 7]]));
          }
          process.stdout.write(second + '\\n');
          setImmediate(step);
        };
        step();
      });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = 0;
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (text: Buffer) => {
        said = Number(text.toString().trim().split('\n').at(-1));
        if (said > 2000) child.kill('SIGKILL');
      });
      child.once('close', () => resolve());
    });
    const seen = await valuesIn(open(directory).history);
    expect(seen.length).toBeGreaterThanOrEqual(said);
    expect(seen).toEqual(expected(0, seen.length - 1));
  });

  it('is cut off at the tear, wherever a file was torn, and goes on in a new one', async () => {
    const directory = place();
    const { history } = open(directory);
    write(history, 0, 50);
    history.close();
    const path = join(directory, '00000000.rows');
    const whole = readFileSync(path);
    for (let bytes = whole.length - 1; bytes > whole.length - 60; bytes -= 1) {
      writeFileSync(path, whole);
      truncateSync(path, bytes);
      const again = open(directory);
      const seen = await valuesIn(again.history);
      expect(seen).toEqual(expected(0, seen.length - 1));
      expect(seen.length).toBeGreaterThanOrEqual(45);
      again.history.close();
    }
    const after = open(directory);
    const { length } = await valuesIn(after.history);
    write(after.history, length, length + 3);
    expect(await valuesIn(after.history)).toEqual(expected(0, length + 3));
  });

  it('says that a tail was torn, and ignores what is none of its files', async () => {
    const directory = place();
    const { history } = open(directory);
    write(history, 0, 10);
    history.close();
    appendFileSync(join(directory, '00000000.rows'), 'torn');
    writeFileSync(join(directory, '00000007.rows'), '');
    writeFileSync(join(directory, 'notes.txt'), 'kept');
    const again = open(directory);
    expect(again.troubles).toEqual([expect.stringContaining('4 bytes at the end')]);
    expect(await valuesIn(again.history)).toEqual(expected(0, 10));
    expect(readdirSync(directory).sort()).toEqual(['00000000.rows', 'notes.txt']);
  });

  it('keeps its time and its size, the newest rows last to go', async () => {
    const directory = place();
    const byTime = open(directory, { keepMs: 10 * minute });
    write(byTime.history, 0, 3600);
    const seen = await valuesIn(byTime.history);
    expect(seen.at(-1)?.[0]).toBe(3600);
    expect(seen[0]?.[0]).toBeGreaterThanOrEqual(3600 - 15 * 60);
    const bySize = open(place(), { mostBytes: 20_000 });
    write(bySize.history, 0, 3600);
    // One file more than fits is being written.
    expect(bySize.history.bytes).toBeLessThan(30_000);
    expect((await valuesIn(bySize.history)).at(-1)?.[0]).toBe(3600);
  });

  it('takes a clock that was set back, and answers by the time that the rows say', async () => {
    const { history } = open(place());
    write(history, 100, 110);
    write(history, 50, 60);
    expect(await valuesIn(history, start + 55_000, start + 105_000)).toEqual([
      ...expected(100, 105),
      ...expected(55, 60),
    ]);
  });

  it('does not let a clock that is ahead make everything old', async () => {
    const { history, troubles } = open(place());
    write(history, 0, 700);
    expect(history.append(start + 30 * 24 * 3_600_000, row(1))).toBe(false);
    write(history, 701, 1400);
    expect(await valuesIn(history)).toEqual(expected(0, 1400));
    expect(troubles).toEqual([expect.stringMatching(/its clock is \d+ s ahead/)]);
  });

  it('is bounded in bytes also by a clock that stands still, and in files by one that swings', () => {
    const standing = open(place(), { mostBytes: 40_000 });
    for (let count = 0; count < 5_000; count += 1) standing.history.append(start, row(count * 1_000_003));
    expect(standing.history.bytes).toBeLessThan(50_000);
    const directory = place();
    const swinging = open(directory);
    for (let count = 0; count < 1_000; count += 1)
      swinging.history.append(start + (count % 2) * 5_000, row(count));
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('refuses what it could not read again, and leaves alone what a newer version wrote', async () => {
    const directory = place();
    writeFileSync(join(directory, '00000003.rows'), 'NMHIST99 and then something');
    const { history, troubles } = open(directory);
    const tooMany = new Map(Array.from({ length: 70_000 }, (_, index) => [`s${index}`, 1]));
    expect(history.append(start, tooMany)).toBe(false);
    clock.at += 10_000;
    write(history, 10, 12);
    expect(await valuesIn(history)).toEqual(expected(10, 12));
    history.close();
    expect(readdirSync(directory)).toContain('00000003.rows');
    expect(troubles).toEqual([
      expect.stringContaining('is no history of this version'),
      'a row of history is lost',
    ]);
  });

  it('loses a row and not the process when nothing can be written', async () => {
    const directory = place();
    const { history, troubles } = open(directory);
    write(history, 0, 5);
    rmSync(directory, { recursive: true });
    // The file that is open can still be written; the next one cannot be made.
    clock.at = start + 10 * minute;
    expect(history.append(clock.at, row(1))).toBe(false);
    expect(troubles).toEqual(['a row of history is lost']);
  });
});

describe('a question', () => {
  const ask = async (history: History, stepMs: number, series: string[], seconds: number) => {
    const answer = new Answer({ from: start, to: start + seconds * 1000 - 1, stepMs, series });
    await history.read(start, start + seconds * 1000 - 1, (each) => answer.take(each));
    return Object.fromEntries(answer.points());
  };

  it('is answered in steps with least, most, mean and last, and a gap where nothing was measured', async () => {
    const { history } = open(place());
    clock.at = start + 10_000;
    for (const [second, value] of [
      [0, 4],
      [1, 10],
      [2, 1],
      [8, 5],
    ] as const)
      history.append(
        start + second * 1000,
        new Map([['a/x', value], ...(second === 8 ? [['b/y', 9] as const] : [])]),
      );
    expect(await ask(history, 3000, ['*'], 9)).toEqual({
      'a/x': [
        { minimum: 1, maximum: 10, mean: 5, last: 1 },
        null,
        { minimum: 5, maximum: 5, mean: 5, last: 5 },
      ],
      'b/y': [null, null, { minimum: 9, maximum: 9, mean: 9, last: 9 }],
    });
    expect(Object.keys(await ask(history, 3000, ['a/*', 'c'], 9))).toEqual(['a/x']);
  });
});

it('a day of 16 containers with 12 figures each is less than 64 MiB', () => {
  const directory = place();
  const { history } = open(directory, { keepMs: 48 * 3_600_000 });
  const series = new Map<string, number>();
  // A quarter of an hour of figures that move all the time, most of them by pages.
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let second = 0; second < 900; second += 1) {
    clock.at = start + second * 1000;
    for (let container = 0; container < 16; container += 1)
      for (let figure = 0; figure < 12; figure += 1) {
        const name = `container/c${container}/f${figure}`;
        const before = series.get(name) ?? 2 ** 30;
        series.set(name, before + Math.round((random() - 0.5) * 500) * 4096);
      }
    history.append(start + second * 1000, series);
  }
  history.close();
  const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  expect((bytes / 900) * 86_400).toBeLessThan(64 * 2 ** 20);
});
