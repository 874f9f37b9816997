// Every function of the addon, declared once, in the order and with the names of binding/exports.cc (a test
// compares them). Only plain numbers, strings, booleans, null and opaque handles cross; defaults, friendly
// checks and classes live above, in the other files of this folder. "Absent" is null, never undefined.

import type { NativeErrorCode } from './errors.ts';

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

export type ErrorFactory = (
  code: NativeErrorCode,
  message: string,
  errno: number | null,
  syscall: string | null,
) => Error;

export interface Native {
  setErrorFactory(factory: ErrorFactory): void;

  descriptorAdopt(fd: number): void;
  descriptorDuplicate(fd: number): number;
  descriptorClose(fd: number): void;
  descriptorInspect(fd: number): InspectionDto;
  descriptorReopenReadOnly(fd: number): number;
  descriptorSealFutureWrites(fd: number): SealDto;

  segmentKinds(): SegmentKindDto[];
  segmentCreate(kind: string, name: string, bytes: number, hugePages: boolean): SegmentDto;
  fileSegmentCreate(path: string, bytes: number): number;
  fileSegmentOpen(path: string, writable: boolean): number;

  mappingCreate(
    fd: number,
    writable: boolean,
    prefault: boolean,
    lock: boolean,
    allowUnsealed: boolean,
  ): MappingDto;
  mappingWindow(mapping: NativeMapping, offset: number, length: number): ArrayBuffer;
  mappingResidentBytes(mapping: NativeMapping): number;
  /** Detaches the given windows (all that were made), then unmaps. */
  mappingClose(mapping: NativeMapping, windows: readonly ArrayBuffer[]): void;

  ledgerRead(mapping: NativeMapping): LedgerDto | null;
  /** As JSON, which costs one value at the boundary instead of several a block. */
  ledgerMap(mapping: NativeMapping, mostEntries: number): string | null;

  arenaStrategies(): StrategyDto[];
  ledgerBytesFor(bytes: number, minimumAlignment: number): number;
  arenaCreate(
    strategy: string,
    bytes: number,
    minimumAlignment: number,
    ledger: NativeMapping,
    recover: boolean,
    /** Null: blocks stay where they are. */
    payload: NativeMapping | null,
  ): NativeArena;
  /** That recovery ended because they could not be. */
  arenaLeftOutBlocks(arena: NativeArena): number;
  arenaThreads(arena: NativeArena): number;
  /** The number under which other threads of this process find the arena. */
  arenaShare(arena: NativeArena): number;
  arenaAttach(shared: number, ledger: NativeMapping, payload: NativeMapping | null): NativeArena;
  /** `fd` is the segment's; stretches shorter than `minimumBytes` stay. */
  arenaTrim(arena: NativeArena, payload: NativeMapping, fd: number, minimumBytes: number): TrimDto;
  arenaClose(arena: NativeArena): void;

  /** 0: nothing fits. */
  arenaAllocate(arena: NativeArena, bytes: number, alignment: number): number;
  /** The same allocation once more: a failure counts once. */
  arenaAllocateAgain(arena: NativeArena, bytes: number, alignment: number): number;
  /** 0: not free. */
  arenaAllocateAt(arena: NativeArena, offset: number, bytes: number): number;
  /** 0: freed, 1: unknown block, 2: order violation. */
  arenaFree(arena: NativeArena, handle: number): number;
  /** How many of the sizes, in order, got a handle. */
  arenaAllocateMany(
    arena: NativeArena,
    sizes: Float64Array,
    alignment: number,
    handles: Float64Array,
  ): number;
  /** How many of the handles, in order, were freed. */
  arenaFreeMany(arena: NativeArena, handles: Float64Array): number;
  arenaMark(arena: NativeArena): number;
  /** 0: rewound, 2: the mark is not on the stack any more. */
  arenaRewind(arena: NativeArena, mark: number): number;
  arenaFreeBytes(arena: NativeArena): number;
  arenaLargestFreeBytes(arena: NativeArena): number;
  /** Starts and ends in turn, by rising offset. */
  arenaFreeRanges(arena: NativeArena): number[];
  /** The number of this thread's magazines from 1; 0: the ledger has no place for more threads. */
  arenaOpenMagazines(arena: NativeArena): number;
  /** How many slots were written. */
  arenaReserve(arena: NativeArena, sizeClass: number, slots: Uint32Array, count: number): number;
  arenaGiveBack(arena: NativeArena, slots: Uint32Array, from: number, count: number): void;
  arenaAskFlush(arena: NativeArena): void;

  /** 0: no room can be made now. */
  movableAllocate(arena: NativeArena, bytes: number, alignment: number): number;
  /** 0: freed, 1: unknown block. */
  movableFree(arena: NativeArena, handle: number): number;
  /** For a block on its way: 0: pinned, 1: unknown block, 2: too many pins. */
  movablePin(arena: NativeArena, handle: number): number;
  /** Memory of ended blocks that nobody holds any more serves again. Answers how many of them. */
  movableDrain(arena: NativeArena): number;
  movablePass(arena: NativeArena, maxBytes: number, maxMoves: number): PassDto;
  movableWaitingBlocks(arena: NativeArena): number;

  socketConnect(path: string, maxFrameBytes: number): NativeConnection;
  socketListen(
    path: string,
    mode: number,
    maxFrameBytes: number,
    onConnection: (connection: NativeConnection) => void,
  ): NativeListener;
  listenerClose(listener: NativeListener): void;
  listenerKeepAlive(listener: NativeListener, isKeptAlive: boolean): void;
  /** Starts watching for the peer's end; frames are read once `connectionResume` was called. */
  connectionStart(
    connection: NativeConnection,
    onFrame: (payload: Buffer, fds: number[]) => void,
    onClose: (reason: string) => void,
  ): void;
  connectionResume(connection: NativeConnection): void;
  connectionPeer(connection: NativeConnection): PeerDto;
  connectionSend(connection: NativeConnection, payload: Uint8Array, fds: readonly number[]): void;
  connectionKeepAlive(connection: NativeConnection, isKeptAlive: boolean): void;
  connectionClose(connection: NativeConnection): void;

  lockFileTry(path: string): number | null;

  probeHost(): HostProbeDto;
  readHostMemory(): HostMemoryDto;
  raiseDescriptorLimit(): DescriptorLimitDto;
}
