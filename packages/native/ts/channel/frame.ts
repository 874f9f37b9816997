// A frame that the publisher fills in place. One object a loan: who keeps it after publishing can do nothing with it
// that would touch the frame's next user, except through a view it kept.

import { NativeError } from '../errors.ts';

export class PublisherFrame {
  readonly index: number;
  /** The whole frame, in the segment. What was published must not be written any more. */
  readonly bytes: Uint8Array;
  /** Null once it was published or given back. */
  private lender: object | null;

  /** Made by `Publisher.loan`. */
  constructor(lender: object, index: number, bytes: Uint8Array) {
    this.lender = lender;
    this.index = index;
    this.bytes = bytes;
  }

  get isLoaned(): boolean {
    return this.lender !== null;
  }

  /** For the publisher. */
  isFrom(lender: object): boolean {
    return this.lender === lender;
  }

  /** For the publisher. */
  end(): void {
    this.lender = null;
  }

  /** For the publisher: why a frame is not its own. */
  refusal(): NativeError {
    return this.lender === null
      ? new NativeError('closed', `frame ${this.index}: published or given back already; loan another`)
      : new NativeError('invalid_argument', `frame ${this.index}: a loan of another publisher`);
  }
}
