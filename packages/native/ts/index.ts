// The public face of the package; everything else is internal and without any promise of stability.

export { Arena, type ArenaOptions, type ArenaStats, createArena } from './arena.ts';
export { Descriptor } from './descriptor.ts';
export { NativeError, type NativeErrorCode } from './errors.ts';
export { type CloseReason, type Connection, connect, type Listener, listen, type Peer } from './ipc.ts';
export { type Ledger, ledgerBytes, readLedger } from './ledger.ts';
export { AddonLoadError, addonPaths, loadNative } from './load.ts';
export { tryLockFile } from './lock.ts';
export { type MapAccess, type MapOptions, Mapping } from './mapping.ts';
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
export { type StrategyEntry, type StrategyName, strategies } from './strategies.ts';
