/** The containers that have a program. One line a container. */
import type { RunContainer } from '../library/container.ts';
import { run as analyticsEngine } from './analytics-engine.ts';
import { run as marketData } from './market-data.ts';
import { run as mlEngine } from './ml-engine.ts';
import { run as riskEngine } from './risk-engine.ts';
import { run as sandbox } from './sandbox.ts';
import { run as tradingEngine } from './trading-engine.ts';
import { run as websocketEngine } from './websocket-engine.ts';

export const containerPrograms = {
  'trading-engine': tradingEngine,
  'market-data': marketData,
  'analytics-engine': analyticsEngine,
  'risk-engine': riskEngine,
  'ml-engine': mlEngine,
  'websocket-engine': websocketEngine,
  sandbox,
} as const satisfies Record<string, RunContainer>;

export type ContainerName = keyof typeof containerPrograms;

export function isContainerName(name: string): name is ContainerName {
  return Object.hasOwn(containerPrograms, name);
}
