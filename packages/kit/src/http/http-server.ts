/**
 * The three pages that every process shows to its surroundings: `/metrics` for Prometheus, `/healthz` for whoever
 * restarts it, `/readyz` for whoever sends it work. Nothing else is served here, and nothing is read from a request.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { NautilusError } from '@nautilus/contracts';
import type { Health } from '../health.ts';
import type { Component } from '../lifecycle/component.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';

export interface HttpServerOptions {
  /** 0: any free one, see `port` of the server. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly log: Logger;
  /** The configuration key of the port, for the message when it is taken; default `http.port`. */
  readonly portKey?: string;
}

export interface HttpServer extends Component {
  /** The one that is bound; before the start, the one that was asked for. */
  readonly port: number;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const maximumConnections = 64;
/** What is left of an answer in flight after this long is cut off. */
const closeGraceMs = 1_000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { host = '127.0.0.1', log, portKey = 'http.port' } = options;
  let server: Server | null = null;
  let port = options.port;
  return {
    name: 'http',
    get port() {
      return port;
    },
    async start() {
      server = createServer(limits, (request, response) => {
        answer(options, request).then(
          (page) => send(request, response, page),
          (error: unknown) => {
            log.error({ err: error, path: request.url }, 'page failed');
            send(request, response, json(500, { error: 'internal' }));
          },
        );
      });
      server.maxConnections = maximumConnections;
      port = await listen(server, options.port, host, portKey);
      server.on('error', (error) => log.error({ err: error }, 'http server'));
      log.info({ host, port }, 'serving /metrics, /healthz and /readyz');
    },
    async stop() {
      if (server === null) return;
      await close(server);
      server = null;
    },
  };
}

async function answer({ metrics, health }: HttpServerOptions, request: IncomingMessage): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'only GET and HEAD' });
  const path = (request.url ?? '/').split('?', 1)[0];
  switch (path) {
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.render() };
    case '/healthz': {
      const liveness = health.liveness();
      return json(liveness.alive ? 200 : 503, liveness);
    }
    case '/readyz': {
      const readiness = health.readiness();
      const checks = health.checks.map(({ component, isOk, reason }) => ({ component, ok: isOk, reason }));
      return json(readiness.ready ? 200 : 503, { ...readiness, checks });
    }
    default:
      return json(404, { error: 'not found', pages: ['/metrics', '/healthz', '/readyz'] });
  }
}

function json(status: number, body: object): Page {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, page: Page): void {
  response.writeHead(page.status, {
    'content-type': page.type,
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; stop the process that holds it or choose another port',
  EACCES: 'needs more rights than this process has; choose a port from 1024 up',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not a known host name',
};

function listen(server: Server, port: number, host: string, portKey: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = reasons[error.code ?? ''] ?? `cannot be listened on (${error.message})`;
      reject(
        new NautilusError(
          {
            code: 'config_invalid',
            message: `${portKey}: ${host}:${port} ${reason}`,
            details: { host, port, key: portKey, cause: error.code },
          },
          { cause: error },
        ),
      );
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    // Closes idle connections at once.
    server.close((error) => {
      clearTimeout(cutOff);
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
