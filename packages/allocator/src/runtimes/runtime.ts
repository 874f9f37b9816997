/**
 * What every container runtime can be asked, whatever stands behind it: a kernel hierarchy, a container engine, or
 * plain processes. Answers that a caller acts on are values; a figure that is missing is null and has a reason.
 */

/** A kernel limit: bytes, or `max` when there is none. Unknown is neither: it is null with a reason. */
export type ByteLimit = number | 'max';

export interface ContainerRef {
  readonly id: string;
  /** Differs between two containers that bore the same id one after the other. */
  readonly incarnation: string;
}

export interface Psi {
  readonly someTotalUs: number;
  readonly fullTotalUs: number;
}

/** What the kernel was told to keep for a container, and where it starts to slow it down. */
export interface Protections {
  readonly minBytes: ByteLimit | null;
  readonly lowBytes: ByteLimit | null;
  readonly highBytes: ByteLimit | null;
  /** cgroup v1 only: above it a container gives memory back first when the host runs short. */
  readonly softLimitBytes: ByteLimit | null;
  /** Whether the kernel kills the container as a whole. */
  readonly oomGroup: boolean | null;
}

/** Figures of one container at one moment. A field is null exactly when `missing` has a reason under its name. */
export interface Figures {
  /** Everything that is charged, page cache too. */
  readonly usageBytes: number | null;
  /** What the kernel cannot take back without swap: usage without page cache and reclaimable slab. */
  readonly workingSetBytes: number | null;
  readonly anonBytes: number | null;
  /** Page cache of files, without shared memory. */
  readonly fileBytes: number | null;
  readonly shmemBytes: number | null;
  readonly swapBytes: number | null;
  readonly limitBytes: ByteLimit | null;
  readonly swapLimitBytes: ByteLimit | null;
  readonly protections: Protections;
  /** Processes that the kernel killed for want of memory, since the container began. */
  readonly oomKills: number | null;
  /** How often usage went over `high`. */
  readonly highEvents: number | null;
  /** How often usage ran into the limit. */
  readonly maxEvents: number | null;
  readonly psi: Psi | null;
}

export interface Observation extends Figures {
  readonly kind: 'observation';
  readonly container: ContainerRef;
  /** Field → reason; protections as `protections.<field>`. */
  readonly missing: Readonly<Record<string, string>>;
}

/** The container does not exist, or ceased to while it was being read. */
export interface Gone {
  readonly kind: 'gone';
  readonly reason: string;
}

export type Pressure =
  | { readonly kind: 'pressure'; readonly psi: Psi }
  | { readonly kind: 'missing'; readonly reason: string }
  | Gone;

export interface LimitRequest {
  readonly limitBytes: ByteLimit;
  readonly highBytes?: ByteLimit;
  readonly lowBytes?: ByteLimit;
  readonly minBytes?: ByteLimit;
  readonly oomGroup?: boolean;
}

export interface LimitGuard {
  /** No limit is written below what is in use plus this. */
  readonly usageMarginBytes: number;
  readonly deadlineMs: number;
  /** When given, a container that took over the id since then is not touched. */
  readonly incarnation?: string;
}

/**
 * applied: the limit was read back. refused: it would have hurt, or began to and was taken back. busy: the kernel
 * declined. timed-out: not in time; a write that still lands is undone. unsupported: not with this runtime, kernel or
 * permission.
 */
export type LimitOutcome = 'applied' | 'refused' | 'busy' | 'gone' | 'timed-out' | 'unsupported';

export interface LimitResult {
  readonly outcome: LimitOutcome;
  /** The limit that the kernel states after the attempt; null when it could not be read. */
  readonly readBackBytes: ByteLimit | null;
  readonly reason: string;
  /** What beside the limit is not as it should be, by field (also `swap` of v1, `fence` of v2), with its reason. */
  readonly skipped: Readonly<Record<string, string>>;
}

export type ReclaimOutcome = 'reclaimed' | 'short' | 'gone' | 'timed-out' | 'unsupported';

export interface ReclaimResult {
  readonly outcome: ReclaimOutcome;
  /** How far usage fell; null when that is not known, for example because it grew meanwhile. */
  readonly reclaimedBytes: number | null;
  readonly reason: string;
}

export type ContainerChange =
  | { readonly kind: 'appeared'; readonly container: ContainerRef }
  | {
      readonly kind: 'vanished';
      readonly container: ContainerRef;
      /** Absent where the runtime does not learn it. */
      readonly exitCode?: number;
    }
  | {
      readonly kind: 'memory-events';
      readonly container: ContainerRef;
      /** Since the last change that was told. */
      readonly oomKills: number;
      readonly highEvents: number | null;
      readonly maxEvents: number | null;
    };

export interface RuntimeWatch {
  /** How changes are learnt of, for a person. */
  readonly source: string;
  stop(): Promise<void>;
}

export interface WatchOptions {
  /** Takes what a look at the containers threw; the watch goes on. */
  readonly onError: (error: unknown) => void;
}

export interface Runtime {
  readonly name: string;
  list(): Promise<readonly ContainerRef[]>;
  /** Every container that exists appears first. */
  watch(onChange: (change: ContainerChange) => void, options: WatchOptions): RuntimeWatch;
  observe(id: string): Promise<Observation | Gone>;
  /** Cheap enough for ten times a second a container; does not wait. */
  pressure(id: string): Pressure;
  limit(id: string, request: LimitRequest, guard: LimitGuard): Promise<LimitResult>;
  reclaim(id: string, bytes: number, deadlineMs: number): Promise<ReclaimResult>;
}

/** The part of a clock that runtimes need; the clock of the kit is one. */
export interface Timing {
  /** Milliseconds that never go back. */
  monotonic(): number;
  /** Rejects when the signal is raised. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
