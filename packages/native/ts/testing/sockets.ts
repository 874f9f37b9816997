// Test support: both ends of a connection in one process, at paths that end with the test run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Descriptor } from '../descriptor.ts';
import { type Connection, connect, type Listener, listen } from '../ipc.ts';

const folder = mkdtempSync(join(tmpdir(), 'nautilus-ipc-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let sockets = 0;

export function newPath(): string {
  sockets += 1;
  return join(folder, `${sockets}.sock`);
}

export function nextMessage(connection: Connection): Promise<{ text: string; descriptors: Descriptor[] }> {
  return new Promise((resolve) => {
    connection.onMessage((payload, descriptors) => resolve({ text: payload.toString(), descriptors }));
  });
}

export const closeOf = (connection: Connection) =>
  new Promise<string>((resolve) => connection.onClose(resolve));

export function acceptOne(
  path: string,
  maxFrameBytes = 65_536,
): { listener: Listener; peer: Promise<Connection> } {
  let accept: (connection: Connection) => void = () => undefined;
  const peer = new Promise<Connection>((resolve) => {
    accept = resolve;
  });
  return {
    listener: listen({ path, maxFrameBytes, onConnection: (connection) => accept(connection) }),
    peer,
  };
}

export async function socketPair(): Promise<{ listener: Listener; client: Connection; server: Connection }> {
  const path = newPath();
  const { listener, peer } = acceptOne(path);
  const client = await connect({ path });
  return { listener, client, server: await peer };
}
