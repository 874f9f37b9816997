/** Signals and uncaught errors, in a process of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../testing/app-process.ts', import.meta.url));

describe('processSignal', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  function run(behaviour: string) {
    const child = spawn(process.execPath, ['--import', 'tsx', program, behaviour], {
      env: { ...process.env, NODE_OPTIONS: '--conditions=@nautilus/source' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
    let output = '';
    const said = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (output.includes(text)) resolve();
        };
        child.stdout.on('data', look);
        look();
      });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    return { child, exited, said, output: () => output };
  }

  it('stops in order at the first SIGTERM', async () => {
    const { child, exited, said, output } = run('calm');
    await said('"msg":"ready"');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output()).toContain('"reason":"SIGTERM"');
    expect(output()).toContain('"msg":"drained"');
  });

  it('exits at once at the second signal, whatever hangs', async () => {
    const { child, exited, said, output } = run('hang');
    await said('"msg":"ready"');
    child.kill('SIGTERM');
    await said('"msg":"stopping"');
    child.kill('SIGINT');
    expect(await exited).toEqual([1, null]);
    expect(output()).toContain('second request to stop');
    expect(output()).not.toContain('"msg":"drained"');
  });

  it('drains after an error that nobody caught, and says so in the exit code', async () => {
    const { exited, output } = run('throw');
    expect(await exited).toEqual([1, null]);
    expect(output()).toContain('"level":"fatal"');
    expect(output()).toContain('nobody catches me');
    expect(output()).toContain('"msg":"drained"');
  });
});
