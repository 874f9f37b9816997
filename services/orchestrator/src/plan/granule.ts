/** Budgets are whole multiples of 64 KiB: whole pages on every platform, and the unit in which shares are dealt. */
export const granuleBytes = 65_536;

export function roundUp(bytes: number): number {
  return Math.ceil(bytes / granuleBytes) * granuleBytes;
}

export function roundDown(bytes: number): number {
  return Math.floor(bytes / granuleBytes) * granuleBytes;
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
