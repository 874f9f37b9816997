// Loads and stores of words that other processes read, in the order in which they are written here. An Atomics call is
// no single instruction in JavaScript but a call of 5 ns and more, and a store also empties the store buffer. An x86
// processor keeps loads in order and stores in order by itself; only a store that must be seen before a later load
// needs Atomics.store there. Every other processor gets Atomics for all of them.

/** The compiler folds it: no branch is left. */
const keepsOrder = process.arch === 'x64' || process.arch === 'ia32';

/** Nothing that follows is read before it. */
export function loadAcquire(words: Int32Array, at: number): number {
  return keepsOrder ? (words[at] as number) : Atomics.load(words, at);
}

/** Nothing that precedes is read or written after it; what follows may be read before others see it. */
export function storeRelease(words: Int32Array, at: number, value: number): void {
  if (keepsOrder) words[at] = value;
  else Atomics.store(words, at, value);
}
