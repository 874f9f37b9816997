// The loaded addon of this environment (the main thread or one worker). Importing the package loads it, so a
// missing build fails at start and not at the first allocation.

import { loadNative } from './load.ts';
import type { Native } from './native.ts';

export const native: Native = loadNative();
