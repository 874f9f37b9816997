/** The text of the configuration file, or the reason why there is none. */
import { readFileSync } from 'node:fs';
import { fail, ok, type Result } from '@nautilus/contracts';

export const defaultConfigFile = 'nautilus.yaml';

export interface ConfigText {
  readonly name: string;
  readonly text: string;
}

/** Null: there is no file, and none was asked for by name. */
export function readSource(file: string | null | undefined): Result<ConfigText | null> {
  if (file === null) return ok(null);
  const name = file ?? defaultConfigFile;
  let bytes: Buffer;
  try {
    bytes = readFileSync(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && file === undefined) return ok(null);
    return fail('config_invalid', `${name}  ${reasons[code ?? ''] ?? `cannot be read: ${String(error)}`}`);
  }
  try {
    return ok({ name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) });
  } catch {
    return fail('config_invalid', `${name}  is not UTF-8 text`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory, must be a file',
  EACCES: 'cannot be read, this user lacks the right',
};
