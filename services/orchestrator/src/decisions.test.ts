import type { BudgetPlan } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { describe, expect, it } from 'vitest';
import { Decisions } from './decisions.ts';

const plan = (id: string): BudgetPlan => ({
  plan: id,
  host: 'h1',
  decidedAt: 1,
  capacityBytes: 1,
  plannedBytes: 0,
  budgets: [],
  frozen: null,
});

function recorder(isDown: () => boolean) {
  const stored: string[] = [];
  const publishDurable = (...[, , , { messageId }]: [unknown, unknown, unknown, { messageId: string }]) => {
    if (isDown()) return Promise.reject(new Error('no stream'));
    stored.push(messageId);
    return Promise.resolve({ sequence: stored.length, duplicate: false });
  };
  return {
    stored,
    decisions: new Decisions({ publishDurable }, createLogger({ name: 'test', level: 'silent' })),
  };
}

describe('Decisions', () => {
  it('keeps what could not be stored, and stores it first and once when that is possible again', async () => {
    let isDown = true;
    const { stored, decisions } = recorder(() => isDown);
    decisions.add(plan('p1'));
    await decisions.flush();
    decisions.add(plan('p2'));
    expect([stored, decisions.waiting]).toEqual([[], 2]);
    isDown = false;
    await decisions.flush();
    await decisions.flush();
    expect([stored, decisions.waiting]).toEqual([['p1', 'p2'], 0]);
  });

  it('gives up the oldest rather than growing without end', async () => {
    let isDown = true;
    const { stored, decisions } = recorder(() => isDown);
    for (let index = 0; index < 600; index += 1) decisions.add(plan(`p${index}`));
    isDown = false;
    await decisions.flush();
    expect(stored).toHaveLength(512);
    expect([stored[0], stored.at(-1)]).toEqual(['p88', 'p599']);
  });
});
