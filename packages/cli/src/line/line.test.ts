/** What is typed, against the registry: help teaches every command, and a mistake is named with its remedy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorTable, isErrorCode } from '@nautilus/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { commands } from '../registry.ts';
import { type } from '../testing/typed.ts';
import { completionScript } from './completion.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { parseLine } from './parse.ts';

const directory = mkdtempSync(join(tmpdir(), 'nautilus-line-'));
afterAll(() => rmSync(directory, { recursive: true }));
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

describe('the registry', () => {
  it('has no name twice, and an example that parses for every command', () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const { name, examples } of commands) {
      expect(examples.length, name).toBeGreaterThan(0);
      for (const { line } of examples) {
        const words = line.split(' > ')[0]?.split(' ') ?? [];
        expect(
          parseLine(
            commands,
            words.map((word) => word.replaceAll("'", '')),
          ),
          line,
        ).toMatchObject({ ok: true });
      }
    }
  });
});

describe('help', () => {
  it('lists every command and exit code, and asks for one with code 2', async () => {
    const { code, out } = await type(['--help']);
    expect(code).toBe(0);
    for (const { name } of commands) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
    for (const row of Object.values(exitCodes)) expect(out).toMatch(new RegExp(`^  ${row.code} `, 'm'));
    expect((await type([])).code).toBe(2);
  });

  for (const { name, summary, options = [] } of commands) {
    it(`teaches ${name} within 80 columns`, async () => {
      const { code, out } = await type(['help', name], { columns: 80 });
      expect(code).toBe(0);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(summary);
      expect(out).toContain(`Usage: nautilus ${name}`);
      expect(out).toContain('Examples');
      for (const option of options) expect(out).toContain(`--${option.name}`);
      const usage = out.split('\n').filter((line) => !/^Usage:|^ {2}nautilus /.test(line));
      expect(Math.max(...usage.map((line) => line.length))).toBeLessThanOrEqual(80);
    });
  }
});

describe('a mistake', () => {
  for (const [line, says] of [
    [['down'], /no command "down"; nautilus --help/],
    [['stauts'], /did you mean "status"/],
    [['up', 'again'], /found "again"/],
    [['up', '--seconds', 'ten'], /found "ten"/],
    [['up', '--seconds', '1'], /from 5 to 3600/],
    [['up', '--chekc'], /no option --chekc; did you mean --check/],
    [['explain'], /CONTAINER is missing/],
    [['alerts', '--tier', 'loud'], /found "loud", must be one of info, warning/],
    [['alloc', 'temporary', 'much', '--as', 'sandbox'], /SIZE: found "much"/],
    [['alloc', 'temporary', '4KiB'], /--as is missing/],
    [['alloc', 'temporary', '4KiB', '--as', 'a b'], /--as: found "a b"/],
    [['free', 'x', '--as', 'sandbox'], /BLOCK: found "x"/],
    [['jobs', 'run'], /JOB is missing/],
    [['history', 'x', '--since', 'long', '--nats', 'nats://127.0.0.1:1'], /NATS|found "long"/],
    [['config', 'explain'], /KEY is missing/],
    [['config', 'check', 'x'], /takes no key/],
    [['completion', 'powershell'], /must be one of bash, zsh, fish/],
  ] as const) {
    it(`is named: ${line.join(' ')}`, async () => {
      const { code, out, err } = await type(line);
      expect(err).toMatch(says);
      expect(out).toBe('');
      expect(code).toBe(line[0] === 'history' ? 3 : 2);
    });
  }

  it('is JSON for machines', async () => {
    const { err } = await type(['explain', '--json']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'invalid_request' } });
  });

  it('is told apart from a server that is away', async () => {
    const { code, err } = await type(['status', '--nats', 'nats://127.0.0.1:1']);
    expect(err).toContain('nautilus up');
    expect(code).toBe(exitCodes.unavailable.code);
  });

  it('is a seed that others can read, and a join file that is none', async () => {
    const seed = join(directory, 'open.nk');
    writeFileSync(seed, 'SU', { mode: 0o644 });
    const open = await type(['status', '--nats', 'nats://127.0.0.1:1', '--seed', seed]);
    expect(open).toMatchObject({ code: 6, err: expect.stringContaining(`chmod 600 ${seed}`) });
    const none = await type(['status', '--join', join(directory, 'none.json')]);
    expect(none).toMatchObject({ code: 6, err: expect.stringContaining('none.json') });
  });
});

describe('exit codes', () => {
  it('give every fault a row of the table', () => {
    const known = new Set<number>(Object.values(exitCodes).map(({ code }) => code));
    for (const fault of Object.keys(errorTable)) {
      if (!isErrorCode(fault)) throw new Error(fault);
      const code = exitCodeOf(fault);
      expect(known.has(code) && code > 1, fault).toBe(true);
    }
    expect([exitCodeOf('over_budget'), exitCodeOf('unknown_job'), exitCodeOf('timeout')]).toEqual([4, 5, 3]);
  });
});

describe('completion', () => {
  it('of bash completes commands, options and choices, in bash itself', () => {
    const script = completionScript('bash', commands);
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _nautilus; printf '%s\\n' "\${COMPREPLY[@]}"`,
          '-',
          ...words,
        ],
        { encoding: 'utf8' },
      )
        .trim()
        .split('\n');
    expect(complete('nautilus', 'al')).toEqual(['alloc', 'alerts']);
    expect(complete('nautilus', 'alerts', '--fo')).toEqual(['--follow']);
    expect(complete('nautilus', 'alerts', '--tier', 'cr')).toEqual(['critical']);
    expect(complete('nautilus', 'config', 'ex')).toEqual(['explain']);
  });

  for (const [shell, check] of [
    ['zsh', 'zsh -n'],
    ['fish', 'fish --no-execute'],
  ] as const) {
    it(`of ${shell} is a script of ${shell}`, (context) => {
      const script = completionScript(shell, commands);
      for (const { name } of commands) expect(script).toContain(name);
      if (!has(shell)) context.skip(`${shell} is not installed, so its parser could not be asked`);
      const [program = '', ...args] = check.split(' ');
      expect(spawnSync(program, args, { input: script, encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
    });
  }
});

describe('colour', () => {
  it('is for terminals, and not where NO_COLOR is set', async () => {
    const explain = ['config', 'explain', 'monitor.port'];
    expect((await type(explain, { isTTY: true })).out).toContain('\u001b[1m');
    expect((await type(explain, { isTTY: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b');
    expect((await type(explain)).out).not.toContain('\u001b');
  });
});
