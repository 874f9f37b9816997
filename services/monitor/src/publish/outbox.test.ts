/** What the outbox keeps, forgets and calls lost. */
import { describe, expect, it } from 'vitest';
import { announcementOf } from '../testing/announcement.ts';
import { drop, emptyOutbox, expire, type Outbox, outboxLimits, put, takeOver } from './outbox.ts';

const names = (outbox: Outbox) => outbox.pending.map(({ announcement }) => announcement.messageId);
const told = (...ids: string[]) => ids.map((id) => announcementOf(id));

describe('an outbox', () => {
  it('keeps the order, and nothing twice', () => {
    const outbox = put(put(emptyOutbox, told('a', 'b'), 0, true), told('b', 'c'), 1, true);
    expect(names(outbox)).toEqual(['a', 'b', 'c']);
    expect(names(drop(outbox, 'b'))).toEqual(['a', 'c']);
  });

  it('forgets what another leader has told long ago, and calls nothing lost', () => {
    const outbox = put(emptyOutbox, told('a'), 0, false);
    expect(names(expire(outbox, outboxLimits.followedMs, outboxLimits).outbox)).toEqual(['a']);
    expect(expire(outbox, outboxLimits.followedMs + 1, outboxLimits)).toEqual({
      outbox: emptyOutbox,
      lost: [],
    });
  });

  it('keeps longer what is ours to tell, and names it lost in the end', () => {
    const outbox = takeOver(put(emptyOutbox, told('a'), 0, false));
    expect(names(expire(outbox, outboxLimits.followedMs + 1, outboxLimits).outbox)).toEqual(['a']);
    const late = expire(outbox, outboxLimits.oursMs + 1, outboxLimits);
    expect(names(late.outbox)).toEqual([]);
    expect(late.lost.map(({ messageId }) => messageId)).toEqual(['a']);
  });

  it('is bounded: the oldest go first and are named', () => {
    const outbox = put(emptyOutbox, told('a', 'b', 'c'), 0, true);
    const { outbox: rest, lost } = expire(outbox, 0, { ...outboxLimits, count: 2 });
    expect(names(rest)).toEqual(['b', 'c']);
    expect(lost.map(({ messageId }) => messageId)).toEqual(['a']);
  });
});
