/** The three variables that a container's program reads, written as the services read them too. */

export interface Environment {
  readonly servers: readonly string[];
  readonly host: string;
  /** Null connects without identity. */
  readonly seedFile: string | null;
}

const usualServer = 'nats://127.0.0.1:4222';

/** An empty variable is one that is not set. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const servers = readList(env['NAUTILUS_NATS__SERVERS'] ?? '');
  return {
    servers: servers.length > 0 ? servers : [usualServer],
    host: env['NAUTILUS_HOST__ID'] || 'h1',
    seedFile: env['NAUTILUS_SEED_FILE'] || null,
  };
}

/** Commas, a YAML flow list, or a YAML block list. */
function readList(text: string): readonly string[] {
  return text
    .trim()
    .replace(/^\[([\s\S]*)\]$/, '$1')
    .split(/[,\n]/)
    .map((item) =>
      item
        .trim()
        .replace(/^- +/, '')
        .replace(/^(["'])(.*)\1$/, '$2'),
    )
    .filter((item) => item !== '');
}
