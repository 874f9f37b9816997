/** `nautilus map POOL`: a picture of the segments of a pool, or of one segment, in the terminal or as a file. */
import { writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { Bus } from '@nautilus/bus';
import {
  exchanges,
  type Fault,
  fail,
  NautilusError,
  type SegmentDescription,
  type SegmentMapAnswer,
} from '@nautilus/contracts';
import { withBus } from '../connection/open-bus.ts';
import { type Call, refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { segmentsSvg } from '../picture/segment-svg.ts';
import { legend, segmentText } from '../picture/segment-text.ts';

interface Mapped {
  readonly maps: readonly SegmentMapAnswer[];
  /** Segments that could not be drawn, and why. */
  readonly missing: readonly { readonly segment: string; readonly fault: Fault }[];
}

const rowsOfSegment = 4;

export const mapCommand: Command = {
  name: 'map',
  summary: 'Draws what lies where in the segments of a pool.',
  details: [
    'It is read from the ledgers while their owners run: no payload is read, and nobody is stopped. Of a segment with more than 65536 blocks the rest is left out, and that is said.',
  ],
  positionals: [{ name: 'POOL', summary: 'A pool, or the id of one segment (s-…).' }],
  options: [
    { name: 'out', value: 'FILE', summary: 'Writes a file instead: .svg a drawing, .json every block.' },
    { name: 'most', value: 'N', summary: 'Most segments to draw, from 1 to 200; 10.' },
  ],
  examples: [
    { line: 'map trading', says: 'The segments of the pool, one character a cell.' },
    { line: 'map s-676019648b2eb8d5 --out segment.svg', says: 'One segment as a drawing.' },
  ],
  connects: true,
  run: async (call) => {
    const what = call.positional('POOL');
    const out = call.text('out');
    const kind = out === null ? null : extname(out);
    if (kind !== null && kind !== '.svg' && kind !== '.json')
      throw refuse(`--out: found "${out}", must end with .svg or .json`);
    const most = call.whole('most', { least: 1, most: 200, usual: 10 });
    return withBus(call, async (bus) => {
      const width = Math.max(16, Math.min(128, call.columns - 11));
      const isWhole = kind === '.json' || call.json;
      const request = {
        cells: isWhole ? 0 : kind === '.svg' ? 512 : width * rowsOfSegment,
        most: isWhole ? 2_000 : 0,
      };
      const { segments, isMore } = await segmentsOf(call, bus, what, most);
      const mapped = await call.wait('reading ledgers', readMaps(call, bus, segments, request));
      if (segments.length > 0 && mapped.maps.length === 0) {
        const [first] = mapped.missing;
        throw new NautilusError(first?.fault ?? fail('not_ready', `nothing of ${what} can be read`).fault);
      }
      if (out !== null) {
        writeFileSync(
          resolve(call.surroundings.cwd, out),
          kind === '.svg' ? segmentsSvg(mapped.maps) : `${JSON.stringify(mapped)}\n`,
        );
      }
      if (out !== null && !call.json) call.print(`${mapped.maps.length} segments in ${out}`);
      else call.answer(mapped, () => render(call, mapped, width, what));
      if (isMore && !call.json) call.print(`more segments are left out; --most draws up to 200`);
      return exitCodes.done.code;
    });
  },
};

async function segmentsOf(call: Call, bus: Bus, what: string, most: number) {
  if (what.startsWith('s-')) return { segments: [what], isMore: false };
  const found: SegmentDescription[] = [];
  let isMore = true;
  while (isMore && found.length <= most) {
    const after = found.at(-1)?.segment;
    const body = { pool: what, ...(after === undefined ? {} : { after }) };
    const page = await bus.request(exchanges.listSegments, { host: call.host, party: 'agent' }, body);
    found.push(...page.segments);
    isMore = page.truncated && page.segments.length > 0;
  }
  return { segments: found.slice(0, most).map(({ segment }) => segment), isMore: found.length > most };
}

async function readMaps(
  call: Call,
  bus: Bus,
  segments: readonly string[],
  request: { cells: number; most: number },
): Promise<Mapped> {
  const maps: SegmentMapAnswer[] = [];
  const missing: { segment: string; fault: Fault }[] = [];
  for (const segment of segments) {
    try {
      maps.push(await readWhole(call, bus, segment, request));
    } catch (error) {
      if (!(error instanceof NautilusError)) throw error;
      // Its owner may have released it meanwhile: the others are drawn nevertheless.
      missing.push({ segment, fault: error.toFault() });
    }
  }
  return { maps, missing };
}

/** Every page of blocks, when blocks are asked for. */
async function readWhole(
  call: Call,
  bus: Bus,
  segment: string,
  request: { cells: number; most: number },
): Promise<SegmentMapAnswer> {
  const at = { host: call.host, party: 'agent' };
  const first = await bus.request(exchanges.mapSegment, at, { segment, ...request });
  const blocks = [...first.blocks];
  let next = request.most === 0 ? null : first.next;
  while (next !== null) {
    const page = await bus.request(exchanges.mapSegment, at, { segment, most: request.most, from: next });
    blocks.push(...page.blocks);
    next = page.next !== null && page.next > next ? page.next : null;
  }
  return { ...first, blocks, next: null };
}

function render(call: Call, { maps, missing }: Mapped, width: number, what: string): string {
  if (maps.length === 0) return `${what} has no segment now`;
  const sizes = new Set(maps.map(({ cellBytes }) => cellBytes));
  return [
    ...maps.map((map) => segmentText(map, width, call.colours)),
    ...missing.map(({ segment, fault }) => call.colours.yellow(`${segment} is not drawn: ${fault.message}`)),
    ...(sizes.size === 1
      ? [legend([...sizes][0] ?? 0)]
      : [legend(0).replace(/; a cell.*/, '; the size of a cell differs by segment')]),
  ].join('\n');
}
