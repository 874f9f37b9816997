/** The host agent. */
export { Accounts } from './accounts/accounts.ts';
export { applyBudgets } from './accounts/budgets.ts';
export { openDevices, watched } from './devices/open.ts';
export type { FoundDevices, WatchedDevice } from './devices/watch.ts';
export { takeSample } from './observe/sample.ts';
export { type AllocatorOptions, createAllocator, type RunningAllocator } from './start.ts';
