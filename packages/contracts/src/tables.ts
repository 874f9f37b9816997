/** Every contract once. Reference pages, permissions and the services' endpoints are made from these tables. */
import { allocateBlock, describeBlocks, freeBlock } from './requests/block.ts';
import {
  admitSubscriber,
  closeChannel,
  dismissSubscriber,
  joinChannel,
  leaveChannel,
  listChannels,
  openChannel,
} from './requests/channel.ts';
import { cleanUpMemory, describeHost, releaseMemory } from './requests/command.ts';
import { restartContainer, scaleContainer } from './requests/container.ts';
import { listHistory, queryHistory } from './requests/history.ts';
import {
  describeSegments,
  extendLease,
  grantSegment,
  leaseSegment,
  openSegment,
  releaseSegment,
  revokeGrant,
} from './requests/segment.ts';
import { listSegments, mapSegment } from './requests/segment-map.ts';
import { explainPlan, listAlerts, listJobs, runJob } from './requests/service.ts';
import {
  budgetApplied,
  containerChanged,
  decisionRefused,
  jobFinished,
  jobRequested,
  leakJudged,
  leaseEnded,
  limitWritten,
  memoryPressure,
  planDecided,
  planRecorded,
  reflexStepped,
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
  openChannel,
  joinChannel,
  leaveChannel,
  closeChannel,
  listChannels,
  releaseMemory,
  admitSubscriber,
  dismissSubscriber,
  cleanUpMemory,
  listSegments,
  mapSegment,
  describeHost,
  restartContainer,
  scaleContainer,
  explainPlan,
  listAlerts,
  queryHistory,
  listHistory,
  runJob,
  listJobs,
} as const;

export const notices = {
  segmentLeased,
  leaseEnded,
  segmentGranted,
  budgetApplied,
  limitWritten,
  reflexStepped,
  containerChanged,
  leakJudged,
  planDecided,
  planRecorded,
  decisionRefused,
  jobFinished,
  sampleTaken,
  memoryPressure,
  jobRequested,
} as const;
