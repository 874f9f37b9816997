/**
 * Quantities with units, as people write them in `nautilus.yaml` and on the wire: `2GiB`, `512 MB`, `5s`.
 * Bytes and milliseconds are plain safe integers inside the system; their names carry the unit.
 */

const byteUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export const byteUnitNames: readonly string[] = Object.keys(byteUnits);
export const durationUnitNames: readonly string[] = Object.keys(durationUnits);

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]+)$/.exec(text.trim());
  if (match === null) return null;
  const factor = units[match[2] ?? ''];
  if (factor === undefined) return null;
  const value = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(value) ? value : null;
}

/** Bytes of `2GiB`, `512 MB`, `4096B`; null when the text is not a whole quantity with a known unit. */
export function parseBytes(text: string): number | null {
  return parseQuantity(text, byteUnits);
}

/** Milliseconds of `5s`, `250ms`, `24h`; null when the text is not a quantity with a known unit. */
export function parseDuration(text: string): number | null {
  return parseQuantity(text, durationUnits);
}

/** The shortest binary form with at most one decimal: 1610612736 → `1.5GiB`. For people, not for parsing back exactly. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let value = Math.abs(bytes);
  let step = 0;
  while (value >= 1024 && step < names.length - 1) {
    value /= 1024;
    step += 1;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)}${names[step]}`;
}

/** The largest unit that divides the duration evenly: 60000 → `1m`, 1500 → `1500ms`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  for (const [name, factor] of Object.entries(durationUnits).reverse()) {
    if (durationMs % factor === 0) return `${durationMs / factor}${name}`;
  }
  return `${durationMs}ms`;
}
