/** What the parts of one client share. There is one of these a client, and none for the process. */
import type { BusLog } from '@nautilus/bus';
import type { AgentLink } from './agent-link.ts';
import type { Control } from './control.ts';
import type { Counters } from './counters.ts';
import type { Holdings } from './holdings.ts';
import type { Releases } from './releases.ts';
import type { Timing } from './timing.ts';

/** A segment whose lease or grant is gone although nobody here ended it. */
export interface Loss {
  readonly segment: string;
  readonly reason: string;
}

export interface ClientContext {
  readonly control: Control;
  readonly link: AgentLink;
  readonly holdings: Holdings;
  readonly releases: Releases;
  readonly counters: Counters;
  readonly timing: Timing;
  readonly log: BusLog;
  /** How long an absent agent or NATS is waited for inside one call. */
  readonly patienceMs: number;
  lost(loss: Loss): void;
}
