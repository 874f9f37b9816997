/** `nautilus top`: the live screen. Samples and alerts come in, keys change the state, and the screen is drawn from both. */
import type { Bus } from '@nautilus/bus';
import { type AgentSample, exchanges, fail, NautilusError, notices } from '@nautilus/contracts';
import { withBus } from '../connection/open-bus.ts';
import type { Call } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { renderTop, type TopPicture } from '../top/render.ts';
import { shownRows } from '../top/rows.ts';
import { firstState, pressed } from '../top/state.ts';

const redrawMs = 1_000;
const keptSamples = 240;
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

export const topCommand: Command = {
  name: 'top',
  summary: 'The live screen of a host: pressure, containers, pools, regions, alerts.',
  details: [
    'Tab or 1 2 3 choose the table, s sorts, / filters, Enter opens a row, ? helps, q ends. It needs a terminal; for programs there is `nautilus status --json`.',
  ],
  examples: [{ line: 'top', says: 'Redrawn every second and at every key.' }],
  connects: true,
  run: async (call) => {
    const { stdin, stdout } = call.surroundings;
    if (stdin === null || stdout.isTTY !== true || call.json) {
      throw new NautilusError(
        fail('invalid_request', 'top needs a terminal; use `nautilus status`, with --json for programs')
          .fault,
      );
    }
    await withBus(call, (bus) => show(call, bus, stdin));
    return exitCodes.done.code;
  },
};

async function show(call: Call, bus: Bus, keys: NodeJS.ReadStream): Promise<void> {
  const { stdout, signal, now } = call.surroundings;
  const { host, colours } = call;
  const samples: AgentSample[] = [];
  let alerts: TopPicture['alerts'] = { missing: 'not asked yet' };
  let state = firstState;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const draw = () => {
    const text = renderTop({
      state,
      host,
      samples,
      alerts,
      now: now(),
      columns: stdout.columns ?? 80,
      rows: stdout.rows ?? 24,
      colours,
    });
    // Home, each line with its rest cleared, then everything below; no newline at the end, which would scroll.
    stdout.write(`\u001b[H${text.replaceAll('\n', '\u001b[K\r\n')}\u001b[K\u001b[J`);
  };
  const press = (chunk: Buffer) => {
    const sample = samples.at(-1);
    const names = sample === undefined ? [] : shownRows(sample, state).map(({ name }) => name);
    // An arrow is one key of several characters; a fast typist sends several keys at once.
    for (const key of keysOf(chunk.toString('utf8'))) state = pressed(state, key, names);
    if (state.isOver) finish();
    else draw();
  };
  const ask = async () => {
    try {
      ({ alerts } = await bus.request(exchanges.listAlerts, {}, { host }));
    } catch (error) {
      alerts = { missing: error instanceof Error ? error.message : String(error) };
    }
  };
  await bus.subscribe(notices.sampleTaken, { host, party: 'agent' }, (sample) => {
    samples.push(sample);
    if (samples.length > keptSamples) samples.shift();
  });
  const timer = setInterval(() => {
    void ask();
    draw();
  }, redrawMs);
  signal.addEventListener('abort', finish, { once: true });
  stdout.write(enter);
  keys.setRawMode(true);
  keys.on('data', press);
  keys.resume();
  try {
    await ask();
    draw();
    await finished;
  } finally {
    clearInterval(timer);
    keys.off('data', press);
    keys.setRawMode(false);
    keys.pause();
    stdout.write(leave);
  }
}

/** `\u001b[A` is one key. */
function keysOf(typed: string): string[] {
  return typed
    .split('\u001b[')
    .flatMap((part, at) => (at === 0 ? [...part] : [`\u001b[${part.slice(0, 1)}`, ...part.slice(1)]));
}
