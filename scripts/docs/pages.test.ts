/** The reference pages are complete, well formed, and the same every time. */
import { errorTable, exchanges, metrics, notices } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { pages } from './pages.ts';

const text = (name: string) => pages[name]?.() ?? '';

describe('the reference pages', () => {
  it('are the same whenever they are made', () => {
    for (const make of Object.values(pages)) expect(make()).toBe(make());
  });

  it('show every request and notice with its subject', () => {
    const page = text('subjects.md');
    for (const name of [...Object.keys(exchanges), ...Object.keys(notices)]) {
      expect(page).toContain(`\n### ${name}\n`);
    }
    expect(page).toContain('`nautilus.v1.req.<host>.<container>.segment.lease`');
    expect(page).toContain('`nautilus.v1.cmd.<host>.agent.memory.clean-up`');
    expect(page).toContain('`nautilus.v1.api.monitor.alert.list`');
    expect(page).toContain('`nautilus.v1.tlm.<host>.agent.sample`');
    expect(page).toContain('`nautilus.v1.alert.<host>.<tier>.memory-pressure`');
    expect(page).toContain('`nautilus.v1.job.<host>.<job>`');
    expect(page).not.toContain('a--');
  });

  it('show every metric and every error once', () => {
    const rows = (page: string, name: string) =>
      page.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));
    for (const { name } of Object.values(metrics))
      expect(rows(text('metrics.md'), name), name).toHaveLength(1);
    for (const code of Object.keys(errorTable)) expect(rows(text('errors.md'), code), code).toHaveLength(1);
  });

  it('have as many cells in every row as in the head of its table', () => {
    const cells = (line: string) => line.split(/(?<!\\)\|/).length;
    for (const [name, make] of Object.entries(pages)) {
      const lines = make().split('\n');
      lines.forEach((line, index) => {
        const before = lines[index - 1] ?? '';
        if (line.startsWith('|') && before.startsWith('|'))
          expect(cells(line), `${name}: ${line}`).toBe(cells(before));
      });
    }
  });

  it('show the containers that a host has by default', () => {
    expect(text('config.md')).toContain('| `trading-engine` | 512MiB | 4GiB | critical | guaranteed |');
    expect(text('config.md')).toContain('| `gpu` | gpu-optimized | buddy | 512MiB | 8GiB | 64MiB |');
  });
});
