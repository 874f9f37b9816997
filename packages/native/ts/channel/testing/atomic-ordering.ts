// Test support: `ordering.ts` as it is on processors that keep no order by themselves, so that each ordered access is
// one of Atomics and can be interrupted (at-each-atomic.ts). For `vi.mock('./ordering.ts', …)`.

export function loadAcquire(words: Int32Array, at: number): number {
  return Atomics.load(words, at);
}

export function storeRelease(words: Int32Array, at: number, value: number): void {
  Atomics.store(words, at, value);
}
