/** Segments as a drawing for documents: one square a cell, readable on light and dark, with the figures as its title. */
import { formatBytes, type SegmentMapAnswer } from '@nautilus/contracts';
import { bytesOfCell } from './segment-text.ts';

const cell = 8;
const perRow = 64;
const titleHeight = 20;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function segmentsSvg(maps: readonly SegmentMapAnswer[]): string {
  let y = 4;
  const parts = maps.map((map) => {
    const top = y;
    const rows = Math.ceil(map.cells.length / perRow);
    y += titleHeight + rows * cell + 12;
    const { segment } = map;
    const title = `${segment.segment} · ${segment.owner} · ${segment.pool} · ${formatBytes(map.liveBytes)} of ${formatBytes(segment.bytes)} live`;
    const squares = map.cells.map((live, at) => {
      const share = Math.min(1, live / Math.max(1, bytesOfCell(map, at)));
      const x = 4 + (at % perRow) * cell;
      const squareY = top + titleHeight + Math.floor(at / perRow) * cell;
      return `<rect x="${x}" y="${squareY}" width="${cell - 1}" height="${cell - 1}" fill="#2563eb" fill-opacity="${(0.08 + 0.92 * share).toFixed(2)}"><title>${formatBytes(at * map.cellBytes)}: ${Math.round(share * 100)} %</title></rect>`;
    });
    return `<g><text x="4" y="${top + 14}">${escaped(title)}</text>${squares.join('')}</g>`;
  });
  const width = perRow * cell + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" font-family="sans-serif" font-size="11" fill="#64748b"><title>Segments: live bytes by cell</title>${parts.join('')}</svg>\n`;
}
