// Views of the frames of a channel segment, made once and kept: a view costs more than everything else in a take.

import type { Mapping } from '../mapping.ts';
import type { ChannelPlaces } from './layout.ts';

export class FrameViews {
  private readonly channel: Mapping;
  private readonly framesAt: number;
  private readonly frameStride: number;
  /** By frame, of the length that was last asked for. */
  private readonly views: (Uint8Array | undefined)[];

  constructor(channel: Mapping, places: ChannelPlaces) {
    this.channel = channel;
    this.framesAt = places.framesAt;
    this.frameStride = places.frameStride;
    this.views = new Array<Uint8Array | undefined>(places.frameCount).fill(undefined);
  }

  /**
   * Fetches the first line of a frame that is free, so that it need not come from a reader's core when it is filled: a
   * store that nobody waits for. Memory that was never used stays so.
   */
  fetchForWriting(frame: number): void {
    const cached = this.views[frame];
    if (cached !== undefined) cached[0] = 0;
  }

  view(frame: number, length: number): Uint8Array {
    const cached = this.views[frame];
    // A closed mapping empties its views; then the mapping is asked, and refuses.
    if (cached !== undefined && cached.length === length && length !== 0) return cached;
    const view = this.channel.view(this.framesAt + frame * this.frameStride, length);
    this.views[frame] = view;
    return view;
  }
}
