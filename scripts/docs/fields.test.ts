/** Every shape of schema that the contracts use has a type and a path that a reader understands. */
import { configSchema } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldsOf, typeOf } from './fields.ts';
import { jsonSchema } from './json-schema.ts';

const typed = (schema: z.ZodType) => typeOf(jsonSchema(schema));

describe('the type of a field', () => {
  it.each<[string, z.ZodType, string]>([
    ['a whole number from zero', z.number().int().nonnegative(), 'integer ≥ 0'],
    ['a whole number in a range', z.number().int().min(1).max(5), 'integer 1 to 5'],
    ['any whole number', z.number().int(), 'integer'],
    ['a positive number', z.number().int().positive(), 'integer > 0'],
    ['a choice', z.enum(['a', 'b']), '"a" or "b"'],
    ['a pattern', z.string().regex(/^s-/), 'string matching `^s-`'],
    ['text or nothing', z.string().nullable(), 'string or null'],
    ['a list', z.array(z.boolean()), 'list of boolean'],
    ['a map', z.record(z.string(), z.number()), 'map to number'],
    ['anything', z.unknown(), 'any'],
  ])('%s', (_, schema, expected) => {
    expect(typed(schema)).toBe(expected);
  });
});

describe('the fields of a schema', () => {
  it('names every field of objects, lists and maps by its path', () => {
    const leaf = z.object({ bytes: z.number() });
    const schema = z.object({
      one: leaf,
      many: z.array(leaf),
      named: z.record(z.string(), leaf),
      perhaps: leaf.nullable().optional(),
    });
    expect(fieldsOf(jsonSchema(schema)).map(({ path, isRequired }) => [path, isRequired])).toEqual([
      ['one', true],
      ['one.bytes', true],
      ['many', true],
      ['many[].bytes', true],
      ['named', true],
      ['named.<name>.bytes', true],
      ['perhaps', false],
      ['perhaps.bytes', true],
    ]);
  });

  it('tells quantities by what they accept, with their default as people write it', () => {
    const fields = new Map(fieldsOf(jsonSchema(configSchema)).map((field) => [field.path, field]));
    expect(fields.get('host.capacity')).toMatchObject({ type: 'size', defaultValue: '36GiB' });
    expect(fields.get('monitor.clear_hold')).toMatchObject({ type: 'duration', defaultValue: '30m' });
    expect(fields.get('monitor.memory.critical')).toMatchObject({ type: 'percentage', defaultValue: '90%' });
    expect(fields.get('regions.<name>.capacity')).toMatchObject({ type: 'size', isRequired: true });
  });

  it('leaves no key of the configuration without a type and a description', () => {
    const keys = fieldsOf(jsonSchema(configSchema)).filter(({ type }) => type !== 'object');
    expect(keys.length).toBeGreaterThan(40);
    expect(keys.filter(({ type, description }) => type === 'any' || description === '')).toEqual([]);
  });
});
