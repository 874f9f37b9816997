/** A connection in the name of one party, that fails at once and says what to do. */
import { readFileSync, statSync } from 'node:fs';
import { type Bus, connectBus, tlsOf } from '@nautilus/bus';
import { fail, NautilusError } from '@nautilus/contracts';
import type { Call } from '../line/call.ts';

/** The operator: a person with all requests of the services, and every fact. */
export const operator = 'operator';

export async function openBus(call: Call, party: string = operator): Promise<Bus> {
  const { connection } = call;
  const seedFile = connection.seedFile(party);
  try {
    return await connectBus({
      servers: connection.servers,
      // Also the inbox, which permissions tie to the party.
      name: party,
      credentials: seedFile === null ? null : { nkeySeed: readSeed(seedFile) },
      ...(connection.tls === null ? {} : { tls: tlsOf(connection.tls) }),
      waitOnFirstConnect: false,
      signal: call.surroundings.signal,
    });
  } catch (error) {
    if (!(error instanceof NautilusError)) throw error;
    const remedy =
      error.code === 'unavailable'
        ? 'start it with `nautilus up`, or say where NATS is with --nats'
        : error.code === 'permission_denied'
          ? `say whose seed to use with --seed; ${party} is asked for here`
          : null;
    if (remedy === null) throw error;
    throw new NautilusError(
      { ...error.toFault(), message: `${error.message} (from ${connection.source}); ${remedy}` },
      { cause: error },
    );
  }
}

/** Opens, does the work, and closes whatever becomes of it. */
export async function withBus<T>(
  call: Call,
  work: (bus: Bus) => Promise<T>,
  party: string = operator,
): Promise<T> {
  const bus = await call.wait(`connecting to ${call.connection.servers.join(', ')}`, openBus(call, party));
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}

/** An nkey's seed from its file. A file that others can read is refused, as ssh does. */
export function readSeed(path: string): string {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined)
    throw wrong(`seed file ${path} is not there; \`nautilus identity add NAME\` makes one`);
  if ((file.mode & 0o077) !== 0) throw wrong(`seed file ${path} can be read by others: chmod 600 ${path}`);
  const text = readFileSync(path, 'utf8').trim();
  if (!/^SU[A-Z2-7]{40,}$/.test(text)) throw wrong(`seed file ${path} holds no user seed (SU…)`);
  return text;
}

function wrong(message: string): NautilusError {
  return new NautilusError(fail('config_invalid', message).fault);
}
