/** The container runtimes, one line each: configuration, documentation and the conformance suite read it. */

export interface RuntimeEntry {
  readonly name: string;
  readonly summary: string;
  /** Whether it can set limits that the kernel enforces. */
  readonly enforces: boolean;
}

export const runtimes = {
  cgroup: {
    name: 'cgroup',
    summary: 'Child cgroups of one cgroup, v2 or v1, whoever made them: read and limited through the kernel.',
    enforces: true,
  },
  docker: {
    name: 'docker',
    summary:
      'Containers of a Docker engine, by label or by name; figures come from the kernel, limits go through the engine.',
    enforces: true,
  },
  process: {
    name: 'process',
    summary: 'Plain processes: observed; their budget is held by their leases alone.',
    enforces: false,
  },
} as const satisfies Record<string, RuntimeEntry>;

export type RuntimeName = keyof typeof runtimes;
