/** Every maintenance job: one file and one line each. */
import { cleanUp } from './clean-up.ts';
import type { Job } from './job.ts';

export const jobs = {
  'clean-up': cleanUp,
} as const satisfies Record<string, Job>;

export type JobName = keyof typeof jobs;
