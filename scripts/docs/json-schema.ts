/** The zod schemas of the contracts as plain data. Quantities are functions to zod; here they say what they take. */
import { z } from 'zod';

/** The part of JSON Schema that the contracts use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  /** Only here: `size`, `duration` or `percentage`. */
  readonly quantity?: string;
}

const probes = { size: '1GiB', duration: '1s', percentage: '1%' } as const;

/** What a schema takes that JSON Schema cannot say: the one kind of quantity that it accepts. */
function quantityOf(schema: z.core.$ZodType): string | null {
  const accepted = Object.entries(probes).filter(([, text]) => z.safeParse(schema, text).success);
  return accepted.length === 1 ? (accepted[0]?.[0] ?? null) : null;
}

export function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: found }) => {
      const isOpen = ['type', 'anyOf', 'oneOf', 'enum', 'const', '$ref', 'allOf'].every(
        (key) => !(key in found),
      );
      const quantity = isOpen ? quantityOf(zodSchema) : null;
      if (quantity !== null) Object.assign(found, { quantity });
    },
  }) as JsonSchema;
}
