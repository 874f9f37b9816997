import { strategyNames } from '@nautilus/contracts';
import { strategies } from '@nautilus/native';
import { expect, it } from 'vitest';

it('the configuration offers exactly the strategies that the native layer has', () => {
  expect([...strategyNames].sort()).toEqual(Object.keys(strategies).sort());
});
