// The public face of the package; everything else is internal and without any promise of stability.

export { AcceleratedMemory, Accelerator, type AcceleratorOptions, type BytesOf } from './accelerator.ts';
export { Arena } from './arena.ts';
export type { ArenaStats, FreeRange, SharedArena, TrimOutcome } from './arena-types.ts';
export { type BlockPlace, BlockReader } from './block-reader.ts';
export {
  type BufferInOptions,
  type BufferOptions,
  bufferIn,
  createBuffer,
  MemoryBuffer,
} from './buffers/buffer.ts';
export { type BufferType, type BufferTypeName, bufferTypes } from './buffers/buffer-types.ts';
export { type DirectIoProof, type DirectIoTrial, proveDirectIo } from './buffers/direct-io.ts';
export { FileSegment, type FileSegmentOptions, openFileAsSegment } from './buffers/file-segment.ts';
export { type ImportedMemory, type ImportingDevice, Imports, type Sharing } from './buffers/imports.ts';
export { PublisherFrame } from './channel/frame.ts';
export {
  type ChannelOptions,
  type ChannelShape,
  channelBytes,
  cursorBytes,
  type SlowPolicy,
  slowPolicies,
} from './channel/layout.ts';
export { Message } from './channel/message.ts';
export {
  type Admission,
  type AdmitOptions,
  createChannel,
  Publisher,
  type PublisherOptions,
  type PublisherStats,
} from './channel/publisher.ts';
export { openSubscription, Subscription } from './channel/subscription.ts';
export {
  createCursor,
  type SubscriptionEnd,
  type SubscriptionOptions,
  type WaitOptions,
} from './channel/subscription-types.ts';
export { createWake, isWakeDescriptor, Wake } from './channel/wake.ts';
export { type ArenaOptions, attachArena, createArena, recoverArena } from './create-arena.ts';
export {
  attachMovableArena,
  createMovableArena,
  type MovableArenaOptions,
  recoverMovableArena,
} from './create-movable-arena.ts';
export { Descriptor } from './descriptor.ts';
export {
  type BlockMove,
  type DetectedDevices,
  Device,
  type DeviceFacts,
  type DeviceHealth,
  type DeviceKind,
  type DeviceRange,
  detectDevices,
  type InjectedFault,
  openDevice,
} from './device.ts';
export { DeviceBuffer, type DevicePlace } from './device-buffer.ts';
export { NativeError, type NativeErrorCode } from './errors.ts';
export type { Figures } from './figures.ts';
export { type CloseReason, type Connection, connect, type Listener, listen, type Peer } from './ipc.ts';
export { type Ledger, ledgerBytesFor, ledgerHeaderBytes, readLedger } from './ledger.ts';
export { AddonLoadError, addonPaths, loadNative } from './load.ts';
export { tryLockFile } from './lock.ts';
export { type MacVerification, macVerification, verificationFolder } from './mac-verification.ts';
export { type MapAccess, type MapOptions, Mapping } from './mapping.ts';
export {
  type CompactionBudget,
  type CompactionPass,
  MovableArena,
  type MovableArenaStats,
  type MovableFigures,
  type MovableStrategyName,
  type SharedMovableArena,
} from './movable-arena.ts';
export { Pin } from './pins.ts';
export type { Allocator } from './policy/allocator.ts';
export { Limit, type Limits, type Refusal } from './policy/limit.ts';
export { type FailedAllocation, OnFailure } from './policy/on-failure.ts';
export { type Damage, Quarantine, type QuarantineOptions } from './policy/quarantine.ts';
export { type Counter, Statistics, type StatisticsFigures } from './policy/statistics.ts';
export { TraceLog, type TraceLogOptions, traceRecordBytes } from './policy/trace-log.ts';
export { type Outstanding, type SiteReport, Tracking, type TrackingOptions } from './policy/tracking.ts';
export { type HostMemory, type HostProbe, probeHost, raiseDescriptorLimit, readHostMemory } from './probe.ts';
export {
  createFileSegment,
  createSegment,
  inspectDescriptor,
  mapSegment,
  openFileSegment,
  reopenReadOnly,
  type SegmentKind,
  type SegmentOptions,
  sealFutureWrites,
  segmentKinds,
} from './segment.ts';
export { type MappedBlock, readSegmentMap, type SegmentMap, type SegmentMapOptions } from './segment-map.ts';
export { type StrategyEntry, type StrategyName, strategies } from './strategies.ts';
