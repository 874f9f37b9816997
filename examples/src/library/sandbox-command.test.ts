/** What the sandbox understands, and what it says to the rest. */
import { describe, expect, it } from 'vitest';
import { parseCommand } from './sandbox-command.ts';

describe('a command', () => {
  it.each([
    { do: 'lease', bytes: 1 },
    { do: 'leak', bytesPerSecond: 0 },
    { do: 'hog' },
    { do: 'die' },
    { do: 'release' },
  ])('%j is understood', (command) => {
    expect(parseCommand(JSON.stringify(command))).toEqual(command);
  });

  it.each([
    ['{"do":"dance"}', '"do" is lease, hog, leak, die or release, found "dance"'],
    ['{}', '"do" is lease, hog, leak, die or release, found undefined'],
    ['{"do":"lease"}', '"bytes" is a whole number from 1, found undefined'],
    ['{"do":"lease","bytes":"1"}', '"bytes" is a whole number from 1, found "1"'],
    ['{"do":"leak","bytesPerSecond":-1}', '"bytesPerSecond" is a whole number from 0, found -1'],
    ['hog', 'not a JSON object such as {"do":"lease","bytes":1048576}: hog'],
    ['null', 'not a JSON object'],
  ])('%s is refused', (line, message) => {
    expect(() => parseCommand(line)).toThrow(message);
  });
});
