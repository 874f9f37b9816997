// What a subscription is opened with, and how it ends.

import type { Descriptor } from '../descriptor.ts';
import { invalidArgument } from '../errors.ts';
import type { Mapping } from '../mapping.ts';
import { type ChannelShape, writeCursor } from './layout.ts';
import { isWakeDescriptor, type Wake } from './wake.ts';

export interface SubscriptionOptions {
  /** Read-only, and kept open as long as messages are read. */
  readonly channel: Mapping;
  /** The own segment, on which `createCursor` was called. */
  readonly cursor: Mapping;
  /** As `Publisher.admit` answered. */
  readonly slot: number;
  readonly nonce: number;
  /** For `wait` and iterations; its signalDescriptor is what the publisher admitted. */
  readonly wake?: Wake | null;
  /** For the policy 'block': where the publisher sleeps. */
  readonly publisherWake?: Descriptor | null;
}

/** 'closed' in order, 'disconnected' as too slow, 'removed' by the publisher, 'left' by itself, or as given to `finish`. */
export type SubscriptionEnd = 'closed' | 'disconnected' | 'removed' | 'left' | (string & {});

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export function checkOptions(options: SubscriptionOptions, shape: ChannelShape): void {
  const { slot, publisherWake = null } = options;
  if (!Number.isInteger(slot) || slot < 0 || slot >= shape.maxSubscribers)
    throw invalidArgument('slot', `a whole number from 0 to ${shape.maxSubscribers - 1}`, slot);
  if (publisherWake !== null && !isWakeDescriptor(publisherWake))
    throw invalidArgument(
      'publisherWake',
      "the signalDescriptor of a publisher's wake",
      'another descriptor',
    );
}

/** Makes a segment of `cursorBytes` the cursor of one subscription. The nonce is random, from 1 to 2^31 - 1. */
export function createCursor(cursor: Mapping, options: { nonce: number }): void {
  writeCursor(cursor, options.nonce);
}
