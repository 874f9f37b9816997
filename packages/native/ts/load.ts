// Finds and loads the compiled addon. When it cannot be loaded, the error says for which platform, which
// files were tried, why each failed and which command to run: this is the first message a new user may see.

import { createRequire } from 'node:module';
import { arch, platform, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { makeNativeError } from './errors.ts';
import type { Native } from './native.ts';

export class AddonLoadError extends Error {
  override readonly name = 'AddonLoadError';
  readonly attempts: readonly { path: string; reason: string }[];

  constructor(attempts: readonly { path: string; reason: string }[]) {
    super(
      [
        `The native addon of @nautilus/native cannot be loaded on ${platform}-${arch} with Node.js ${version}.`,
        ...attempts.map(({ path, reason }) => `  tried ${path}: ${reason}`),
        'To build it (needs a C++20 compiler, make and Python 3): npm run build -w @nautilus/native',
      ].join('\n'),
    );
    this.attempts = attempts;
  }
}

/** `ts/` and `dist/` are siblings, so the same relative paths hold in a checkout and in a built package. */
export function addonPaths(): string[] {
  return [
    fileURLToPath(new URL('../build/Release/nautilus.node', import.meta.url)),
    fileURLToPath(new URL('../build/Debug/nautilus.node', import.meta.url)),
  ];
}

export function loadNative(paths: readonly string[] = addonPaths()): Native {
  const require = createRequire(import.meta.url);
  const attempts: { path: string; reason: string }[] = [];
  for (const path of paths) {
    try {
      const native = require(path) as Native;
      native.setErrorFactory(makeNativeError);
      return native;
    } catch (error) {
      // Node appends the require stack to a "cannot find module": of the reason only the first line helps.
      const reason = error instanceof Error ? error.message : String(error);
      attempts.push({ path, reason: reason.split('\n', 1)[0] ?? reason });
    }
  }
  throw new AddonLoadError(attempts);
}
