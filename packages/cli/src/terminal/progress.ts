/** Nobody looks at a silent terminal for longer than a second: what is waited for is said, on standard error. */
import type { Output } from '../line/surroundings.ts';

const quietMs = 1_000;
const redrawMs = 250;
/** Where lines are kept, as in a log, one now and then is enough. */
const lineMs = 10_000;

export async function withProgress<T>(output: Output, what: string, work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  let isShown = false;
  const tell = () => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    isShown = true;
    output.write(output.isTTY === true ? `\r\u001b[K${what} … ${seconds} s` : `${what} … ${seconds} s\n`);
  };
  let timer = setTimeout(function again() {
    tell();
    timer = setTimeout(again, output.isTTY === true ? redrawMs : lineMs);
  }, quietMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (isShown && output.isTTY === true) output.write('\r\u001b[K');
  }
}
