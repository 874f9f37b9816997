/** A schema as rows: one for every field, however deep, with a path that says where it is. */
import type { JsonSchema } from './json-schema.ts';

export interface Field {
  /** `a.b`, `list[].b`, `map.<name>.b`. */
  readonly path: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** Undefined when there is none. */
  readonly defaultValue: unknown;
  readonly description: string;
}

function rangeOf({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  // zod writes the limits of safe integers, which say nothing.
  const isLimit = (value: number | undefined) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined && isLimit(maximum)) return ` > ${exclusiveMinimum}`;
  if (isLimit(minimum) && isLimit(maximum)) return '';
  if (isLimit(maximum)) return ` ≥ ${minimum}`;
  if (isLimit(minimum)) return ` ≤ ${maximum}`;
  return ` ${minimum} to ${maximum}`;
}

/** For people: `integer ≥ 0`, `list of string`, `"a" or "b"`, `size`. */
export function typeOf(schema: JsonSchema): string {
  if (schema.quantity !== undefined) return schema.quantity;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  if (Array.isArray(schema.type))
    return schema.type.map((type: string) => typeOf({ ...schema, type })).join(' or ');
  switch (schema.type) {
    case 'array':
      return `list of ${typeOf(schema.items ?? {})}`;
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map to ${typeOf(schema.additionalProperties)}`
        : 'object';
    case 'integer':
    case 'number':
      return `${schema.type}${rangeOf(schema)}`;
    case 'string':
      return schema.pattern === undefined ? 'string' : `string matching \`${schema.pattern}\``;
    case undefined:
      return 'any';
    default:
      return String(schema.type);
  }
}

/** The objects inside a schema, each with what its fields' paths begin with. */
function inner(schema: JsonSchema, path: string): (readonly [string, JsonSchema])[] {
  if (schema.properties !== undefined) return [[path, schema]];
  if (schema.items !== undefined) return inner(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object') {
    return inner(schema.additionalProperties, path === '' ? '<name>' : `${path}.<name>`);
  }
  return (schema.anyOf ?? schema.oneOf ?? []).flatMap((choice) => inner(choice, path));
}

/** In the order of the schema; an object's own row comes before its fields. */
export function fieldsOf(schema: JsonSchema, path = ''): readonly Field[] {
  return inner(schema, path).flatMap(([prefix, object]) =>
    Object.entries(object.properties ?? {}).flatMap(([name, property]) => {
      const at = prefix === '' ? name : `${prefix}.${name}`;
      const field: Field = {
        path: at,
        type: typeOf(property),
        isRequired: object.required?.includes(name) ?? false,
        defaultValue: property.default,
        description: property.description ?? '',
      };
      return [field, ...fieldsOf(property, at)];
    }),
  );
}
