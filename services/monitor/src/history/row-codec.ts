/**
 * A row is what all series were at one instant. It is written as the difference to the row before: most figures of a
 * second are those of the second before, so a run of unchanged ones is two bytes and a small change is one or two.
 */
import { ByteReader, ByteWriter, DamagedBytes } from './varint.ts';

export interface Row {
  /** Unix milliseconds. */
  readonly at: number;
  /** By number of the series; NaN where it was not measured. May be shorter than there are series. */
  readonly values: readonly number[];
}

/** Tokens: a run of unchanged values; not measured; a value that is no whole number; else the change, from here on. */
const unchangedRun = 0;
const notMeasured = 1;
const asFloat = 2;
const firstChange = 3;

const largestChange = Number.MAX_SAFE_INTEGER / 2 - firstChange;

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Both sides keep what the series were last, measured or not. */
class Memory {
  at = 0;
  /** The last measured value: a series that comes back changes little against it. */
  readonly base: number[] = [];
  readonly last: number[] = [];

  grow(series: number): void {
    while (this.last.length < series) {
      this.last.push(Number.NaN);
      this.base.push(0);
    }
  }
}

export class RowEncoder {
  readonly #memory = new Memory();
  readonly #writer = new ByteWriter();

  /** Valid until the next call. */
  encode({ at, values }: Row): Uint8Array {
    const memory = this.#memory;
    const writer = this.#writer;
    memory.grow(values.length);
    writer.varint(zigzag(Math.round(at) - memory.at));
    memory.at = Math.round(at);
    writer.varint(memory.last.length);
    let run = 0;
    for (let series = 0; series < memory.last.length; series += 1) {
      const value = values[series] ?? Number.NaN;
      if (Object.is(value, memory.last[series])) {
        run += 1;
        continue;
      }
      if (run > 0) this.#endRun(run);
      run = 0;
      this.#change(series, value);
    }
    if (run > 0) this.#endRun(run);
    return writer.take();
  }

  #endRun(run: number): void {
    this.#writer.varint(unchangedRun);
    this.#writer.varint(run);
  }

  #change(series: number, value: number): void {
    const memory = this.#memory;
    const writer = this.#writer;
    memory.last[series] = value;
    if (Number.isNaN(value)) {
      writer.varint(notMeasured);
      return;
    }
    const change = value - (memory.base[series] as number);
    // -0 is no whole number here: a difference would lose its sign.
    const isWhole =
      Number.isSafeInteger(value) && Number.isSafeInteger(memory.base[series]) && !Object.is(value, -0);
    if (isWhole && Math.abs(change) < largestChange) {
      writer.varint(firstChange + zigzag(change));
    } else {
      writer.varint(asFloat);
      writer.float64(value);
    }
    memory.base[series] = value;
  }
}

export class RowDecoder {
  readonly #memory = new Memory();

  /** The values are the decoder's own and change with the next row. */
  decode(bytes: Uint8Array): Row {
    const memory = this.#memory;
    const reader = new ByteReader(bytes);
    memory.at += unzigzag(reader.varint());
    const count = reader.varint();
    if (count < memory.last.length || count > mostSeries)
      throw new DamagedBytes(`a row of ${count} series after one of ${memory.last.length}`);
    memory.grow(count);
    for (let series = 0; series < count; ) {
      const token = reader.varint();
      if (token === unchangedRun) {
        series += reader.varint();
        if (series > count) throw new DamagedBytes('a run is longer than its row');
        continue;
      }
      this.#take(series, token, reader);
      series += 1;
    }
    if (!reader.atEnd) throw new DamagedBytes('a row has bytes behind its end');
    return { at: memory.at, values: memory.last };
  }

  #take(series: number, token: number, reader: ByteReader): void {
    const { last, base } = this.#memory;
    if (token === notMeasured) {
      last[series] = Number.NaN;
      return;
    }
    const value =
      token === asFloat ? reader.float64() : (base[series] as number) + unzigzag(token - firstChange);
    last[series] = value;
    base[series] = value;
  }
}

/** More would be a mistake, or a hostile file. */
export const mostSeries = 65_536;
