/** Every contract once. Reference pages, permissions and the services' endpoints are made from these tables. */
import { allocateBlock, describeBlocks, freeBlock } from './requests/block.ts';
import { cleanUpMemory, describeHost, releaseMemory } from './requests/command.ts';
import {
  describeSegments,
  extendLease,
  grantSegment,
  leaseSegment,
  openSegment,
  releaseSegment,
  revokeGrant,
} from './requests/segment.ts';
import { explainPlan, listAlerts, listJobs, runJob } from './requests/service.ts';
import {
  budgetApplied,
  jobFinished,
  jobRequested,
  leaseEnded,
  memoryPressure,
  planDecided,
  sampleTaken,
  segmentGranted,
  segmentLeased,
} from './state/event.ts';

export const exchanges = {
  leaseSegment,
  extendLease,
  releaseSegment,
  grantSegment,
  revokeGrant,
  openSegment,
  describeSegments,
  allocateBlock,
  freeBlock,
  describeBlocks,
  releaseMemory,
  cleanUpMemory,
  describeHost,
  explainPlan,
  listAlerts,
  runJob,
  listJobs,
} as const;

export const notices = {
  segmentLeased,
  leaseEnded,
  segmentGranted,
  budgetApplied,
  planDecided,
  jobFinished,
  sampleTaken,
  memoryPressure,
  jobRequested,
} as const;
