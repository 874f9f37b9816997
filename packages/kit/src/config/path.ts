/** A place in the configuration, as the keys that lead to it. */

export type Path = readonly PropertyKey[];

/** For a map of places. */
export function pathId(path: Path): string {
  return path.map(String).join('\u0000');
}

/** `pools.trading.sizes[2]` */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}

export type Mapping = Record<string, unknown>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value there; undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isMapping(value) && Object.hasOwn(value, key)) value = value[String(key)];
    else return undefined;
  }
  return value;
}

/** Puts a value where the parent exists already. */
export function replaceAt(root: unknown, path: Path, value: unknown): void {
  const parent = valueAt(root, path.slice(0, -1));
  const key = path.at(-1);
  if (key === undefined) return;
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else if (isMapping(parent)) parent[String(key)] = value;
}

/** Keys that would reach an object's prototype. */
const dangerousKeys: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);

export function isDangerousKey(key: string): boolean {
  return dangerousKeys.has(key);
}
