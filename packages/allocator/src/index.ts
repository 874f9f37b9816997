/** The host agent. */
export { Accounts } from './accounts/accounts.ts';
export { applyBudgets } from './accounts/budgets.ts';
export { takeSample } from './observe/sample.ts';
export { type AllocatorOptions, createAllocator, type RunningAllocator } from './start.ts';
