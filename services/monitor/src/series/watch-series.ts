/** The monitor's own knowledge: what came, what did not, and what is raised. It outlives the silence of a host. */
import { metrics } from '@nautilus/contracts';
import { rank } from '../ladder/step.ts';
import type { WatchSettings } from '../settings.ts';
import { silenceSignals } from '../signals/signals.ts';
import { type HostWatch, isSilent, raisedAlerts } from '../watch/host-watch.ts';
import { hostSeries } from './host-series.ts';
import type { Series } from './series.ts';
import { sourceSeries } from './source-series.ts';

const readInSilence = new Set(silenceSignals.map(({ name }) => name));

/** A ladder that reads samples stands still in silence, so its tier is not shown either; the alert stays listed. */
function alertSeries(watch: HostWatch, silent: boolean): Series[] {
  return raisedAlerts(watch)
    .filter(({ body }) => !silent || readInSilence.has(body.signal))
    .map(({ body: { host, scope, signal, tier } }) => ({
      metric: metrics.alertTier,
      labels: { host, scope: scope.kind, name: scope.name, signal },
      value: rank(tier) + 1,
    }));
}

function transitionSeries({ host, transitions }: HostWatch): Series[] {
  return Object.entries(transitions).map(([key, value]) => {
    const [tier = '', state = ''] = key.split(' ');
    return { metric: metrics.alertTransitions, labels: { host, tier, state }, value };
  });
}

export function watchSeries(
  watch: HostWatch,
  monotonicMs: number,
  settings: WatchSettings,
): readonly Series[] {
  const { host } = watch;
  const silent = isSilent(watch, monotonicMs, settings);
  return [
    ...(silent ? [] : [...hostSeries(watch), ...sourceSeries(watch.sample)]),
    ...alertSeries(watch, silent),
    ...transitionSeries(watch),
    { metric: metrics.samplesReceived, labels: { host }, value: watch.received },
    { metric: metrics.samplesMissed, labels: { host }, value: watch.missed },
  ];
}
