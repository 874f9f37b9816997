/** The words of `main.js DIRECTORY [UID]`, and what it says of what it made. */
import { NautilusError } from '@nautilus/contracts';
import { loadServiceConfig } from '@nautilus/kit';
import { provision } from './provision.ts';

export interface Said {
  readonly exitCode: 0 | 1 | 2;
  readonly text: string;
}

/** `UID`: who shall own the files; without it, who runs this. Never throws for what a person can mend. */
export function runProvision(words: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Said {
  const [directory, uid] = words;
  if (directory === undefined || words.length > 2 || (uid !== undefined && !/^\d{1,9}$/.test(uid)))
    return { exitCode: 2, text: `usage: main.js DIRECTORY [UID], found "${words.join(' ')}"\n` };
  const loaded = loadServiceConfig({ argv: [], env, cwd });
  if (!loaded.ok) return { exitCode: 1, text: `${loaded.fault.message}\n` };
  const { host, containers } = loaded.value;
  const owner = uid === undefined ? null : { uid: Number(uid), gid: Number(uid) };
  try {
    const made = provision({ directory, host: host.id, containers: Object.keys(containers), owner });
    const fresh = made.filter(({ isNew }) => isNew).map(({ party }) => party);
    const news = fresh.length === 0 ? 'none was missing' : `new: ${fresh.join(', ')}`;
    return { exitCode: 0, text: `${made.length} identities; ${news}\n` };
  } catch (error) {
    if (!(error instanceof NautilusError)) throw error;
    return { exitCode: 1, text: `${error.message}\n` };
  }
}
