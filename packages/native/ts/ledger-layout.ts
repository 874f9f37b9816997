// The part of a ledger's layout that JavaScript reads and writes by itself, in 32-bit words: alloc/ledger_layout.h
// is the original, and a test compares the two by what they do.

/** Words of the header. */
export const header = {
  granuleLog2: 3,
  segmentBytes: 4,
  slotCapacity: 6,
  slotsUsed: 7,
  tag: 8,
  attachmentsUsed: 9,
  flushEpoch: 10,
  movable: 11,
  contended: 14,
  powerOfTwoRooms: 15,
  allocations: 16,
  frees: 18,
  failures: 20,
  takenBytes: 22,
  highWaterBytes: 24,
  movedBlocks: 26,
  movedBytes: 28,
  /** Two words of a random number that each arena writes anew. */
  arena: 58,
} as const;

export const headerBytes = 4096;
export const slotsAt = headerBytes / 4;
export const wordsPerSlot = 8;

/** Words of a slot, from its first. */
export const slot = { word: 0, place: 1, offset: 4, length: 6 } as const;

/** The word of a slot: generation | state | owner. */
export const generationMask = 0x1f_ff_ff;
export const stateMask = 3 << 21;
export const reservedState = 1 << 21;
export const liveState = 2 << 21;
export const ownerShift = 24;
export const lastGeneration = generationMask;

/** In the word of place: pins below, then the size class of the room. */
export const pinsMask = 0xff_ff;
/** Instead of a number of pins: the block is on its way. */
export const movingPins = 0xff_ff;
export const classShift = 16;
export const noClass = 255;

/** Attachments count in doubles, 8 to a record; from the number of an owner, which starts at 1. */
export const attachmentsAt = 256 / 8;
export const doublesPerAttachment = 8;
export const attachment = { allocations: 1, frees: 2, cachedBytes: 3 } as const;

export const slotMask = 0xff_ff_ff;
export const tagShift = 24;
export const twoTo32 = 2 ** 32;
