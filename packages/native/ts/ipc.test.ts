import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect, listen } from './ipc.ts';
import { createSegment, inspectDescriptor } from './segment.ts';
import { codeOf } from './testing/code-of.ts';
import { acceptOne, closeOf, newPath, nextMessage, socketPair } from './testing/sockets.ts';

const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('a connection', () => {
  it('carries frames and descriptors both ways, and knows the peer', async () => {
    const { listener, client, server } = await socketPair();
    const identity = { uid: process.getuid?.(), gid: process.getgid?.(), pid: process.pid };
    expect(client.peer).toEqual(identity);
    expect(server.peer).toEqual(identity);
    const segment = createSegment({ name: 'passed', bytes: 4096 });
    const { inode } = inspectDescriptor(segment);
    client.send(Buffer.from('take this'), [segment, segment]);
    segment.close();
    const { text, descriptors } = await nextMessage(server);
    expect(text).toBe('take this');
    expect(descriptors.map((descriptor) => inspectDescriptor(descriptor).inode)).toEqual([inode, inode]);
    for (const descriptor of descriptors) descriptor.close();
    server.send(new Uint8Array(0));
    expect(await nextMessage(client)).toEqual({ text: '', descriptors: [] });
    const seen = closeOf(server);
    client.close();
    expect(await closeOf(client)).toBe('local');
    expect(await seen).toBe('peer');
    expect(server.closed).toBe(true);
    expect(codeOf(() => server.send(Buffer.from('late')))).toBe('closed');
    listener.close();
  });

  it('queues up to 1 MiB, then refuses, then delivers all in order with the descriptors', async () => {
    const { listener, client, server } = await socketPair();
    const segment = createSegment({ name: 'queued', bytes: 4096 });
    const payload = Buffer.alloc(65_536);
    let sent = 0;
    expect(
      codeOf(() => {
        for (; sent < 1000; sent += 1) {
          payload.writeUInt32LE(sent);
          client.send(payload, [segment]);
        }
      }),
    ).toBe('backpressure');
    segment.close();
    expect(sent).toBeGreaterThanOrEqual(16);
    const numbers: number[] = [];
    await new Promise<void>((resolve) => {
      server.onMessage((received, descriptors) => {
        expect(descriptors).toHaveLength(1);
        for (const descriptor of descriptors) descriptor.close();
        numbers.push(received.readUInt32LE());
        if (numbers.length === sent) resolve();
      });
    });
    expect(numbers).toEqual(Array.from({ length: sent }, (_, index) => index));
    client.close();
    listener.close();
  });

  it('refuses to send what the other side would refuse', async () => {
    const { listener, client } = await socketPair();
    const segment = createSegment({ name: 'many', bytes: 4096 });
    expect(codeOf(() => client.send(Buffer.alloc(65_537)))).toBe('too_large');
    expect(codeOf(() => client.send(Buffer.alloc(1), Array(17).fill(segment)))).toBe('too_large');
    expect(codeOf(() => client.send('text' as unknown as Buffer))).toBe('invalid_argument');
    segment.close();
    expect(codeOf(() => client.send(Buffer.alloc(1), [segment]))).toBe('closed');
    client.close();
    listener.close();
  });

  it('may be closed inside its own message callback', async () => {
    const { listener, client, server } = await socketPair();
    let messages = 0;
    server.onMessage(() => {
      messages += 1;
      server.close();
    });
    for (let index = 0; index < 5; index += 1) client.send(Buffer.from('x'));
    expect(await closeOf(client)).toBe('peer');
    expect(messages).toBe(1);
    listener.close();
  });

  it('leaves no descriptor behind, whether or not its messages were read', async () => {
    const before = openDescriptors();
    for (let round = 0; round < 30; round += 1) {
      const { listener, client, server } = await socketPair();
      using segment = createSegment({ name: 'leak', bytes: 4096 });
      for (let frame = 0; frame < 4; frame += 1) client.send(Buffer.from('x'), [segment, segment]);
      if (round % 2 === 0) {
        for (const descriptor of (await nextMessage(server)).descriptors) descriptor.close();
        server.onMessage((_, descriptors) => {
          for (const descriptor of descriptors) descriptor.close();
        });
      }
      server.close();
      await closeOf(client);
      listener.close();
    }
    // One per round would be 30; a few may come or go with Node's own.
    expect(openDescriptors() - before).toBeLessThan(15);
  });
});

describe('bytes that are no frame', () => {
  const header = (bytes: number, descriptors: number, padding = 0) => {
    const buffer = Buffer.alloc(8);
    buffer.writeUInt32LE(bytes);
    buffer[4] = descriptors;
    buffer[7] = padding;
    return buffer;
  };

  for (const [name, bytes, reason] of [
    ['random text', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /frame of 542393671 bytes, at most 1024/],
    ['one byte too many', header(1025, 0), /frame of 1025 bytes, at most 1024 are accepted/],
    ['padding', header(1, 0, 1), /padding/],
    ['descriptors that never came', header(1, 3), /announced 3 descriptors, 0 came/],
    ['too many descriptors', header(1, 255), /255 descriptors, at most 16/],
  ] as const) {
    it(`close the connection with a reason: ${name}`, async () => {
      const path = newPath();
      const { listener, peer } = acceptOne(path, 1024);
      const socket = createConnection(path);
      socket.on('error', () => undefined);
      const server = await peer;
      let messages = 0;
      server.onMessage(() => {
        messages += 1;
      });
      const closed = closeOf(server);
      socket.write(bytes);
      expect(await closed).toMatch(reason);
      expect(messages).toBe(0);
      socket.destroy();
      listener.close();
    });
  }

  it('end quietly when the peer goes in the middle of a frame', async () => {
    const path = newPath();
    const { listener, peer } = acceptOne(path);
    const socket = createConnection(path);
    const server = await peer;
    server.onMessage(() => expect.unreachable());
    const closed = closeOf(server);
    socket.end(Buffer.concat([header(100, 0), Buffer.alloc(40)]));
    expect(await closed).toBe('peer');
    listener.close();
  });
});

describe('listen', () => {
  it('makes a private socket file and removes it', async () => {
    const path = newPath();
    const listener = listen({ path, onConnection: () => undefined });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    listener.close();
    listener.close();
    expect(existsSync(path)).toBe(false);
    const open = listen({ path, mode: 0o666, onConnection: () => undefined });
    expect(statSync(path).mode & 0o777).toBe(0o666);
    open.close();
  });

  it('does not remove the file of its successor', () => {
    const path = newPath();
    const first = listen({ path, onConnection: () => undefined });
    rmSync(path);
    const second = listen({ path, onConnection: () => undefined });
    first.close();
    expect(existsSync(path)).toBe(true);
    second.close();
  });

  it('names the limit of a path that is too long, and what is wrong with other arguments', () => {
    const path = join(newPath(), 'x'.repeat(120));
    expect(() => listen({ path, onConnection: () => undefined })).toThrow(/the system allows 107/);
    expect(codeOf(() => listen({ path, onConnection: () => undefined }))).toBe('invalid_argument');
    const wrong = { path: newPath(), onConnection: () => undefined };
    expect(codeOf(() => listen({ ...wrong, mode: 0o1777 }))).toBe('invalid_argument');
    expect(codeOf(() => listen({ ...wrong, maxFrameBytes: 0 }))).toBe('invalid_argument');
    expect(codeOf(() => listen({ ...wrong, path: join(newPath(), 'no', 'such') }))).toBe('not_found');
  });
});

describe('connect', () => {
  it('says when nobody serves the path', async () => {
    await expect(connect({ path: newPath() })).rejects.toMatchObject({
      code: 'not_found',
      syscall: 'connect',
    });
  });

  it('delivers from the event loop, never inside send', async () => {
    const { listener, client, server } = await socketPair();
    const order: string[] = [];
    server.onMessage((payload) => order.push(payload.toString()));
    client.send(Buffer.from('message'));
    queueMicrotask(() => order.push('microtask'));
    await sleep(50);
    expect(order).toEqual(['microtask', 'message']);
    client.close();
    listener.close();
  });
});
