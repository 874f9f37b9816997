/** The state of a host now: the next sample of its agent, because older ones would look like the present. */
import type { Bus } from '@nautilus/bus';
import { type AgentSample, fail, NautilusError, notices } from '@nautilus/contracts';
import type { Call } from '../line/call.ts';

/** Agents take one a second. */
const patienceMs = 5_000;

export async function nextSample(call: Call, bus: Bus): Promise<AgentSample> {
  const { host } = call;
  let settle: (sample: AgentSample | null) => void = () => undefined;
  const heard = new Promise<AgentSample | null>((resolve) => {
    settle = resolve;
  });
  const subscription = await bus.subscribe(notices.sampleTaken, { host, party: 'agent' }, settle);
  const timer = setTimeout(settle, patienceMs, null);
  const stop = () => settle(null);
  call.surroundings.signal.addEventListener('abort', stop, { once: true });
  try {
    const sample = await call.wait(`waiting for a sample of host ${host}`, heard);
    if (sample !== null) return sample;
    throw new NautilusError(
      fail(
        'unavailable',
        `no sample of host "${host}" within ${patienceMs / 1000} s: its agent is away, or --host names another one`,
      ).fault,
    );
  } finally {
    clearTimeout(timer);
    call.surroundings.signal.removeEventListener('abort', stop);
    await subscription.drain();
  }
}
