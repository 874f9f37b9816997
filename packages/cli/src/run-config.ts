/** The configuration as a command sees it: the same file and variables as the services, and no fault over a container's own. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, configSchema, unwrap } from '@nautilus/contracts';
import { loadConfig } from '@nautilus/kit';
import type { Surroundings } from './line/surroundings.ts';

/** Variables that begin with NAUTILUS_ and are no configuration. */
const reserved = ['NAUTILUS_CONFIG', 'NAUTILUS_CONTAINER', 'NAUTILUS_SEED_FILE', 'NAUTILUS_STOP_WITH_PARENT'];

export function readConfig(
  file: string | null,
  { env, cwd }: Pick<Surroundings, 'env' | 'cwd'>,
): { config: Config; sources: readonly string[] } {
  const usual = resolve(cwd, 'nautilus.yaml');
  const named = file ?? (env['NAUTILUS_CONFIG'] || null) ?? (existsSync(usual) ? usual : null);
  const options = { file: named === null ? null : resolve(cwd, named), env, envReserved: reserved };
  return unwrap(loadConfig(configSchema, options));
}
