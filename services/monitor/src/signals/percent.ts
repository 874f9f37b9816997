/** A share as people read it: 0.924 → `92.4%`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}
