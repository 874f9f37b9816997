/**
 * Lays environment variables over the configuration: `NAUTILUS_NATS__SERVERS` is `nats.servers`. A variable that is set
 * to nothing counts as not set, because that is what `${NAME:-}` of compose makes of a missing one.
 */
import { parseDocument } from 'yaml';
import { isDangerousKey, isMapping, type Mapping, type Path } from './path.ts';
import type { Origins, Problem } from './problem.ts';

export interface EnvironmentOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly prefix: string;
  /** Variables that begin with the prefix and are no configuration. */
  readonly reserved: readonly string[];
}

/** Changes `data` in place and adds to `origins`. */
export function applyEnvironment(data: Mapping, options: EnvironmentOptions, origins: Origins): Problem[] {
  const { env, prefix, reserved } = options;
  const problems: Problem[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (!name.startsWith(`${prefix}_`) || reserved.includes(name)) continue;
    if (text === undefined || text.trim() === '') continue;
    const keys = name
      .slice(prefix.length + 1)
      .toLowerCase()
      .split('__');
    const message = put(data, keys, name, text, origins);
    if (message !== null) problems.push({ where: name, path: [], message });
  }
  return problems;
}

/** Null when it went well. */
function put(data: Mapping, keys: readonly string[], name: string, text: string, origins: Origins) {
  if (keys.some((key) => key === '' || isDangerousKey(key))) {
    return 'is not a name of a key, must be keys joined by two underscores';
  }
  const value = parseValue(text);
  if (!value.ok) return 'begins like a list or mapping and is not YAML; put it in quotes if it is text';
  let parent: Mapping | unknown[] = data;
  const path: PropertyKey[] = [];
  for (const [at, key] of keys.entries()) {
    const own: string | number | null = ownKey(parent, key);
    if (own === null) return `"${key}" is not a place in the list ${String(path.at(-1))}`;
    path.push(own);
    const slots = parent as Record<PropertyKey, unknown>;
    if (at === keys.length - 1) {
      slots[own] = value.value;
      break;
    }
    slots[own] ??= {};
    const next = slots[own];
    if (!isMapping(next) && !Array.isArray(next)) {
      return `cannot be set, because ${origins.of(path)} gives "${path.map(String).join('.')}" a plain value`;
    }
    parent = next;
  }
  origins.variable({ name, text, path: path as Path });
  return null;
}

/** Names in the file may have `-`, which a shell does not accept in a variable: `_` finds them. */
function ownKey(parent: Mapping | unknown[], key: string): string | number | null {
  if (Array.isArray(parent)) {
    const at = /^\d{1,4}$/.test(key) ? Number(key) : Number.NaN;
    return at <= parent.length ? at : null;
  }
  if (Object.hasOwn(parent, key)) return key;
  return Object.keys(parent).find((name) => name.replaceAll('-', '_') === key) ?? key;
}

/** A YAML scalar; `[…]` and `{…}` are lists and mappings; anything that is not one of these is text. */
function parseValue(text: string): { ok: true; value: unknown } | { ok: false } {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error', stringKeys: true });
  const isClean = document.errors.length === 0 && document.warnings.length === 0;
  if (/^\s*[[{]/.test(text)) return isClean ? { ok: true, value: document.toJS() } : { ok: false };
  const value: unknown = isClean ? document.toJS() : text;
  const isScalar = typeof value !== 'object' || value === null;
  // A text that is only a comment to YAML, such as a colour, is a text.
  if (value === null && !/^\s*(?:null|~)\s*$/i.test(text)) return { ok: true, value: text };
  return { ok: true, value: isScalar ? value : text };
}
