/** The few things of the bus that a container needs; tests give a small object of their own. */
import type { Bus } from '@nautilus/bus';

export type ClientBus = Pick<
  Bus,
  | 'state'
  | 'request'
  | 'subscribe'
  | 'serve'
  | 'onReconnect'
  | 'publishData'
  | 'subscribeData'
  | 'largestPartBytes'
  | 'flush'
  | 'close'
>;
