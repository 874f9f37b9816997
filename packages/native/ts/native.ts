// Every function of the addon, declared once, in the order and with the names of binding/exports.cc (a test
// compares them). Only plain numbers, strings, booleans, null and opaque handles cross; defaults, friendly
// checks and classes live above, in the other files of this folder. "Absent" is null, never undefined.

import type { NativeErrorCode } from './errors.ts';
import type {
  DescriptorLimitDto,
  DeviceBufferDto,
  DeviceFactsDto,
  DeviceHealthDto,
  DeviceKindDto,
  DeviceResultDto,
  DirectIoProofDto,
  FileMappingDto,
  HostMemoryDto,
  HostProbeDto,
  InspectionDto,
  LedgerDto,
  MappingDto,
  NativeArena,
  NativeConnection,
  NativeDevice,
  NativeDeviceBuffer,
  NativeListener,
  NativeMapping,
  NativeWake,
  PassDto,
  PeerDto,
  SealDto,
  SegmentDto,
  SegmentKindDto,
  StrategyDto,
  TrimDto,
  WakeDto,
} from './native-dto.ts';

export type * from './native-dto.ts';

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

  /** `bytes` null: to the end of the file. */
  fileMap(path: string, isPrivate: boolean, offset: number, bytes: number | null): FileMappingDto;
  mappingCopiedBytes(mapping: NativeMapping): number;
  /** The range is zero afterwards. Waits for the disk. */
  proveDirectIo(mapping: NativeMapping, offset: number, bytes: number, directory: string): DirectIoProofDto;

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

  /** The descriptor is what a peer wakes with. */
  wakeCreate(onSignal: () => void): WakeDto;
  wakeKeepAlive(wake: NativeWake, isKeptAlive: boolean): void;
  wakeClose(wake: NativeWake): void;
  wakeCheck(fd: number): boolean;
  /** False when the sleeper is gone. */
  wakeSignal(fd: number): boolean;

  devicesDetect(): { kinds: DeviceKindDto[]; devices: DeviceFactsDto[] };
  deviceOpen(id: string): { facts: DeviceFactsDto; handle: NativeDevice };
  deviceImport(device: NativeDevice, mapping: NativeMapping): DeviceBufferDto;
  deviceAllocate(device: NativeDevice, bytes: number): DeviceBufferDto;
  /**
   * Kind 0: fill, 1: copy, 2: scrub, 3: checksum, 4: move. Numbers: the target's offset, bytes, the source's offset,
   * the value; of moves: from, to and bytes of each.
   */
  deviceSubmit(
    device: NativeDevice,
    kind: number,
    target: NativeDeviceBuffer,
    source: NativeDeviceBuffer | null,
    numbers: Float64Array,
  ): Promise<DeviceResultDto>;
  deviceHealth(device: NativeDevice): DeviceHealthDto;
  /** 0: none, 1: lost at submit, 2: failed at submit, 3: lost at wait, 4: out of memory at allocate. */
  deviceInject(device: NativeDevice, fault: number, after: number): void;
  deviceClose(device: NativeDevice): void;
  /** A copy. */
  deviceBufferRead(buffer: NativeDeviceBuffer, offset: number, bytes: number): Buffer;
  deviceBufferWrite(buffer: NativeDeviceBuffer, offset: number, bytes: Uint8Array): void;
  deviceBufferClose(buffer: NativeDeviceBuffer): void;

  lockFileTry(path: string): number | null;

  probeHost(): HostProbeDto;
  readHostMemory(): HostMemoryDto;
  raiseDescriptorLimit(): DescriptorLimitDto;
}
