// Where everything lies in the two kinds of segment of a channel, in 32-bit words. Each has one writer: the channel's
// is the publisher, a cursor's is its subscriber. What one side writes often and the other reads lies on lines of 64
// bytes of its own. Sequences are 32-bit and wrap: they are compared by the sign of their difference.

import { invalidArgument, NativeError } from '../errors.ts';
import type { Mapping } from '../mapping.ts';

export const slowPolicies = ['drop-oldest', 'block', 'disconnect'] as const;
/** What happens when a subscriber has not taken what the next frame would overwrite. */
export type SlowPolicy = (typeof slowPolicies)[number];

export interface ChannelShape {
  /** The frames that are kept for subscribers; a power of two. */
  readonly entries: number;
  readonly frameBytes: number;
  /** Frames that the publisher may fill at once. */
  readonly loans: number;
  readonly maxSubscribers: number;
  /** Messages that one subscriber may hold at once. */
  readonly maxHeld: number;
  readonly policy: SlowPolicy;
  /** Past frames for a newcomer, as far as they are still there. */
  readonly history: number;
}

export type ChannelOptions = Pick<ChannelShape, 'entries' | 'frameBytes'> & Partial<ChannelShape>;

const channelMagic = 0x4e_43_48_31;
const cursorMagic = 0x4e_43_55_31;
const version = 2;

/** Words of a channel segment. */
export const channelWord = {
  magic: 0,
  version: 1,
  entries: 2,
  frameBytes: 3,
  loans: 4,
  maxSubscribers: 5,
  maxHeld: 6,
  policy: 7,
  history: 8,
  /** The sequence that is published next; alone on its line. */
  head: 16,
  /** 0 open, 1 closed in order. */
  closed: 32,
  /** Odd while the publisher sleeps; each change is a new number. */
  sleep: 33,
  admissions: 48,
} as const;

/** Words of an admission, from its first. */
export const admission = { state: 0, nonce: 1, startSequence: 2 } as const;
export const wordsPerAdmission = 4;
export const freeState = 0;
export const admittedState = 1;
/** It was too slow: what it holds stays until it leaves, more it does not get. */
export const disconnectedState = 2;

/**
 * Words of an entry of the ring, from its first. What a message is stands on the line of its sequence, twice: the round
 * of the ring says which of the two counts. So the next one is written while the last one still counts, and one store,
 * of the sequence, makes the one invalid and the other valid: whoever spins on the line misses it once.
 */
export const entry = { sequence: 0, evenRound: 1, oddRound: 3 } as const;
/** Words from `evenRound` or `oddRound`. */
export const description = { frame: 0, length: 1 } as const;
export const wordsPerEntry = 8;

/** Where the description of a sequence stands in its entry, whose first word is at `at`. */
export function descriptionAt(at: number, sequence: number, entries: number): number {
  return at + ((sequence & entries) === 0 ? entry.evenRound : entry.oddRound);
}

/** Words of a cursor segment. */
export const cursorWord = {
  magic: 0,
  version: 1,
  nonce: 2,
  /** 1 once `next` means something. */
  joined: 3,
  /** 1 when it has left and holds nothing. */
  left: 4,
  /** Odd while the subscriber sleeps; each change is a new number. */
  sleep: 16,
  /** The sequence it takes next; kept up to date for the publishers that ask, those who do not just overwrite. */
  next: 32,
  /** Each the number of a frame it holds, plus 1, or 0. */
  holds: 48,
} as const;

const mostHeld = 256;
const mostEntries = 2 ** 20;
const mostFrameBytes = 2 ** 30;
const lineBytes = 64;
/** Frames start on a page, so that whole pages of frames can be imported by a device. */
const framesAlignment = 4096;

/** Of every cursor segment, whatever the channel. */
export const cursorBytes = 4096;

export interface ChannelPlaces {
  /** In words. */
  readonly entriesAt: number;
  /** From here on in bytes. */
  readonly framesAt: number;
  readonly frameStride: number;
  readonly frameCount: number;
  readonly bytes: number;
}

const roundUp = (value: number, to: number) => Math.ceil(value / to) * to;

export function placesOf(shape: ChannelShape): ChannelPlaces {
  const { entries, frameBytes, loans, maxSubscribers, maxHeld } = shape;
  const entriesAt = roundUp(channelWord.admissions + maxSubscribers * wordsPerAdmission, lineBytes / 4);
  const framesAt = roundUp((entriesAt + entries * wordsPerEntry) * 4, framesAlignment);
  const frameStride = roundUp(frameBytes, lineBytes);
  // Whatever is kept, loaned and held by everyone at once, and still none that a publisher waits for.
  const frameCount = entries + loans + maxSubscribers * maxHeld;
  return { entriesAt, framesAt, frameStride, frameCount, bytes: framesAt + frameCount * frameStride };
}

function checkCount(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw invalidArgument(name, `a whole number from ${least} to ${most}`, value);
  return value;
}

export function checkShape(options: ChannelOptions): ChannelShape {
  const { loans = 4, maxSubscribers = 8, maxHeld = 8, policy = 'drop-oldest', history = 0 } = options;
  const entries = checkCount('entries', options.entries, 2, mostEntries);
  if ((entries & (entries - 1)) !== 0) throw invalidArgument('entries', 'a power of two', entries);
  if (!slowPolicies.includes(policy)) throw invalidArgument('policy', slowPolicies.join(', '), policy);
  return {
    entries,
    frameBytes: checkCount('frameBytes', options.frameBytes, 1, mostFrameBytes),
    loans: checkCount('loans', loans, 1, 1024),
    maxSubscribers: checkCount('maxSubscribers', maxSubscribers, 1, 64),
    maxHeld: checkCount('maxHeld', maxHeld, 1, mostHeld),
    policy,
    history: checkCount('history', history, 0, entries),
  };
}

/** Bytes of the segment that a channel needs. */
export function channelBytes(options: ChannelOptions): number {
  return placesOf(checkShape(options)).bytes;
}

/** The words of a segment's first bytes, which are all in its first window. */
export function wordsOf(mapping: Mapping, bytes: number): Int32Array {
  return new Int32Array(mapping.view(0, bytes).buffer as ArrayBuffer, 0, Math.floor(bytes / 4));
}

function requireRoom(name: string, mapping: Mapping, bytes: number): void {
  if (mapping.bytes < bytes)
    throw invalidArgument(name, `a mapping of at least ${bytes} bytes`, mapping.bytes);
}

export function requireWritable(name: string, mapping: Mapping): void {
  if (mapping.access !== 'read-write') throw invalidArgument(name, 'a read-write mapping', mapping.access);
}

/** All entries hold a sequence that is not theirs, so that none can be taken before it is published. */
export function writeChannel(mapping: Mapping, shape: ChannelShape, firstSequence: number): Int32Array {
  const places = placesOf(shape);
  requireWritable('channel', mapping);
  requireRoom('channel', mapping, places.bytes);
  const words = wordsOf(mapping, places.framesAt);
  words.fill(0);
  for (let at = 0; at < shape.entries; at += 1) words[places.entriesAt + at * wordsPerEntry] = ~at;
  words[channelWord.version] = version;
  words[channelWord.entries] = shape.entries;
  words[channelWord.frameBytes] = shape.frameBytes;
  words[channelWord.loans] = shape.loans;
  words[channelWord.maxSubscribers] = shape.maxSubscribers;
  words[channelWord.maxHeld] = shape.maxHeld;
  words[channelWord.policy] = slowPolicies.indexOf(shape.policy);
  words[channelWord.history] = shape.history;
  words[channelWord.head] = firstSequence;
  // Last, because this makes the channel exist.
  Atomics.store(words, channelWord.magic, channelMagic);
  return words;
}

/** Nothing in a foreign segment is believed: the shape is checked, and all places follow from it. */
export function readChannel(mapping: Mapping): { shape: ChannelShape; words: Int32Array } {
  requireRoom('channel', mapping, 4 * (channelWord.admissions + wordsPerAdmission));
  const header = wordsOf(mapping, 4 * channelWord.admissions).slice();
  const word = (at: number) => header[at] as number;
  if (word(channelWord.magic) !== channelMagic || word(channelWord.version) !== version)
    throw invalidArgument('channel', `a channel of version ${version}`, word(channelWord.version));
  const policy = slowPolicies[word(channelWord.policy)];
  if (policy === undefined) throw damagedChannel(`policy ${word(channelWord.policy)}`);
  const shape = checkShape({
    entries: word(channelWord.entries),
    frameBytes: word(channelWord.frameBytes),
    loans: word(channelWord.loans),
    maxSubscribers: word(channelWord.maxSubscribers),
    maxHeld: word(channelWord.maxHeld),
    policy,
    history: word(channelWord.history),
  });
  const places = placesOf(shape);
  requireRoom('channel', mapping, places.bytes);
  return { shape, words: wordsOf(mapping, places.framesAt) };
}

/** A fresh cursor; `nonce` is a random number other than 0 that the publisher is told, and admits no other. */
export function writeCursor(mapping: Mapping, nonce: number): void {
  requireWritable('cursor', mapping);
  requireRoom('cursor', mapping, cursorBytes);
  const words = wordsOf(mapping, cursorBytes);
  words.fill(0);
  words[cursorWord.version] = version;
  words[cursorWord.nonce] = checkNonce(nonce);
  Atomics.store(words, cursorWord.magic, cursorMagic);
}

export function checkNonce(nonce: number): number {
  return checkCount('nonce', nonce, 1, 2 ** 31 - 1);
}

export function readCursor(mapping: Mapping, nonce: number): Int32Array {
  requireRoom('cursor', mapping, cursorBytes);
  const words = wordsOf(mapping, cursorBytes);
  if (words[cursorWord.magic] !== cursorMagic || words[cursorWord.version] !== version)
    throw invalidArgument('cursor', `a cursor of version ${version}`, words[cursorWord.version]);
  if (words[cursorWord.nonce] !== checkNonce(nonce))
    throw invalidArgument('cursor', `the cursor with nonce ${nonce}`, words[cursorWord.nonce]);
  return words;
}

export function damagedChannel(what: string): NativeError {
  return new NativeError(
    'invalid_argument',
    `channel: its publisher wrote what no publisher writes (${what}); leave it and subscribe anew`,
  );
}

export function tooManyHeld(maxHeld: number): NativeError {
  return new NativeError(
    'backpressure',
    `take: all ${maxHeld} messages that this subscriber may hold (maxHeld) are held; release one`,
  );
}
