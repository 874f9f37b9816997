/**
 * Whether a container may have one more place of a channel. Without a share one reader, broken or hostile, could take
 * all of them and keep every other reader out.
 */
import { type ChannelReaders, fail, ok, type Result } from '@nautilus/contracts';

export interface Places {
  readonly channel: string;
  readonly readers: ChannelReaders;
  /** `maximumSubscribers` of the channel. */
  readonly maximum: number;
  /** One container for each place that is taken. */
  readonly holders: readonly string[];
}

/**
 * The first place is anybody's. More may take who leaves one for each named reader that has none; under 'any', where
 * nobody knows who comes, no container has more than half of them.
 */
export function mayHavePlace(places: Places, subscriber: string): Result<null> {
  const { channel, readers, maximum, holders } = places;
  const own = holders.filter((holder) => holder === subscriber).length;
  // That there is no free one, the channel itself says.
  if (own === 0 || holders.length >= maximum) return ok(null);
  const taken = `${subscriber} has ${own} of the ${maximum} places of channel ${channel}`;
  const details = { scope: 'subscribers', limit: maximum };
  if (readers === 'any') {
    if (own < Math.ceil(maximum / 2)) return ok(null);
    return fail('over_budget', `${taken}, and one container has at most half of them`, details);
  }
  const waiting = new Set(readers.filter((reader) => !holders.includes(reader))).size;
  if (maximum - holders.length > waiting) return ok(null);
  return fail(
    'over_budget',
    `${taken}, and the rest is for ${waiting} of its readers that have none; raise maximumSubscribers`,
    details,
  );
}
