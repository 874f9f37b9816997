import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect, listen } from './ipc.ts';
import { mapSegment } from './segment.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { acceptOne, closeOf, newPath, nextMessage } from './testing/sockets.ts';

describe('two processes', () => {
  it('share memory through a passed descriptor', async () => {
    const path = newPath();
    const { listener, peer } = acceptOne(path);
    const child = new Child(`
      const connection = await nautilus.connect({ path: ${JSON.stringify(path)} });
      const segment = nautilus.createSegment({ name: 'shared', bytes: 4096 });
      const mapping = nautilus.mapSegment(segment, { access: 'read-write' });
      mapping.view(0, 5).set(Buffer.from('hello'));
      connection.send(Buffer.from('segment'), [segment]);
      connection.onMessage((payload) => {
        console.log(payload.toString(), Buffer.from(mapping.view(0, 5)).toString());
        connection.close();
      });`);
    const server = await peer;
    expect(server.peer.pid).toBe(child.pid);
    const { descriptors } = await nextMessage(server);
    const [segment] = descriptors;
    if (segment === undefined) throw new Error('no descriptor came');
    using mapping = mapSegment(segment, { access: 'read-write' });
    segment.close();
    expect(Buffer.from(mapping.view(0, 5)).toString()).toBe('hello');
    mapping.view(0, 5).set(Buffer.from('world'));
    server.send(Buffer.from('look'));
    const { stdout, stderr } = await child.end();
    expect(stdout + stderr).toBe('look world\n');
    listener.close();
  });

  it('notice kill -9 at once', async () => {
    const path = newPath();
    const { listener, peer } = acceptOne(path);
    const child = new Child(`await nautilus.connect({ path: ${JSON.stringify(path)} });`);
    const server = await peer;
    const closed = closeOf(server);
    const killedMs = performance.now();
    child.kill();
    expect(await closed).toBe('peer');
    expect(performance.now() - killedMs).toBeLessThan(250);
    await child.end();
    listener.close();
  });

  it('live as long as a connection is open, unless it is unref-ed', async () => {
    const path = newPath();
    const { listener, peer } = acceptOne(path);
    const child = new Child(`
      const connection = await nautilus.connect({ path: ${JSON.stringify(path)} });
      connection.unref();
      console.log('done');`);
    expect(await closeOf(await peer)).toBe('peer');
    expect(await child.end()).toMatchObject({ code: 0, stdout: 'done\n' });
    listener.close();
  });

  it('send exceptions of callbacks to uncaughtException and go on', async () => {
    const path = newPath();
    const child = new Child(`
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      const listener = nautilus.listen({ path: ${JSON.stringify(path)}, onConnection(connection) {
        connection.onMessage((payload) => { throw new Error(payload.toString()); });
        connection.onClose(() => listener.close());
      } });
      console.log('listening');`);
    await child.saw('listening');
    const client = await connect({ path });
    client.send(Buffer.from('first'));
    client.send(Buffer.from('second'));
    await child.saw('second');
    client.close();
    expect(await child.end()).toMatchObject({
      code: 0,
      stdout: 'listening\nuncaught first\nuncaught second\n',
    });
  });

  it('end a connection that no descriptor is left for, without spinning', async () => {
    const path = newPath();
    const child = new Child(`
      import { closeSync, openSync } from 'node:fs';
      nautilus.listen({ path: ${JSON.stringify(path)}, onConnection: (connection) => connection.onMessage(() => connection.send(Buffer.from('ok'))) });
      const taken = [];
      process.stdin.once('data', () => { taken.forEach((fd) => closeSync(fd)); console.log('freed'); });
      const takeAll = () => { try { for (;;) taken.push(openSync('/dev/null')); } catch (error) { return error.code; } };
      takeAll();
      // The runtime itself closes a descriptor or two a moment later, on some versions of Node.
      setTimeout(() => console.log(takeAll()), 200);`);
    await child.saw('EMFILE');
    const refused = await connect({ path });
    expect(await closeOf(refused)).toBe('peer');
    const cpuTicks = () =>
      readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .split(' ')
        .slice(13, 15)
        .map(Number)
        .reduce((a, b) => a + b);
    const before = cpuTicks();
    await sleep(200);
    expect(cpuTicks() - before).toBeLessThan(10);
    child.say('free');
    await child.saw('freed');
    const client = await connect({ path });
    client.send(Buffer.from('hi'));
    expect((await nextMessage(client)).text).toBe('ok');
    child.kill();
    await child.end();
    client.close();
  });
});

describe('listen', () => {
  it('replaces the file of a dead server, but none that is served and no other file', async () => {
    const path = newPath();
    const child = new Child(`
      nautilus.listen({ path: ${JSON.stringify(path)}, onConnection: () => undefined });
      console.log('listening');`);
    await child.saw('listening');
    const start = () => listen({ path, onConnection: () => undefined });
    expect(codeOf(start)).toBe('address_in_use');
    child.kill();
    await child.end();
    expect(existsSync(path)).toBe(true);
    start().close();
    writeFileSync(path, 'precious');
    expect(codeOf(start)).toBe('address_in_use');
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});
