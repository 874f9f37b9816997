/** The umbrella: the system in three calls, and the library for containers. */
export { type ConnectOptions, connect, type NautilusClient } from '@nautilus/client';
export {
  type MonitoringOptions,
  type Started,
  type StartOptions,
  startContainerOrchestration,
  startMonitoring,
  startUnifiedMemorySystem,
} from './system.ts';
