/** The three pages, over real sockets on free ports. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHealth } from '../health.ts';
import { Metrics } from '../metrics/metrics.ts';
import { keptLog } from '../testing/kept-log.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';

describe('the http server', () => {
  const servers: HttpServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop?.();
  });

  async function serve(options: Partial<HttpServerOptions> = {}) {
    const { log, lines } = keptLog();
    const health = createHealth();
    const metrics = new Metrics({ processMetrics: false });
    const server = createHttpServer({ port: 0, health, metrics, log, ...options });
    servers.push(server);
    await server.start?.({ signal: new AbortController().signal, log });
    const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { server, health, metrics, get, lines };
  }

  it('shows metrics', async () => {
    const { metrics, get } = await serve();
    metrics.counter({ name: 'x_total', type: 'counter', help: 'X.', labels: [] }).inc();
    const response = await get('/metrics?name=x');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('# HELP x_total X.\n# TYPE x_total counter\nx_total 1\n');
  });

  it('is live until the process has failed', async () => {
    const { health, get } = await serve();
    health.setState('draining');
    expect((await get('/healthz')).status).toBe(200);
    health.setState('failed');
    const response = await get('/healthz');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ alive: false, state: 'failed' });
  });

  it('is ready with its checks, and lists each with its reason', async () => {
    const { health, get } = await serve();
    health.setState('ready');
    health.set('bus', { ok: false, reason: 'no server answers' });
    health.set('agent', { ok: true });
    const refused = await get('/readyz');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({
      ready: false,
      state: 'ready',
      reasons: ['bus: no server answers'],
      checks: [
        { component: 'bus', ok: false, reason: 'no server answers' },
        { component: 'agent', ok: true, reason: null },
      ],
    });
    health.set('bus', { ok: true });
    expect((await get('/readyz')).status).toBe(200);
  });

  it('answers HEAD without a body, other methods with 405, other paths with 404', async () => {
    const { get } = await serve();
    const head = await get('/healthz', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await get('/metrics', 'POST');
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await get('/')).status).toBe(404);
  });

  it('answers 500 and logs when a collector fails', async () => {
    const { metrics, get, lines } = await serve();
    metrics.collectWith(() => Promise.reject(new Error('secret detail')));
    const response = await get('/metrics');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret detail');
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', path: '/metrics' }));
  });

  it('names the address and the key when the port is taken', async () => {
    const { server } = await serve();
    const { port } = server;
    await expect(serve({ port, portKey: 'monitor.port' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: `monitor.port: 127.0.0.1:${port} is in use; stop the process that holds it or choose another port`,
      details: { port, key: 'monitor.port' },
    });
    servers.pop();
  });

  it('refuses headers without end', async () => {
    const { server } = await serve();
    const socket = connect(server.port, '127.0.0.1');
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.write(`GET / HTTP/1.1\r\nx: ${'a'.repeat(9 * 1024)}\r\n\r\n`);
    expect(await answer).toContain('431');
    socket.destroy();
  });

  it('closes an idle connection at once at stop, and a silent one after a second', async () => {
    const { server } = await serve();
    const open = async (text: string) => {
      const socket = connect(server.port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      const answered = new Promise((resolve) => socket.once('data', resolve));
      const closed = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now())));
      if (text !== '') {
        socket.write(text);
        await answered;
      }
      return closed;
    };
    const idle = open('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    const silent = open('');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startedAt = performance.now();
    await server.stop?.();
    expect((await idle) - startedAt).toBeLessThan(900);
    expect((await silent) - startedAt).toBeGreaterThan(900);
    await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow();
  });
});
