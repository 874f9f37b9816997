/** `nautilus map` and its subjects: pictures of real segments, bounded, and never of what cannot be read. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exchanges } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type System, startSystem } from '../support/system.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nautilus-map-'));
let system: System;
let segment: string;
beforeAll(async () => {
  system = await startSystem();
  const client = await system.host.client('analytics-engine');
  const pool = client.pool('analytics');
  const blocks = [];
  for (let at = 0; at < 3_000; at += 1) blocks.push(await pool.allocate(4096));
  // Every third is freed, so that there are holes to see.
  blocks.forEach((block, at) => {
    if (at % 3 === 0) block.free();
  });
  segment = blocks[0]?.segment ?? '';
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(cwd, { recursive: true });
});

const at = { host: 'h1', party: 'agent' };

describe('segment.map', () => {
  it('counts in cells exactly what lives, and pages its blocks', async () => {
    const first = await system.host.bus.request(exchanges.mapSegment, at, {
      segment,
      cells: 100,
      most: 1_500,
    });
    expect(first.liveBlocks).toBe(2_000);
    expect(first.cells.reduce((sum, live) => sum + live, 0)).toBe(first.liveBytes);
    expect(first.cells).toHaveLength(100);
    expect(first.blocks).toHaveLength(1_500);
    const second = await system.host.bus.request(exchanges.mapSegment, at, {
      segment,
      most: 1_500,
      from: first.next ?? -1,
    });
    expect(second.next).toBeNull();
    const offsets = [...first.blocks, ...second.blocks].map(({ offset }) => offset);
    expect(new Set(offsets).size).toBe(2_000);
    expect(first.freeShareOutsideLargest).toBeGreaterThan(0);
  });

  it('refuses what is not leased, and more than it answers', async () => {
    const ask = (body: object) => system.host.bus.request(exchanges.mapSegment, at, { segment, ...body });
    await expect(ask({ segment: 's-0000000000000000' })).rejects.toMatchObject({ code: 'unknown_segment' });
    await expect(ask({ cells: 5_000 })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(ask({ most: 1_000_000 })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('nautilus map', () => {
  it('draws a pool within the width of the terminal', async () => {
    const { code, out } = await system.type(['map', 'analytics'], { columns: 80 });
    expect(code).toBe(0);
    expect(out).toContain(segment);
    expect(out).toContain('2000 blocks');
    const drawn = out.split('\n').filter((line) => /^ +[\d.]+[A-Za-z]+ [·░▒▓█]+$/.test(line));
    expect(drawn.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(drawn[0]).toMatch(/[▒▓]{10}/);
    expect(drawn.at(-1)).toContain('·');
  });

  it('writes a drawing and every block', async () => {
    const svg = await system.type(['map', segment, '--out', 'map.svg'], { cwd });
    expect(svg).toMatchObject({ code: 0, out: '1 segments in map.svg\n' });
    const drawing = readFileSync(join(cwd, 'map.svg'), 'utf8');
    expect(drawing.match(/<rect /g)?.length).toBe(512);
    expect(drawing).toContain('analytics-engine');
    await system.type(['map', segment, '--out', 'map.json'], { cwd });
    const { maps } = JSON.parse(readFileSync(join(cwd, 'map.json'), 'utf8')) as {
      maps: { blocks: unknown[] }[];
    };
    expect(maps[0]?.blocks).toHaveLength(2_000);
  });

  it('says that a pool is empty, unknown, or that a segment has no ledger', async () => {
    expect(await system.type(['map', 'websocket'])).toMatchObject({
      code: 0,
      out: 'websocket has no segment now\n',
    });
    expect(await system.type(['map', 'nowhere'])).toMatchObject({
      code: 5,
      err: expect.stringContaining('nowhere'),
    });
    const got = (await system.type(['alloc', 'temporary', '4KiB', '--as', 'portfolio', '--json'])).json() as {
      segment: string;
    };
    const kept = await system.type(['map', got.segment]);
    expect(kept).toMatchObject({ code: 3, err: expect.stringContaining('kept by the agent') });
    expect(await system.type(['map', segment, '--out', 'map.png'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('.svg or .json'),
    });
  });
});
