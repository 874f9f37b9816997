/**
 * Announcements on their way to the stream, in order. The leader keeps what is its to tell until it is told or too old;
 * the others keep what they saw for a while, because the leader may die with the same announcement untold.
 */
import type { Announcement } from '../watch/announcement.ts';

export interface Pending {
  readonly announcement: Announcement;
  /** Monotonic milliseconds. */
  readonly since: number;
  /** It came up, or was taken over, while this instance led: nobody else will tell it. */
  readonly isOurs: boolean;
}

export interface OutboxLimits {
  /** How long another leader's announcements are kept: no longer than the stream knows a message id again. */
  readonly followedMs: number;
  /** Older news of a leader is given up: the newest state of what is raised is listed anyway. */
  readonly oursMs: number;
  readonly count: number;
}

export const outboxLimits: OutboxLimits = { followedMs: 120_000, oursMs: 600_000, count: 1_000 };

export interface Outbox {
  readonly pending: readonly Pending[];
}

export const emptyOutbox: Outbox = { pending: [] };

/** What is in the outbox already is not put in twice. */
export function put(
  outbox: Outbox,
  announcements: readonly Announcement[],
  since: number,
  isOurs: boolean,
): Outbox {
  const known = new Set(outbox.pending.map(({ announcement }) => announcement.messageId));
  const fresh = announcements.filter(({ messageId }) => !known.has(messageId));
  return fresh.length === 0
    ? outbox
    : { pending: [...outbox.pending, ...fresh.map((announcement) => ({ announcement, since, isOurs }))] };
}

/** A new leader has everything to tell that it kept. */
export function takeOver(outbox: Outbox): Outbox {
  return { pending: outbox.pending.map((each) => ({ ...each, isOurs: true })) };
}

export function drop(outbox: Outbox, messageId: string): Outbox {
  return { pending: outbox.pending.filter(({ announcement }) => announcement.messageId !== messageId) };
}

/** Lets go of what is too old or too much; `lost` is what was ours to tell. */
export function expire(
  outbox: Outbox,
  now: number,
  limits: OutboxLimits,
): { readonly outbox: Outbox; readonly lost: readonly Announcement[] } {
  const excess = outbox.pending.length - limits.count;
  const isKept = ({ since, isOurs }: Pending, index: number) =>
    index >= excess && now - since <= (isOurs ? limits.oursMs : limits.followedMs);
  const pending = outbox.pending.filter(isKept);
  if (pending.length === outbox.pending.length) return { outbox, lost: [] };
  const lost = outbox.pending
    .filter((each, index) => each.isOurs && !isKept(each, index))
    .map(({ announcement }) => announcement);
  return { outbox: { pending }, lost };
}
