/** A segment as text: one character a cell, fuller the more of it is live. */
import { formatBytes, type SegmentMapAnswer } from '@nautilus/contracts';
import type { Colours } from '../terminal/colour.ts';

const shades = ['·', '░', '▒', '▓', '█'] as const;

/** Empty, up to a third, up to two thirds, more, and full. */
export function shade(liveBytes: number, cellBytes: number): string {
  if (liveBytes <= 0 || cellBytes <= 0) return shades[0];
  const share = liveBytes / cellBytes;
  return share >= 1 ? shades[4] : (shades[1 + Math.min(2, Math.floor(share * 3))] ?? shades[3]);
}

/** The bytes of a cell; the last one ends with the segment. */
export function bytesOfCell(map: SegmentMapAnswer, at: number): number {
  return Math.min(map.cellBytes, map.segment.bytes - at * map.cellBytes);
}

export function segmentText(map: SegmentMapAnswer, width: number, colours: Colours): string {
  const { segment, cells } = map;
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += width) {
    const row = cells.slice(at, at + width).map((live, inRow) => shade(live, bytesOfCell(map, at + inRow)));
    rows.push(`${formatBytes(at * map.cellBytes).padStart(9)} ${colours.cyan(row.join(''))}`);
  }
  const share = segment.bytes > 0 ? Math.round((map.liveBytes / segment.bytes) * 100) : 0;
  return [
    `${colours.bold(segment.segment)}  ${segment.owner}, pool ${segment.pool}, ${formatBytes(segment.bytes)}, ${segment.state}`,
    `  ${map.liveBlocks} blocks, ${formatBytes(map.liveBytes)} live (${share}%), ${formatBytes(map.liveBytes - Math.min(map.liveBytes, map.requestedBytes))} of it rounding; ` +
      `largest free range ${formatBytes(map.largestFreeBytes)}, ${Math.round(map.freeShareOutsideLargest * 100)}% of what is free outside it`,
    ...(map.blocksLeftOut > 0 ? [colours.yellow(`  ${map.blocksLeftOut} blocks are not drawn`)] : []),
    ...rows,
  ].join('\n');
}

export function legend(cellBytes: number): string {
  return `${shades[0]} free  ${shades[1]} up to a third  ${shades[2]} up to two thirds  ${shades[3]} more  ${shades[4]} full; a cell is ${formatBytes(cellBytes)}`;
}
