import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../device/vulkan/shaders/generate.mjs', import.meta.url));

describe('shaders', () => {
  it('are committed as the words that they compile to', ({ skip }) => {
    const said = execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' }).trim();
    if (said.startsWith('skipped: ')) skip(said);
    expect(said).toBe('the words are up to date');
  });
});
