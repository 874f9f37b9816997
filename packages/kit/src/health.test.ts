/** When a process is alive and when it is ready. */
import { describe, expect, it } from 'vitest';
import { createHealth } from './health.ts';
import { appStates } from './lifecycle/component.ts';

describe('health', () => {
  it.each(appStates.map((state) => [state, state !== 'failed', state === 'ready'] as const))(
    'in state %s: alive %s, ready %s',
    (state, alive, ready) => {
      const health = createHealth();
      health.setState(state);
      expect(health.liveness()).toEqual({ alive, state });
      expect(health.readiness()).toMatchObject({ ready, reasons: ready ? [] : [`state is ${state}`] });
    },
  );

  it('is ready only while every check is ok, and says which is not', () => {
    const health = createHealth();
    health.setState('ready');
    health.set('bus', { ok: false, reason: 'no server answers' });
    health.set('probe', { ok: false });
    expect(health.readiness().reasons).toEqual(['bus: no server answers', 'probe: not ok, no reason given']);
    health.set('bus', { ok: true });
    health.set('probe', { ok: true });
    expect(health.readiness()).toEqual({ ready: true, state: 'ready', reasons: [] });
    expect(health.checks.map((check) => check.component)).toEqual(['bus', 'probe']);
    expect(health.liveness().alive).toBe(true);
  });
});
