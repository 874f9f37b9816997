import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { macVerification, verificationFolder } from './mac-verification.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

interface Log {
  minutes: number;
  steps: { name: string; passed: boolean; detail: string }[];
}

/** The log and its page as scripts/mac-log.mjs writes them. */
function written(change: (results: Log) => void): { json: string; page: string } {
  const names = ['addon builds', 'C++ tests', 'TypeScript tests', 'latencies', 'soak', 'findings'];
  const results = {
    date: '2026-02-03',
    machine: { model: 'Mac', chip: 'M', memoryBytes: 1, macos: '15', node: '20', commit: 'c' },
    minutes: 10,
    steps: names.map((name) => ({ name, passed: true, detail: 'good' })),
    latencies: [{ name: 'allocate', bytes: 64, samples: 1, batch: 1, p50Ns: 1, p999Ns: 20_000 }],
    soak: { operations: 1 },
    findings: { findings: [{ question: 'a|b?', answer: 'yes' }], model: {}, kinds: [] },
  };
  change(results);
  const script = `import { makeLog, markdownOf } from './scripts/mac-log.mjs';
    const log = makeLog(${JSON.stringify(results)});
    console.log(JSON.stringify({ json: JSON.stringify(log), page: markdownOf(log) }));`;
  const outcome = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: repository,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  return JSON.parse(outcome.stdout) as { json: string; page: string };
}

describe('macVerification', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nautilus-mac-'));
    mkdirSync(join(root, verificationFolder), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function put(date: string, text: string): void {
    writeFileSync(join(root, verificationFolder, `mac-${date}.json`), text);
  }
  function reasonFor(text: string): string {
    put('2026-02-03', text);
    const verification = macVerification(root);
    return verification.verified ? 'verified' : verification.reason;
  }

  it('is not verified without a log, and says what to type', () => {
    expect(macVerification(root)).toEqual({
      verified: false,
      reason: expect.stringContaining('npm run verify:mac'),
    });
    rmSync(join(root, 'docs'), { recursive: true });
    expect(macVerification(root).verified).toBe(false);
  });

  it('is verified by a log of the script in which everything passed', () => {
    put('2026-02-03', written(() => {}).json);
    expect(macVerification(root)).toEqual({
      verified: true,
      file: 'docs/verification/mac-2026-02-03.json',
      date: '2026-02-03',
    });
  });

  it('is not verified when a step failed or did not run, or the soak was short', () => {
    const failed = written((results) => {
      results.steps[4] = { name: 'soak', passed: false, detail: 'GPU lost' };
    });
    expect(reasonFor(failed.json)).toContain('1 failed, first: soak: GPU lost');
    const missing = written((results) => results.steps.splice(1, 1));
    expect(reasonFor(missing.json)).toContain('1 failed, first: C++ tests: did not run');
    const short = written((results) => {
      results.minutes = 0.5;
    });
    expect(reasonFor(short.json)).toContain('the soak took 0.5 minutes, at least 10');
  });

  it('is not verified by anything that only looks like a log', () => {
    expect(reasonFor('{')).toContain('not JSON');
    expect(reasonFor('[]')).toContain('not a log of format 1');
    expect(reasonFor('{"format":2,"failures":[],"steps":[]}')).toContain('not a log of format 1');
    expect(reasonFor('{"format":1,"failures":[],"steps":[],"minutes":10}')).toContain(
      'addon builds: did not pass',
    );
  });

  it('goes by the newest log', () => {
    const good = written(() => {}).json;
    put('2026-02-03', good);
    put('2026-03-01', '{}');
    expect(macVerification(root).verified).toBe(false);
    put('2026-03-02', good);
    expect(macVerification(root)).toMatchObject({ verified: true, date: '2026-03-02' });
  });

  it('has a page for people with every failure, latency and finding', () => {
    const { page } = written((results) => {
      results.steps[4] = { name: 'soak', passed: false, detail: 'GPU lost' };
    });
    expect(page).toContain('1 failed.');
    expect(page).toContain('- FAILED: soak: GPU lost');
    expect(page).toContain('| allocate | 64 | 1 | 1.0 ns | 20.0 µs |');
    expect(page).toContain('| a\\|b? | yes |');
  });
});

describe('verify:mac', () => {
  it.skipIf(process.platform === 'darwin')('says on any other machine that it needs a Mac, and fails', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/verify-mac.mjs'], {
      cwd: repository,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('verify:mac needs a Mac');
    expect(stderr).toContain('no log was written');
  });
});
