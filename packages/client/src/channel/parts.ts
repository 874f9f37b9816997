/** What publishing and subscribing share inside one client. */
import type { ClientBus } from '../client-bus.ts';
import type { ClientContext } from '../context.ts';
import type { ChannelControl } from './channel-control.ts';

export interface ChannelParts {
  readonly context: ClientContext;
  readonly control: ChannelControl;
  readonly bus: ClientBus;
  /** Tokens. */
  readonly host: string;
  readonly container: string;
  /** False: frames are copied, whatever the machine could do. */
  readonly sharedMemory: boolean;
}

/** Where channels and cursors live unless a pool is named. */
export const defaultPool = 'temporary';
