/** The configuration, checked, printed and explained as a person would ask for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type } from '../testing/typed.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nautilus-config-'));
afterAll(() => rmSync(cwd, { recursive: true }));

describe('nautilus config', () => {
  it('check tells every mistake with its place', async () => {
    writeFileSync(join(cwd, 'wrong.yaml'), 'host:\n  idd: h2\nmonitor:\n  port: 99999\n');
    const { code, err } = await type(['config', 'check', '--config', 'wrong.yaml'], { cwd });
    expect(code).toBe(6);
    expect(err).toMatch(/wrong\.yaml:2:3.*did you mean "id"/);
    expect(err).toMatch(/wrong\.yaml:4:3.*99999/);
  });

  it('print tells what is in force, in bytes and milliseconds', async () => {
    writeFileSync(join(cwd, 'nautilus.yaml'), 'host: { id: h7 }\nmonitor: { clear_hold: 3s }\n');
    const printed = await type(['config', 'print'], { cwd, env: { NAUTILUS_LOG__LEVEL: 'warn' } });
    expect(printed.json()).toMatchObject({
      host: { id: 'h7', capacity: 36 * 2 ** 30 },
      monitor: { clear_hold: 3000 },
      log: { level: 'warn' },
    });
  });

  it('explain says what a key does, its default, its value and its variable', async () => {
    const { out } = await type(['config', 'explain', 'monitor.clear_hold'], { cwd });
    expect(out).toContain('3000');
    expect(out).toContain('NAUTILUS_MONITOR__CLEAR_HOLD');
    expect((await type(['config', 'explain', 'monitor'], { cwd })).out).toContain('clear_hold');
    const wrong = await type(['config', 'explain', 'monitor.clear_hole'], { cwd });
    expect(wrong).toMatchObject({ code: 6, err: expect.stringContaining('did you mean "clear_hold"') });
  });
});
