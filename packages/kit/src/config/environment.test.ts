/** What environment variables override, and what they and the secrets in them never do. */
import { describe, expect, it } from 'vitest';
import { configOf, messageOf } from '../testing/config-schema.ts';
import type { LoadConfigOptions } from './load-config.ts';

describe('environment variables', () => {
  const text = 'host: h2\nnats:\n  servers: [a]\npools:\n  trading-engine:\n    segment: 1MiB\n';

  it('win over the file and are named as sources', () => {
    const env = {
      NAUTILUS_NATS__SERVERS: '[b, c]',
      NAUTILUS_NATS__RECONNECT_WAIT: '0.5',
      NAUTILUS_NATS__TLS__ENABLED: 'true',
      NAUTILUS_POOLS__TRADING_ENGINE__SEGMENT: '2MiB',
      NAUTILUS_HOST: '',
      OTHER_HOST: 'x',
    };
    const { config, sources } = configOf({ text, env });
    expect(config).toEqual({
      host: 'h2',
      nats: { servers: ['b', 'c'], reconnect_wait: 0.5, tls: { enabled: true } },
      pools: { 'trading-engine': { segment: '2MiB', strategy: 'tlsf' } },
    });
    expect(sources).toEqual(['nautilus.yaml', ...Object.keys(env).slice(0, 4).sort()]);
  });

  it('reach into lists that exist', () => {
    const env = { NAUTILUS_NATS__SERVERS__0: 'b', NAUTILUS_NATS__SERVERS__1: 'c' };
    expect(configOf({ text, env }).config.nats.servers).toEqual(['b', 'c']);
    expect(messageOf({ text, env: { NAUTILUS_NATS__SERVERS__5: 'x' } })).toBe(
      'NAUTILUS_NATS__SERVERS__5  "5" is not a place in the list servers',
    );
  });

  it.each(['007', '1e3', 'true', 'null', '#ff0000', '0x10'])(
    '%s is text where text is asked for',
    (value) => {
      expect(configOf({ text, env: { NAUTILUS_HOST: value } }).config.host).toBe(value);
    },
  );

  it('are named when they are wrong', () => {
    const env = {
      NAUTILUS_HOTS: 'a',
      NAUTILUS_NATS__RECONNECT_WAIT: 'soon',
      NAUTILUS_NATZ__SERVERS: '[a]',
      NAUTILUS_POOLS: '[a',
      NAUTILUS_HOST__NAME: 'x',
      NAUTILUS_NATS____SERVERS: 'x',
      NAUTILUS_CONSTRUCTOR__NAME: 'x',
    };
    expect(messageOf({ text, env })).toBe(
      [
        'NAUTILUS_CONSTRUCTOR__NAME  is not a name of a key, must be keys joined by two underscores',
        'NAUTILUS_HOST__NAME  cannot be set, because nautilus.yaml:1:1 gives "host" a plain value',
        'NAUTILUS_HOTS  hots: unknown key, did you mean "host"?',
        'NAUTILUS_NATS____SERVERS  is not a name of a key, must be keys joined by two underscores',
        'NAUTILUS_NATS__RECONNECT_WAIT  nats.reconnect_wait: found "soon", must be a number',
        'NAUTILUS_NATZ__SERVERS  natz: unknown key, did you mean "nats"?',
        'NAUTILUS_POOLS  begins like a list or mapping and is not YAML; put it in quotes if it is text',
      ]
        .sort(new Intl.Collator('en', { numeric: true }).compare)
        .join('\n'),
    );
  });

  it('may be reserved for other uses', () => {
    const env = { NAUTILUS_SOCKET: '/run/x' };
    expect(messageOf({ text, env })).toContain('NAUTILUS_SOCKET  socket: unknown key');
    expect(configOf({ text, env, envReserved: ['NAUTILUS_SOCKET'] }).config.host).toBe('h2');
  });

  it('cannot reach the prototype', () => {
    expect(messageOf({ text, env: { NAUTILUS___PROTO____HOST: 'x' } })).toContain('is not a name of a key');
    expect(({} as Record<string, unknown>)['host']).toBeUndefined();
  });
});

describe('secrets', () => {
  it.each<[string, LoadConfigOptions]>([
    ['a short password', { text: 'nats: { password: hunter2 }\n' }],
    ['a message that quotes the value', { text: 'nats: { seed: [hunter2] }\n' }],
    ['a message that quotes a short value', { text: 'nats: { seed: 42 }\n' }],
    ['a message that quotes a short item', { text: 'nats: { seed: [42] }\n' }],
    ['a variable', { text: '', env: { NAUTILUS_NATS__PASSWORD: 'hunter2' } }],
    ['a URL', { text: 'nats: { servers: "nats://me:hunter2@h1" }\n' }],
    ['YAML that breaks in the value', { text: 'nats:\n  password: | hunter2\n' }],
    ['an unknown mapping', { text: 'nats: { token: { is: hunter2 } }\n' }],
  ])('%s is not told', (_, options) => {
    const message = messageOf(options);
    expect(message).not.toMatch(/^ok/);
    expect(message).not.toMatch(/hunter2|42/);
  });

  it('are hidden by the name of their key', () => {
    expect(messageOf({ text: 'nats: { password: hunter2 }\n' })).toBe(
      'nautilus.yaml:1:9  nats.password: found [hidden], must have at least 12 characters',
    );
  });
});
