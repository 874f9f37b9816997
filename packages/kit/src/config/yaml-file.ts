/**
 * Reads YAML into plain data and remembers where each key stands. Duplicate keys and keys that reach a prototype are
 * problems of their own, so that they are reported together with everything else.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { isDangerousKey, type Mapping, type Path } from './path.ts';
import type { Origins, Problem } from './problem.ts';
import { isSecretKey } from './secrets.ts';

/** Against aliases that multiply, and aliases to what contains them. */
const limits = { nodes: 10_000, depth: 64 };

export interface YamlFile {
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** The text is not YAML: the data says nothing. */
  readonly isBroken: boolean;
}

export function readYaml(source: string, name: string, origins: Origins): YamlFile {
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source;
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    // 'silent' would also hide a second document.
    logLevel: 'error',
  });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const problems = faults.map((fault) => ({
      where: place(fault.pos[0]),
      path: [],
      message: faultText(fault, text),
    }));
    return { data: undefined, problems, isBroken: true };
  }

  const problems: Problem[] = [];
  let nodes = 0;
  const read = (node: unknown, path: Path, depth: number): unknown => {
    nodes += 1;
    if (nodes > limits.nodes || depth > limits.depth) {
      if (problems.at(-1)?.message !== tooLarge) {
        problems.push({ where: origins.of(path), path: path.slice(0, 1), message: tooLarge });
      }
      return null;
    }
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target !== undefined) return read(target, path, depth + 1);
      problems.push({
        where: place(startOf(node)),
        path,
        message: `the anchor &${node.source} is not known`,
      });
      return null;
    }
    if (isScalar(node)) return node.value;
    if (isSeq(node)) {
      return node.items.map((item, at) => {
        const itemPath = [...path, at];
        origins.place(itemPath, place(startOf(item)));
        return read(item, itemPath, depth + 1);
      });
    }
    if (!isMap(node)) return null;
    const mapping: Mapping = {};
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
      const keyPath = [...path, key];
      const where = place(startOf(pair.key));
      if (isDangerousKey(key)) problems.push({ where, path: keyPath, message: 'this key is not allowed' });
      else if (Object.hasOwn(mapping, key)) {
        problems.push({ where, path: keyPath, message: `is given twice, first at ${origins.of(keyPath)}` });
      } else {
        origins.place(keyPath, where);
        mapping[key] = read(pair.value, keyPath, depth + 1);
      }
    }
    return mapping;
  };

  origins.place([], `${name}:1:1`);
  return { data: read(document.contents, [], 0), problems, isBroken: false };
}

const tooLarge = `is nested or repeated too much, must be at most ${limits.nodes} values and ${limits.depth} levels`;

function startOf(node: unknown): number {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
    ? Number(node.range[0])
    : 0;
}

/** The parser quotes the text; under a secret name only the kind of the fault is told. */
function faultText(fault: YAMLError, text: string): string {
  const before = text.slice(0, fault.pos[1]).split('\n').reverse();
  const key = before
    .map((line) => /^[\s?-]*["']?([\w.-]+)["']?\s*:/.exec(line)?.[1])
    .find((found) => found !== undefined);
  if (key !== undefined && isSecretKey(key)) return `is not YAML near "${key}" (${fault.code})`;
  return `is not YAML: ${fault.message}`;
}
