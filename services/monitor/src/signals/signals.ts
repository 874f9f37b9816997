/** Every signal once: a new rule is one file and one line here. */
import { deviceFallbackSignal } from './device-fallback.ts';
import { hostSilentSignal } from './host-silent.ts';
import { memoryPressureSignal } from './memory-pressure.ts';
import type { SampleSignal, Signal, SilenceSignal } from './signal.ts';

export const signals: readonly Signal[] = [memoryPressureSignal, deviceFallbackSignal, hostSilentSignal];

export const sampleSignals: readonly SampleSignal[] = signals.filter((signal) => signal.on === 'sample');
export const silenceSignals: readonly SilenceSignal[] = signals.filter((signal) => signal.on === 'silence');
