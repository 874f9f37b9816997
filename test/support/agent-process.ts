/** The host agent as a process of its own, for tests that kill it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestConfig } from './config.ts';
import { type Program, runProgram } from './spawn.ts';

const main = new URL('../../packages/allocator/src/main.ts', import.meta.url);

export function startAgentProcess({ directory, yaml }: TestConfig): Program {
  const file = join(directory, 'nautilus.yaml');
  writeFileSync(file, yaml);
  return runProgram(main, ['--config', file], { NAUTILUS_LOG__LEVEL: 'info' });
}

export async function agentReady(agent: Program): Promise<void> {
  await agent.line((line) => line['msg'] === 'ready');
}
