/** The process of the host agent. */
import { runService } from '@nautilus/kit';
import { createAllocator } from './start.ts';

await runService('allocator', createAllocator);
