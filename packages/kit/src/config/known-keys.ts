/** The keys a schema allows at a path, for suggestions. */
import type { z } from 'zod';
import { isMapping, type Path } from './path.ts';

/** Empty where any key is allowed, or none. */
export function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let found = [definitionOf(schema)];
  for (const key of path) found = found.flatMap(unwrap).flatMap((definition) => below(definition, key));
  return found
    .flatMap(unwrap)
    .flatMap((definition) => (isMapping(definition['shape']) ? Object.keys(definition['shape']) : []));
}

type Definition = Record<string, unknown>;

function definitionOf(schema: unknown): Definition {
  const inner = isMapping(schema) && isMapping(schema['_zod']) ? schema['_zod'] : null;
  return inner !== null && isMapping(inner['def']) ? inner['def'] : {};
}

/** The schemas that decide about keys inside defaults, optionals, pipes, unions and the like. */
function unwrap(definition: Definition): Definition[] {
  const { innerType, options, left, right, getter } = definition;
  // A pipe reads its `in` side, except where that side only prepares the value for the other (preprocess).
  const side = definitionOf(definition['in'])['type'] === 'transform' ? definition['out'] : definition['in'];
  if (definition['type'] === 'pipe') return unwrap(definitionOf(side));
  if (innerType !== undefined) return unwrap(definitionOf(innerType));
  if (Array.isArray(options)) return options.flatMap((option) => unwrap(definitionOf(option)));
  if (left !== undefined) return [...unwrap(definitionOf(left)), ...unwrap(definitionOf(right))];
  if (typeof getter === 'function') return unwrap(definitionOf(getter()));
  return [definition];
}

function below(definition: Definition, key: PropertyKey): Definition[] {
  const { shape, valueType, element, items } = definition;
  if (isMapping(shape) && Object.hasOwn(shape, key)) return [definitionOf(shape[String(key)])];
  if (valueType !== undefined) return [definitionOf(valueType)];
  if (element !== undefined) return [definitionOf(element)];
  if (Array.isArray(items)) return [definitionOf(items[Number(key)])];
  return [];
}
