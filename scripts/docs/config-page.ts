/** Every key of `nautilus.yaml`. */
import { byteUnitNames, configSchema, durationUnitNames } from '@nautilus/contracts';
import { type Field, fieldsOf } from './fields.ts';
import { type JsonSchema, jsonSchema } from './json-schema.ts';
import { code, page, table } from './markdown.ts';

/** Shown as a table of their own, because they are maps with many entries by default. */
const maps = ['regions', 'pools', 'containers'] as const;

function written(value: unknown): string {
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}

function defaultOf({ path, type, isRequired, defaultValue }: Field): string {
  if (maps.some((name) => name === path)) return 'see below';
  if (defaultValue !== undefined && type !== 'object') return written(defaultValue);
  return isRequired ? 'required' : '';
}

function keyTable(fields: readonly Field[]): string {
  return table(
    ['Key', 'Type', 'Default', 'What'],
    fields
      // A section says nothing that its keys do not say.
      .filter(({ type }) => type !== 'object')
      .map((field) => [code(field.path), field.type, defaultOf(field), field.description]),
  );
}

function isEntry(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What a map holds when the file does not have it: one row an entry, one column a key. */
function defaultTable(name: string, schema: JsonSchema): string {
  const entries = isEntry(schema.default) ? Object.entries(schema.default) : [];
  const entry = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
  const keys = Object.keys(entry.properties ?? {});
  return table(
    [name, ...keys],
    entries.map(([title, values]) => [
      code(title),
      ...keys.map((key) => {
        const value = isEntry(values) ? (values[key] ?? entry.properties?.[key]?.default) : undefined;
        return value === undefined ? '' : String(value);
      }),
    ]),
  );
}

export function configPage(): string {
  const schema = jsonSchema(configSchema);
  const fields = fieldsOf(schema);
  const sections = Object.keys(schema.properties ?? {});
  return page(
    'Configuration',
    'packages/contracts/src/config',
    `${code('nautilus.yaml')}; every key is optional unless it says otherwise, unknown keys are refused. An environment ` +
      `variable overrides a key: ${code('NAUTILUS_')} and its path in capitals with ${code('__')} for every dot, as in ` +
      `${code('NAUTILUS_MONITOR__PORT=9091')}.`,
    `A size is a number with one of ${byteUnitNames.map(code).join(', ')}; a duration is one with ` +
      `${durationUnitNames.map(code).join(', ')}; a percentage ends with ${code('%')}. A bare number is refused.`,
    ...sections.flatMap((section) => [
      `## ${section}`,
      ...(schema.properties?.[section]?.description === undefined
        ? []
        : [schema.properties[section].description]),
      keyTable(fields.filter(({ path }) => path.startsWith(`${section}.`))),
      ...(maps.some((name) => name === section)
        ? ['Without the section the host has:', defaultTable(section, schema.properties?.[section] ?? {})]
        : []),
    ]),
  );
}
