/**
 * Where a service finds its configuration: `--config FILE`, else `NAUTILUS_CONFIG`, else `nautilus.yaml` in the working
 * directory, else the defaults; environment variables override single keys of any of them.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, configSchema, fail, type Result } from '@nautilus/contracts';
import { loadConfig } from '../config/load-config.ts';

export interface ProcessSurroundings {
  /** Without node and script. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

const fileVariable = 'NAUTILUS_CONFIG';
/** No configuration, but how a process ends; see runService. */
export const parentVariable = 'NAUTILUS_STOP_WITH_PARENT';

export function loadServiceConfig({ argv, env, cwd }: ProcessSurroundings): Result<Config> {
  const named = namedFile(argv);
  if (!named.ok) return named;
  const usual = resolve(cwd, 'nautilus.yaml');
  const file = named.value ?? emptyAsNone(env[fileVariable]) ?? (existsSync(usual) ? usual : null);
  const loaded = loadConfig(configSchema, {
    file: file === null ? null : resolve(cwd, file),
    env,
    envReserved: [fileVariable, parentVariable],
  });
  return loaded.ok ? { ok: true, value: loaded.value.config } : loaded;
}

/** `NAUTILUS_CONFIG=` in a compose file means: not set. */
function emptyAsNone(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value;
}

function namedFile(argv: readonly string[]): Result<string | null> {
  const [option, file, ...rest] = argv;
  if (option === undefined) return { ok: true, value: null };
  if (option !== '--config' || file === undefined || rest.length > 0) {
    return fail('config_invalid', `arguments: found "${argv.join(' ')}", allowed is --config FILE`);
  }
  return { ok: true, value: file };
}
