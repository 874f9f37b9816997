/** Nkeys: a service proves with its seed who it is, and the server's configuration holds only the public half. */
import { nkeys } from '@nats-io/transport-node';

export interface Nkey {
  /** The private half; belongs in a file with mode 0600. */
  readonly seed: string;
  readonly publicKey: string;
}

const ascii = new TextDecoder();

/** A new user key: `U…` to put into the server's configuration, `SU…` for the user. */
export function createNkey(): Nkey {
  const pair = nkeys.createUser();
  return { seed: ascii.decode(pair.getSeed()), publicKey: pair.getPublicKey() };
}

/** The public half of a seed; throws when the text is not one. */
export function publicKeyOf(seed: string): string {
  return nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey();
}
