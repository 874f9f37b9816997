import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

describe('the command', () => {
  it('is a file of the sources: npm links nothing that a build has yet to make', () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      bin: { nautilus: string };
    };
    expect(bin.nautilus).not.toContain('dist');
    accessSync(join(root, bin.nautilus), constants.X_OK);
  });
});
