import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

describe('parseArguments()', () => {
  it('knows up and its options', () => {
    expect(parseArguments(['up'])).toEqual({
      help: false,
      command: 'up',
      json: false,
      check: false,
      seconds: 15,
      config: null,
    });
    expect(parseArguments(['doctor', '--json'])).toMatchObject({ command: 'doctor', json: true });
    expect(parseArguments(['up', '--check', '--seconds', '20', '--config', 'x.yaml'])).toEqual({
      help: false,
      command: 'up',
      json: false,
      check: true,
      seconds: 20,
      config: 'x.yaml',
    });
    expect(parseArguments([])).toMatchObject({ help: true });
  });

  for (const [argv, says] of [
    [['down'], /no command "down"/],
    [['up', 'again'], /no command/],
    [['doctor', 'up'], /no command/],
    [['up', '--seconds', 'ten'], /found "ten"/],
    [['up', '--seconds', '1'], /from 5 to 3600/],
    [['up', '--fast'], /--fast/],
  ] as const) {
    it(`refuses ${argv.join(' ')}`, () => {
      expect(parseArguments(argv)).toMatch(says);
    });
  }
});
