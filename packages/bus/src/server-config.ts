/**
 * The configuration of a NATS server from data: one user per role, each with exactly the subjects of its role. It is
 * generated so that permissions cannot drift from the subjects that the code uses.
 */

export interface ServerUser {
  readonly name: string;
  /** The public half, `U…`. */
  readonly nkey: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** One reply to whoever asked, within 30 seconds, whatever the reply subject is. */
  readonly allowResponses: boolean;
}

export interface ServerConfigInput {
  readonly users: readonly ServerUser[];
  readonly port: number;
  readonly host?: string;
  readonly serverName?: string;
  /** JetStream keeps its files here; null: without JetStream. */
  readonly storeDir: string | null;
  /** Port of the server's own `/healthz` and `/jsz`; none when not given. */
  readonly monitorPort?: number;
  /** Bytes that JetStream may use on disk and in memory; the server decides when not given. */
  readonly maximumFileBytes?: number;
  readonly maximumMemoryBytes?: number;
  readonly maximumPayloadBytes?: number;
  /** Encrypts every connection; with `caFile` clients must show a certificate of that authority. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string };
}

/** Text in double quotes, with what NATS's parser would read as an escape or an end taken out. */
function quoted(text: string): string {
  if (/["\\\r\n]/.test(text)) throw new RangeError(`"${text}" cannot stand in a NATS configuration`);
  return `"${text}"`;
}

function list(subjects: readonly string[]): string {
  return `[${subjects.map(quoted).join(', ')}]`;
}

/** No subjects means none: an absent list would mean all. */
function permission(subjects: readonly string[]): string {
  return subjects.length === 0 ? '{ deny: [">"] }' : `{ allow: ${list(subjects)} }`;
}

function userLines(user: ServerUser): string[] {
  return [
    `    # ${user.name.replaceAll(/[\r\n]/g, ' ')}`,
    '    {',
    `      nkey: ${quoted(user.nkey)}`,
    '      permissions: {',
    `        publish: ${permission(user.publish)}`,
    `        subscribe: ${permission(user.subscribe)}`,
    ...(user.allowResponses ? ['        allow_responses: { max: 1, expires: "30s" }'] : []),
    '      }',
    '    }',
  ];
}

export function generateServerConfig(input: ServerConfigInput): string {
  const lines = [
    '# Generated from the roles of the contracts; change those, not this file.',
    `listen: ${quoted(`${input.host ?? '0.0.0.0'}:${input.port}`)}`,
  ];
  if (input.serverName !== undefined) lines.push(`server_name: ${quoted(input.serverName)}`);
  if (input.monitorPort !== undefined)
    lines.push(`http: ${quoted(`${input.host ?? '0.0.0.0'}:${input.monitorPort}`)}`);
  if (input.maximumPayloadBytes !== undefined) lines.push(`max_payload: ${input.maximumPayloadBytes}`);
  if (input.tls !== undefined) {
    const { certFile, keyFile, caFile } = input.tls;
    lines.push('tls {', `  cert_file: ${quoted(certFile)}`, `  key_file: ${quoted(keyFile)}`);
    if (caFile !== undefined) lines.push(`  ca_file: ${quoted(caFile)}`, '  verify: true');
    lines.push('}');
  }
  if (input.storeDir !== null) {
    lines.push('jetstream {', `  store_dir: ${quoted(input.storeDir)}`);
    if (input.maximumFileBytes !== undefined) lines.push(`  max_file_store: ${input.maximumFileBytes}`);
    if (input.maximumMemoryBytes !== undefined) lines.push(`  max_memory_store: ${input.maximumMemoryBytes}`);
    lines.push('}');
  }
  if (input.users.length > 0)
    lines.push('authorization {', '  users: [', ...input.users.flatMap(userLines), '  ]', '}');
  return `${lines.join('\n')}\n`;
}
