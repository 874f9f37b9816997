/** The default containers as real programs, for whoever starts them in its own process. */
export {
  type ContainerName,
  containerPrograms,
  isContainerName,
} from './containers/registry.ts';
export type { ContainerOptions, RunContainer } from './library/container.ts';
export type { Platform } from './library/platform.ts';
export { createReport, type Figures, type Report, type ReportEvent } from './library/report.ts';
export { loadTrace, type TraceName, traceNames } from './traces/trace-files.ts';
