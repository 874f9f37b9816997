/**
 * A controller that has just started changes nothing for two looks at a host that has budgets already: what it sees
 * first may be the middle of something that its predecessor began. A look counts when the agent has reported anew.
 */
export interface Quiet {
  readonly looksLeft: number;
  readonly lastAt: number;
}

const quietLooks = 2;

/** `hasBudgets`: somebody decided for this host before. Without that there is nothing to keep. */
export function lookAgain(old: Quiet | null, at: number, hasBudgets: boolean): Quiet {
  if (old === null) return { looksLeft: hasBudgets ? quietLooks : 0, lastAt: at };
  if (old.looksLeft === 0 || at === old.lastAt) return old;
  return { looksLeft: old.looksLeft - 1, lastAt: at };
}
