/** Time judges what was said: losses, coverage, and the offset that keeps a quantile true. */
import { addRise, quantileOfRises } from './rises.ts';
import {
  centreNames,
  fade,
  type HorizonState,
  levels,
  modelNames,
  noFading,
  type Pending,
  pointNames,
  type Quantiles,
} from './state.ts';

/** Windows until half of what was learnt has faded: of rises (12 h at one a minute), and of losses. */
const halfLife = { rises: 720, losses: 240 } as const;
const keepOf = (windows: number, every: number) => 0.5 ** (every / windows);
/** Share of the spread by which one miss moves a quantile (Angelopoulos et al. 2023, after Gibbs and Candès 2021). */
const stride = 0.005;
/** Misses are aimed at a little rarer than a level allows: choosing the least loss favours whoever was low by luck. */
const aim = 0.7;
/** A series that never moved still has this much to move by. */
const leastSpread = 2e-4;

/** Loss of a quantile (Koenker and Bassett 1978), in the unit of the values. */
export function pinball(level: number, said: number, came: number): number {
  return came >= said ? level * (came - said) : (1 - level) * (said - came);
}

export function meanPinball(said: Quantiles, came: number): number {
  return said.reduce((sum, one, index) => sum + pinball(levels[index] ?? 0, one, came), 0) / levels.length;
}

/** `every` is how many minutes apart windows are judged; `unit` what shares are taken of; `end` the last value seen. */
export function judge(
  state: HorizonState,
  said: Pending,
  end: number,
  unit: number,
  every: number,
): HorizonState {
  const peak = said.peak ?? end;
  const [keepRise, keepLoss] = [keepOf(halfLife.rises, every), keepOf(halfLife.losses, every)];
  const rises = { ...state.rises };
  for (const name of centreNames) {
    rises[name] = addRise(rises[name], (peak - said.centres[name]) / unit, keepRise);
  }
  const idle = meanPinball(
    levels.map(() => said.value),
    peak,
  );
  const losses = { ...state.losses };
  for (const name of modelNames) {
    const quantiles = said.models[name];
    if (quantiles === undefined) continue;
    const before = losses[name] ?? { own: noFading, idle: noFading };
    losses[name] = {
      own: fade(before.own, meanPinball(quantiles, peak) / unit, keepLoss),
      idle: fade(before.idle, idle / unit, keepLoss),
    };
  }
  const pointLosses = { ...state.pointLosses };
  for (const name of pointNames) {
    pointLosses[name] = fade(pointLosses[name], Math.abs(said.points[name] - end) / unit, keepLoss);
  }
  const { spoken } = said;
  if (spoken === null) return { ...state, rises, losses, pointLosses };
  const spread = Math.max(
    leastSpread,
    (quantileOfRises(rises.histogram, 0.95) ?? 0) - (quantileOfRises(rises.histogram, 0.5) ?? 0),
  );
  return {
    ...state,
    rises,
    losses,
    pointLosses,
    offsets: state.offsets.map((offset, index) => {
      const missed = peak > (spoken[index] ?? peak) ? 1 : 0;
      const step = stride * Math.min(4, Math.sqrt(every)) * spread;
      return Math.max(-1, Math.min(1, offset + step * (missed - aim * (1 - (levels[index] ?? 0)))));
    }),
    covered: fade(state.covered, peak <= (spoken[2] ?? peak) ? 1 : 0, keepLoss),
    spokenLoss: fade(state.spokenLoss, meanPinball(spoken, peak) / unit, keepLoss),
    idleLoss: fade(state.idleLoss, idle / unit, keepLoss),
  };
}
