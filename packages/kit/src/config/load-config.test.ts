/** What a person reads when the configuration is wrong, word for word. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configOf, messageOf } from '../testing/config-schema.ts';

describe('a wrong file', () => {
  const pool = 'pools:\n  trading:\n    segment: 64MiB\n';
  it.each<[string, string, string]>([
    [
      'a key after a byte order mark',
      '\uFEFFhots: a\n',
      'nautilus.yaml:1:1  hots: unknown key, did you mean "host"?',
    ],
    [
      'an item after a byte order mark',
      '\uFEFFnats: { servers: 1 }\n',
      'nautilus.yaml:1:9  nats.servers: found 1, must be a list',
    ],
    [
      'a wrong value',
      'pools:\n  trading:\n    segment: 64 potatoes\n',
      'nautilus.yaml:3:5  pools.trading.segment: found "64 potatoes", must be a size such as 64MiB',
    ],
    [
      'a misspelt key',
      `${pool}    stratgy: slab\n`,
      'nautilus.yaml:4:5  pools.trading.stratgy: unknown key, did you mean "strategy"?',
    ],
    [
      'an unknown key',
      `${pool}    colour: red\n`,
      'nautilus.yaml:4:5  pools.trading.colour: unknown key, must be one of segment, strategy, blocks',
    ],
    [
      'a misspelt choice',
      `${pool}    strategy: tslf\n`,
      'nautilus.yaml:4:5  pools.trading.strategy: found "tslf", must be one of buddy, tlsf, slab; did you mean "tlsf"?',
    ],
    [
      'a number beyond its bound',
      `${pool}    blocks: 9\n`,
      'nautilus.yaml:4:5  pools.trading.blocks: found 9, must be at most 8',
    ],
    [
      'a missing key',
      'pools:\n  trading:\n    blocks: 2\n',
      'nautilus.yaml:2:3  pools.trading.segment: is missing, must be text',
    ],
    [
      'a wrong name',
      'pools:\n  Trading:\n    segment: 1MiB\n',
      'nautilus.yaml:2:3  pools.Trading: this name must be lower case',
    ],
    [
      'an item of a list',
      'nats:\n  servers:\n    - a\n    - 7\n',
      'nautilus.yaml:4:7  nats.servers[1]: found 7, must be text',
    ],
    [
      'an empty list',
      'nats: { servers: [] }\n',
      'nautilus.yaml:1:9  nats.servers: found a list, must have at least 1 items',
    ],
    [
      'text for a list',
      'nats: { servers: a }\n',
      'nautilus.yaml:1:9  nats.servers: found "a", must be a list',
    ],
    [
      'a wrong kind',
      'job: { kind: scam }\n',
      'nautilus.yaml:1:8  job.kind: found "scam", must be one of trim, scan; did you mean "scan"?',
    ],
    [
      'a key of another kind',
      'job: { kind: scan, evry: 5s }\n',
      'nautilus.yaml:1:1  job.every: is missing, must be text\nnautilus.yaml:1:20  job.evry: unknown key, did you mean "every"?',
    ],
    [
      'YAML 1.1 truth',
      'nats: { tls: { enabled: yes } }\n',
      'nautilus.yaml:1:16  nats.tls.enabled: found "yes", must be true or false',
    ],
    [
      'a rule across keys',
      'host: h9\n',
      'nautilus.yaml:1:1  host: found "h9", names no host; there are h1, h2',
    ],
    [
      'a rule that quotes what it found',
      'nats: { reconnect_wait: 61 }\n',
      'nautilus.yaml:1:9  nats.reconnect_wait: must be at most 60, found 61',
    ],
    [
      'a rule that a default breaks',
      `${pool}  other:\n    segment: 1MiB\n`,
      'nautilus.yaml:1:1  nats.servers: are 1, too few for 2 pools; add a server',
    ],
    ['a list', '- a\n', 'nautilus.yaml:1:1  found a list, must be a mapping'],
    [
      'a duplicate key',
      'host: a\nnats: {}\nhost: b\n',
      'nautilus.yaml:3:1  host: is given twice, first at nautilus.yaml:1:1',
    ],
    ['a prototype key', '__proto__: { host: x }\n', 'nautilus.yaml:1:1  __proto__: this key is not allowed'],
    [
      'a nested prototype key',
      'nats: { constructor: 1 }\n',
      'nautilus.yaml:1:9  nats.constructor: this key is not allowed',
    ],
    [
      'a tab',
      'nats:\n\tservers: [a]\n',
      'nautilus.yaml:2:1  is not YAML: Tabs are not allowed as indentation',
    ],
    ['an open quote', 'host: "a\n', 'nautilus.yaml:2:1  is not YAML: Missing closing "quote'],
    [
      'two documents',
      'host: a\n---\nhost: b\n',
      'nautilus.yaml:2:1  is not YAML: Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    ['an unknown tag', 'host: !secret x\n', 'nautilus.yaml:1:7  is not YAML: Unresolved tag: !secret'],
    [
      'an unknown anchor',
      'host: *b\n',
      'nautilus.yaml:1:7  host: the anchor &b is not known\nnautilus.yaml:1:1  host: found nothing, must be text',
    ],
  ])('%s', (_, text, expected) => {
    const lines = (message: string) => message.split('\n').sort();
    expect(lines(messageOf({ text }))).toEqual(lines(expected));
  });

  it('tells everything at once, in the order of the file', () => {
    const text = `hots: a\n${pool}    blocks: 9\nnats:\n  reconnect_wait: soon\n  servers: a\n`;
    expect(messageOf({ text, file: '/etc/n.yaml' })).toBe(
      [
        '/etc/n.yaml:1:1  hots: unknown key, did you mean "host"?',
        '/etc/n.yaml:5:5  pools.trading.blocks: found 9, must be at most 8',
        '/etc/n.yaml:7:3  nats.reconnect_wait: found "soon", must be a number',
        '/etc/n.yaml:8:3  nats.servers: found "a", must be a list',
      ].join('\n'),
    );
  });

  it('is refused when aliases contain or multiply themselves', () => {
    expect(messageOf({ text: 'host: &a [*a]\n' })).toContain('is nested or repeated too much');
    const bomb = Array.from(
      { length: 9 },
      (_, at) => `k${at}: &k${at} [${`*k${at - 1},`.repeat(at === 0 ? 0 : 9)}]`,
    );
    expect(messageOf({ text: bomb.join('\n') })).toContain('is nested or repeated too much');
  });
});

describe('a right file', () => {
  it.each(['', '# only a comment\n', '\uFEFF', 'nats:\n', 'nats:\n  tls:\n'])(
    '%j is all defaults',
    (text) => {
      expect(configOf({ text }).config).toEqual({
        host: 'h1',
        nats: { servers: ['nats://localhost:4222'], reconnect_wait: 2, tls: { enabled: false } },
        pools: {},
      });
    },
  );

  it('may begin with a byte order mark, end its lines with CR LF, and use anchors', () => {
    const text = '\uFEFFhost: &h h7\r\nnats:\r\n  servers: [*h]\r\n';
    expect(configOf({ text }).config).toMatchObject({ host: 'h7', nats: { servers: ['h7'] } });
  });
});

describe('a file on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nautilus-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read and named as a source', () => {
    const file = join(folder, 'here.yaml');
    writeFileSync(file, 'host: h3\n');
    expect(configOf({ file })).toMatchObject({ config: { host: 'h3' }, sources: [file] });
  });

  it('must exist, be a file and be UTF-8 when it is named', () => {
    const missing = join(folder, 'missing.yaml');
    expect(messageOf({ file: missing })).toBe(`${missing}  does not exist`);
    expect(messageOf({ file: folder })).toBe(`${folder}  is a directory, must be a file`);
    const binary = join(folder, 'binary.yaml');
    writeFileSync(binary, Buffer.from([0x68, 0xff, 0xfe]));
    expect(messageOf({ file: binary })).toBe(`${binary}  is not UTF-8 text`);
  });

  it('is not needed when none is named', () => {
    expect(configOf({ file: null })).toMatchObject({ config: { host: 'h1' }, sources: [] });
  });
});
