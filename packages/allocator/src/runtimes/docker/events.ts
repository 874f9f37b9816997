/** The engine's event stream as events: lines of JSON that arrive in pieces, of which only a few fields matter. */
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import { containerId } from './api.ts';

const event = z.object({
  Action: z.string(),
  /** Unix time; a whole number of nanoseconds is beyond what a number holds exactly, which does not matter here. */
  timeNano: z.number(),
  Actor: z.object({ ID: containerId, Attributes: z.record(z.string(), z.string()).nullish() }),
});

export interface EngineEvent {
  readonly action: string;
  readonly id: string;
  readonly atMs: number;
  /** Of a `die`; null for others. */
  readonly exitCode: number | null;
}

/** Labels travel with each event; nobody writes a mebibyte of them. */
const longestLine = 1024 * 1024;

/** Throws what is not an event stream; the reader then begins anew, with a fresh list. */
export class EventDecoder {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  push(chunk: Buffer): EngineEvent[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > longestLine) {
      throw new RangeError(`the event stream sent a line of more than ${longestLine} characters`);
    }
    return lines.filter((line) => line.trim() !== '').map(parse);
  }
}

function parse(line: string): EngineEvent {
  const { Action, Actor, timeNano } = event.parse(JSON.parse(line));
  const code = Number(Actor.Attributes?.['exitCode'] ?? Number.NaN);
  const exitCode = Action === 'die' && Number.isInteger(code) ? code : null;
  return { action: Action, id: Actor.ID, atMs: timeNano / 1e6, exitCode };
}
