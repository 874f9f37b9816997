// What crosses between JavaScript and the addon: opaque handles, and plain objects of numbers, strings and booleans.
// "Absent" is null, never undefined.

declare const opaque: unique symbol;
export interface NativeMapping {
  readonly [opaque]: 'mapping';
}
export interface NativeArena {
  readonly [opaque]: 'arena';
}
export interface NativeConnection {
  readonly [opaque]: 'connection';
}
export interface NativeListener {
  readonly [opaque]: 'listener';
}
export interface NativeWake {
  readonly [opaque]: 'wake';
}
export interface NativeDevice {
  readonly [opaque]: 'device';
}
export interface NativeDeviceBuffer {
  readonly [opaque]: 'device buffer';
}

export interface SegmentKindDto {
  kind: 'memfd' | 'posix';
  available: boolean;
  reason: string | null;
}
export interface SegmentDto {
  fd: number;
  /** A second descriptor opened for reading only, where the object cannot be reopened later. */
  readOnlyFd: number | null;
}
export interface InspectionDto {
  device: number;
  inode: number;
  bytes: number;
  writable: boolean;
  sealedShrink: boolean;
  sealedGrow: boolean;
  sealedWrite: boolean;
}
export interface SealDto {
  sealed: boolean;
  reason: string | null;
}
export interface MappingDto {
  handle: NativeMapping;
  bytes: number;
  locked: boolean;
  lockReason: string | null;
}
export interface FileMappingDto extends MappingDto {
  fileBytes: number;
  /** Null when the file is sealed against shrinking. */
  shrinkRisk: string | null;
}
export interface DirectIoProofDto {
  proven: boolean;
  /** Why it is not proven. */
  reason: string | null;
  /** The unit of offsets and lengths, null when it could not be found out. */
  blockBytes: number | null;
  /** Whether the kernel told the block or it was found by trying. */
  blockSource: 'told' | 'tried' | null;
  /** What it went through; gone by now. */
  viaFile: string;
}
export interface LedgerDto {
  segmentBytes: number;
  liveBlocks: number;
  liveBytes: number;
  /** Rooms that wait in magazines: neither live nor free. */
  cachedBytes: number;
  allocations: number;
  frees: number;
  failures: number;
  highWaterBytes: number;
}
export interface StrategyDto {
  name: string;
  summary: string;
}
export interface PassDto {
  movedBytes: number;
  movedBlocks: number;
  largestFreeGrowthBytes: number;
  more: boolean;
}
export interface TrimDto {
  /** Of whole free pages. */
  askedBytes: number;
  /** Of them, what took memory and does not any more. */
  releasedBytes: number;
  /** Why some or all were refused. */
  reason: string | null;
}
export interface PeerDto {
  uid: number;
  gid: number;
  pid: number;
}
export interface WakeDto {
  handle: NativeWake;
  signalFd: number;
}
export interface DeviceKindDto {
  kind: string;
  summary: string;
  /** Why there is none of this kind, or why some were left out. */
  reason: string | null;
}
export interface DeviceFactsDto {
  id: string;
  kind: string;
  /** What the driver calls it. */
  name: string;
  /** Computed by the host's processor, whatever it is called. */
  software: boolean;
  /** Sees the host's memory at the host's speed. */
  unified: boolean;
  computes: boolean;
  computeReason: string | null;
  /** Of address and length of what is imported in place. */
  importAlignmentBytes: number;
  /** Of a buffer born on the device. */
  mostBufferBytes: number;
  /** What it works well with, over all processes; null where the driver does not say. */
  workingSetBytes: number | null;
  workingSetSource: string;
}
export interface DeviceBufferDto {
  bytes: number;
  shared: boolean;
  writable: boolean;
  reason: string | null;
  stretchBytes: number;
  /** Of each stretch. */
  bases: number[];
  isAddress: boolean;
  handle: NativeDeviceBuffer;
}
/** 0: done, 1: timed out, 2: device lost, 3: refused, 4: failed. */
export interface DeviceResultDto {
  status: number;
  reason: string;
  checksum: number;
}
export interface DeviceHealthDto {
  usable: boolean;
  reason: string | null;
  submitted: number;
  failed: number;
}
export interface AvailabilityDto {
  available: boolean;
  reason: string | null;
}
export interface HostProbeDto {
  platform: string;
  arch: string;
  kernel: string;
  cpuModel: string;
  cpuCount: number;
  pageBytes: number;
  totalBytes: number;
  totalSource: 'host' | 'cgroup';
  bootId: string | null;
  hugePages: { available: boolean; pageBytes: number | null; freePages: number; reason: string | null };
  psi: AvailabilityDto;
  cgroup: { version: 1 | 2 | null; memoryController: boolean; reason: string | null };
  memfd: AvailabilityDto;
  unifiedMemory: AvailabilityDto;
  gpu: { available: boolean; name: string | null; reason: string | null };
  neuralEngine: AvailabilityDto;
  bandwidthCounter: { available: boolean; source: string | null; reason: string | null };
}
export interface HostMemoryDto {
  totalBytes: number;
  availableBytes: number;
  swapTotalBytes: number;
  swapFreeBytes: number;
  majorFaults: number | null;
  psiSomeTotalUs: number | null;
  psiFullTotalUs: number | null;
  psiSomeAvg10: number | null;
  psiFullAvg10: number | null;
}
export interface DescriptorLimitDto {
  soft: number;
  hard: number;
}
