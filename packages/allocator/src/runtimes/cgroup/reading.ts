/** Gathers the figures of one cgroup, file by file: what cannot be read is null and keeps the reason. */
import type { ByteLimit } from '../runtime.ts';
import type { Answer, CgroupDirectory, CgroupFile } from './files.ts';
import { parseKeyed, parseLimit } from './parse.ts';

export class Reading {
  readonly missing: Record<string, string> = {};
  /** Why the cgroup is gone; null while it is there. */
  goneReason: string | null = null;
  readonly #directory: CgroupDirectory;

  constructor(directory: CgroupDirectory) {
    this.#directory = directory;
  }

  /** `field`: the name under which a reason is kept. */
  async value<T>(field: string, file: CgroupFile, parse: (text: string) => T | null): Promise<T | null> {
    const text = await this.#directory.read(file);
    if (!text.ok) {
      if (text.refusal === 'gone') this.goneReason = text.reason;
      return this.absent(field, text.reason);
    }
    return (
      parse(text.value) ??
      this.absent(field, `${file}: found ${JSON.stringify(text.value.slice(0, 40))}, which is not understood`)
    );
  }

  /** Fields of a `name value` file, as a function from its names. */
  async keyed(
    fields: readonly string[],
    file: CgroupFile,
  ): Promise<(field: string, key: string) => number | null> {
    const text = await this.#directory.read(file);
    if (!text.ok) {
      if (text.refusal === 'gone') this.goneReason = text.reason;
      for (const field of fields) this.absent(field, text.reason);
      return () => null;
    }
    const values = parseKeyed(text.value);
    return (field, key) => values.get(key) ?? this.absent(field, `${file}: has no line ${key}`);
  }

  absent(field: string, reason: string): null {
    this.missing[field] ??= reason;
    return null;
  }
}

/** One limit, for those who are about to set it. */
export async function readLimit(directory: CgroupDirectory, file: CgroupFile): Promise<Answer<ByteLimit>> {
  const text = await directory.read(file);
  if (!text.ok) return text;
  const value = parseLimit(text.value);
  if (value !== null) return { ok: true, value };
  return {
    ok: false,
    refusal: 'invalid',
    reason: `${file}: found ${JSON.stringify(text.value.slice(0, 40))}`,
  };
}
