/** Maintenance: keeps the calendar of every host, and hands due jobs to its agent. */
export { createMaintenance, type Maintenance, type MaintenanceOptions } from './app.ts';
export { type JobName, jobs } from './jobs/index.ts';
export type { Job, JobContext, JobReport } from './jobs/job.ts';
export { type RunningMaintenance, startMaintenance } from './start.ts';
