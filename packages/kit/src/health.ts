/** What a process knows about its own fitness: its state and one check per component, each with a reason. */
import type { AppState } from './lifecycle/component.ts';

export interface HealthCheck {
  readonly component: string;
  readonly isOk: boolean;
  readonly reason: string | null;
}

export interface Liveness {
  readonly alive: boolean;
  readonly state: AppState;
}

export interface Readiness {
  readonly ready: boolean;
  readonly state: AppState;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
}

export interface Health {
  set(component: string, check: { readonly ok: boolean; readonly reason?: string | undefined }): void;
  /** Called by the app that owns the process. */
  setState(state: AppState): void;
  /** False only when the process cannot recover by itself and should be replaced. */
  liveness(): Liveness;
  readiness(): Readiness;
  readonly checks: readonly HealthCheck[];
}

export function createHealth(): Health {
  const checks = new Map<string, HealthCheck>();
  let state: AppState = 'init';
  return {
    set(component, { ok, reason }) {
      checks.set(component, { component, isOk: ok, reason: reason ?? null });
    },
    setState(next) {
      state = next;
    },
    liveness: () => ({ alive: state !== 'failed', state }),
    readiness() {
      const reasons = [...checks.values()]
        .filter((check) => !check.isOk)
        .map((check) => `${check.component}: ${check.reason ?? 'not ok, no reason given'}`);
      if (state !== 'ready') reasons.unshift(`state is ${state}`);
      return { ready: reasons.length === 0, state, reasons };
    },
    get checks() {
      return [...checks.values()];
    },
  };
}
