/** The ports of the services must be free before anything starts: whoever answers there already would be taken for ours. */
import { createServer } from 'node:net';
import type { ServiceRow } from './services.ts';

export async function assertPortsFree(rows: readonly ServiceRow[]): Promise<void> {
  const taken: string[] = [];
  for (const { name, port, bind } of rows) {
    const reason = await refusal(bind, port);
    if (reason !== null) taken.push(`${name}.port: ${bind}:${port} cannot be bound (${reason})`);
  }
  if (taken.length === 0) return;
  throw new Error(
    `${taken.join('\n')}\nIs another Nautilus running? Stop it, or choose ports, e.g. NAUTILUS_${rows[0]?.name.toUpperCase()}__PORT=9191.`,
  );
}

function refusal(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'in use' : error.message),
    );
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}
