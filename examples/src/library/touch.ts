/**
 * Memory counts for a program only when it is touched: the kernel finds the page at the first write and charges it to
 * the writer.
 */

/** Not larger than any platform's page, so that no page is left out. */
const pageBytes = 4096;

export function touchPages(bytes: Uint8Array, mark: number): void {
  for (let at = 0; at < bytes.length; at += pageBytes) bytes[at] = mark;
}

/** First and last byte: enough to prove that a small block is there and ends where it says. */
export function touchEnds(bytes: Uint8Array, mark: number): void {
  bytes[0] = mark;
  bytes[bytes.length - 1] = mark;
}
