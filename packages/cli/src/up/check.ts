/** `nautilus up --check`: lets the demo work for a while, kills one container, and gathers the evidence. */
import { setTimeout as sleep } from 'node:timers/promises';
import { demoReaders, scrape } from './services.ts';
import type { Stack } from './stack.ts';
import type { ContainerEvidence, Evidence } from './verdict.ts';

const victim = 'sandbox';
const victimBytes = 32 * 2 ** 20;
const pollMs = 20;
/** A process on a busy machine takes its time to start, and that is not what is checked. */
const startPatienceMs = 30_000;
/** Time for the victim to lease, from when it is ready. */
const leasePatienceMs = 8_000;
const reclaimPatienceMs = 5_000;

export async function gatherEvidence(stack: Stack, seconds: number, signal: AbortSignal): Promise<Evidence> {
  const until = performance.now() + seconds * 1000;
  const containers: Record<string, ContainerEvidence> = {};
  const isReady = () => stack.observer.lines.get(victim)?.has('ready') === true;
  await waitFor(isReady, startPatienceMs, signal);
  stack.containers.get(victim)?.tell({ do: 'lease', bytes: victimBytes });
  // Both its own word and the agent's books, which come at different times.
  const hasUsed = () => leasedBy(stack, victim) >= victimBytes && evidenceOf(stack, victim).allocations > 0;
  await waitFor(hasUsed, leasePatienceMs, signal);
  containers[victim] = evidenceOf(stack, victim);
  const reclaimed = await killAndWait(stack, signal);
  await sleep(Math.max(0, until - performance.now()), undefined, { signal });

  for (const name of stack.containers.keys()) if (name !== victim) containers[name] = evidenceOf(stack, name);
  const services: Record<string, Evidence['services'][string]> = {};
  for (const row of stack.rows) {
    const page = await scrape(row.port);
    services[row.name] = {
      ...(await stack.serviceState(row)),
      scraped: page?.includes('nautilus_') === true,
    };
  }
  return {
    services,
    containers,
    sample: stack.observer.sample,
    alerts: stack.observer.alertsHeard,
    reclaimedAfterKillMs: reclaimed.ms,
    reclaimedBytes: reclaimed.bytes,
  };
}

/** From the kill to the last fact that a lease of the victim ended because its socket closed; the books must agree. */
async function killAndWait(stack: Stack, signal: AbortSignal): Promise<{ ms: number | null; bytes: number }> {
  const held = leasedBy(stack, victim);
  if (held === 0) return { ms: null, bytes: 0 };
  const killedAt = performance.now();
  stack.containers.get(victim)?.kill();
  const facts = () =>
    stack.observer.ended.filter(
      (end) => end.container === victim && end.reason === 'holder-closed' && end.heardAtMs >= killedAt,
    );
  const bytes = () => facts().reduce((sum, fact) => sum + fact.bytes, 0);
  await waitFor(() => bytes() >= held, reclaimPatienceMs, signal);
  await waitFor(() => leasedBy(stack, victim) === 0, reclaimPatienceMs, signal);
  const last = facts().at(-1);
  if (last === undefined || bytes() < held || leasedBy(stack, victim) > 0)
    return { ms: null, bytes: bytes() };
  return { ms: Math.round((last.heardAtMs - killedAt) * 10) / 10, bytes: bytes() };
}

function leasedBy(stack: Stack, container: string): number {
  return stack.observer.sample?.containers.find(({ name }) => name === container)?.leasedBytes ?? 0;
}

function evidenceOf(stack: Stack, container: string): ContainerEvidence {
  const line = stack.observer.progress(container);
  const number = (key: string) => (typeof line?.[key] === 'number' ? line[key] : 0);
  const isReader = (demoReaders as readonly string[]).includes(container);
  return {
    leasedBytes: leasedBy(stack, container),
    allocations: number('allocations'),
    bytesCopied: number('bytesCopied'),
    framesVerified: isReader ? number('framesVerified') : null,
    checksumErrors: number('checksumErrors'),
    readInPlace: isReader ? readInPlace(stack, container) : null,
    ended:
      stack.containers.get(container)?.alive === true || container === victim
        ? null
        : (stack.containers.get(container)?.lastWords ?? ''),
  };
}

/** The writer's bytes arrived in a mapping that was there before they were written: nothing can have copied them. */
function readInPlace(stack: Stack, container: string): boolean {
  const line = stack.observer.lines.get(container)?.get('verified');
  const { copied, sequence, sequenceAtOpen } = line ?? {};
  return (
    copied === false &&
    typeof sequence === 'number' &&
    typeof sequenceAtOpen === 'number' &&
    sequence > sequenceAtOpen
  );
}

async function waitFor(condition: () => boolean, patienceMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition() && performance.now() < deadline) await sleep(pollMs, undefined, { signal });
}
