/** Order, deadlines and failures of an app, on a clock that stands still. */
import { NautilusError } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../clock/manual-clock.ts';
import { createHealth } from '../health.ts';
import { Metrics } from '../metrics/metrics.ts';
import { keptLog } from '../testing/kept-log.ts';
import { type AppOptions, createApp } from './app.ts';
import type { Component } from './component.ts';
import { runApp } from './run-app.ts';

const never = () => new Promise<void>(() => undefined);

describe('App', () => {
  function harness(components: (calls: string[]) => Component[], options: Partial<AppOptions> = {}) {
    const calls: string[] = [];
    const clock = manualClock();
    const kept = keptLog();
    const app = createApp({ name: 'app', components: components(calls), log: kept.log, clock, ...options });
    const states: string[] = [];
    app.onState((state) => states.push(state));
    return { app, calls, clock, states, lines: kept.lines };
  }

  const recorder = (calls: string[], name: string, more: Partial<Component> = {}): Component => ({
    name,
    start: () => void calls.push(`start ${name}`),
    drain: () => void calls.push(`drain ${name}`),
    stop: () => void calls.push(`stop ${name}`),
    ...more,
  });

  it('starts in order, drains all in reverse, then stops all in reverse', async () => {
    const { app, calls, states } = harness((to) => ['a', 'b', 'c'].map((name) => recorder(to, name)));
    await app.start();
    await app.stop('done');
    expect(calls).toEqual([
      ...['start a', 'start b', 'start c'],
      ...['drain c', 'drain b', 'drain a'],
      ...['stop c', 'stop b', 'stop a'],
    ]);
    expect(states).toEqual(['starting', 'ready', 'draining', 'stopped']);
    expect(app.failures).toEqual([]);
  });

  it('drains and stops what had started when a start fails, and names the component', async () => {
    const fault = { code: 'unavailable', message: 'nobody at nats://h1:4222' } as const;
    const { app, calls, states } = harness((to) => [
      recorder(to, 'a'),
      recorder(to, 'b'),
      recorder(to, 'bus', { start: () => Promise.reject(new NautilusError(fault)) }),
      recorder(to, 'd'),
    ]);
    await expect(app.start()).rejects.toMatchObject({
      code: 'unavailable',
      message: 'component "bus" did not start: nobody at nats://h1:4222',
    });
    expect(calls).toEqual(['start a', 'start b', 'drain b', 'drain a', 'stop b', 'stop a']);
    expect(states).toEqual(['starting', 'failed']);
  });

  it('goes on past a component that overruns its deadline, and remembers it', async () => {
    const { app, calls, clock, lines } = harness((to) => [
      recorder(to, 'a'),
      recorder(to, 'stuck', { drain: never, deadlineMs: 200 }),
      recorder(to, 'c'),
    ]);
    await app.start();
    const stopped = app.stop('done');
    await clock.advance(199);
    expect(calls).toEqual(['start a', 'start stuck', 'start c', 'drain c']);
    await clock.advance(1);
    await stopped;
    expect(calls.slice(4)).toEqual(['drain a', 'stop c', 'stop stuck', 'stop a']);
    expect(app.state).toBe('failed');
    expect(app.failures).toMatchObject([{ component: 'stuck', phase: 'drain', error: { code: 'timeout' } }]);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', component: 'stuck', phase: 'drain' }),
    );
  });

  it('goes on past a component that throws while it stops', async () => {
    const { app, calls } = harness((to) => [
      recorder(to, 'a'),
      recorder(to, 'b', { stop: () => Promise.reject(new Error('no')) }),
    ]);
    await app.start();
    await app.stop('done');
    expect(calls.at(-1)).toBe('stop a');
    expect(app.failures).toMatchObject([{ component: 'b', phase: 'stop', error: { message: 'no' } }]);
  });

  it('gives up a start at its deadline, aborts its signal, and stops it should it start later', async () => {
    let finish = (): void => undefined;
    let signal: AbortSignal | undefined;
    const { app, calls, clock } = harness((to) => [
      recorder(to, 'slow', {
        startDeadlineMs: 100,
        start: (context) => {
          signal = context.signal;
          return new Promise((resolve) => {
            finish = resolve;
          });
        },
      }),
    ]);
    const refused = expect(app.start()).rejects.toMatchObject({
      code: 'timeout',
      message: 'component "slow" did not start within 100 ms',
    });
    await clock.advance(100);
    await refused;
    expect(signal?.aborted).toBe(true);
    expect(calls).toEqual([]);
    finish();
    await clock.advance(0);
    expect(calls).toEqual(['stop slow']);
  });

  it('stops while it starts: what had started is stopped, the rest never starts', async () => {
    const { app, calls } = harness((to) => [
      recorder(to, 'a'),
      recorder(to, 'waiting', {
        start: ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('gave up')));
          }),
      }),
      recorder(to, 'c'),
    ]);
    const started = expect(app.start()).rejects.toMatchObject({ code: 'cancelled' });
    await app.stop('changed my mind');
    await started;
    expect(calls).toEqual(['start a', 'drain a', 'stop a']);
    expect(app.state).toBe('stopped');
  });

  it('stops once, however often it is asked, and cannot start again', async () => {
    const { app, calls } = harness((to) => [recorder(to, 'a')]);
    await app.start();
    await Promise.all([app.stop('one'), app.stop('two')]);
    expect(calls).toEqual(['start a', 'drain a', 'stop a']);
    await expect(app.start()).rejects.toThrow('app cannot start again: its state is stopped');
  });

  it('tells health and metrics its state', async () => {
    const health = createHealth();
    const metrics = new Metrics({ processMetrics: false });
    const { app } = harness(() => [], { health, metrics });
    expect(await metrics.render()).toContain('nautilus_app_state{state="init"} 1');
    await app.start();
    expect(health.readiness().ready).toBe(true);
    const text = await metrics.render();
    expect(text).toContain('nautilus_app_state{state="ready"} 1');
    expect(text).toContain('nautilus_app_state{state="init"} 0');
    await app.stop('done');
    expect(health.readiness().reasons).toEqual(['state is stopped']);
  });

  describe('runApp', () => {
    it('gives 1 when a component cannot go on, after everything was drained and stopped', async () => {
      const { app, calls } = harness((to) => [recorder(to, 'a')]);
      const code = runApp(app, { signal: new AbortController().signal });
      while (app.state !== 'ready') await Promise.resolve();
      app.fail('a', new Error('its host was taken'));
      expect(await code).toBe(1);
      expect(calls).toEqual(['start a', 'drain a', 'stop a']);
      expect(app.failures).toMatchObject([{ component: 'a', phase: 'run' }]);
    });

    it('runs until the signal and gives 0', async () => {
      const shutdown = new AbortController();
      const { app, calls, states } = harness((to) => [recorder(to, 'a')]);
      const code = runApp(app, { signal: shutdown.signal });
      await new Promise<void>((resolve) => app.onState((state) => state === 'ready' && resolve()));
      expect(calls).toEqual(['start a']);
      shutdown.abort('test');
      expect(await code).toBe(0);
      expect(states.at(-1)).toBe('stopped');
    });

    it('gives 1 when a start fails or a phase fails, 0 when the signal came first', async () => {
      const failing = harness((to) => [recorder(to, 'a', { start: () => Promise.reject(new Error('no')) })]);
      expect(await runApp(failing.app, { signal: new AbortController().signal })).toBe(1);
      expect(failing.lines).toContainEqual(expect.objectContaining({ level: 'fatal' }));

      const early = harness((to) => [recorder(to, 'a')]);
      expect(await runApp(early.app, { signal: AbortSignal.abort('early') })).toBe(0);
      expect(early.calls).toEqual([]);

      const leaking = harness((to) => [recorder(to, 'a', { stop: () => Promise.reject(new Error('no')) })]);
      const code = runApp(leaking.app, { signal: new AbortController().signal });
      await new Promise<void>((resolve) => leaking.app.onState((state) => state === 'ready' && resolve()));
      await leaking.app.stop('from inside');
      expect(await code).toBe(1);
    });

    it('leaves no handler on the process', async () => {
      const count = () => process.listenerCount('SIGTERM') + process.listenerCount('uncaughtException');
      const before = count();
      const { app } = harness(() => []);
      const code = runApp(app, { signal: AbortSignal.abort('early'), handleSignals: true });
      expect(count()).toBe(before + 2);
      expect(await code).toBe(0);
      expect(count()).toBe(before);
    });
  });
});
