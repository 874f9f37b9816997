/**
 * `npm test`: everything, from a fresh clone: types, lint, the rules of the house, generated pages, C++ and TypeScript.
 * Every step runs even when an earlier one failed; the last line counts tests, and a step counts as one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCheckParts } from './setup/check-parts.mjs';
import {
  buildNative,
  installPackages,
  main,
  requireCompiler,
  requireNatsServer,
  requireNode,
  root,
  run,
  say,
} from './setup/steps.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };

function step(name, command, args) {
  say(name);
  const ok = run(command, args) === 0;
  totals[ok ? 'passed' : 'failed'] += 1;
  if (!ok) say(`FAILED: ${name} (${command} ${args.join(' ')})`);
}

/** A command whose last lines hold `N passed, N failed, N skipped`. */
function countedStep(name, command, args) {
  say(name);
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
    maxBuffer: 2 ** 27,
  });
  process.stderr.write(result.stdout ?? '');
  const counts = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec((result.stdout ?? '').trimEnd());
  if (counts === null || (result.status !== 0 && Number(counts[2]) === 0)) {
    totals.failed += 1;
    say(
      `FAILED: ${name} ended with ${result.status ?? result.signal} and ${counts === null ? 'no count' : 'a count without failures'}`,
    );
    return;
  }
  totals.passed += Number(counts[1]);
  totals.failed += Number(counts[2]);
  totals.skipped += Number(counts[3] ?? 0);
}

function vitest() {
  say('tests (vitest)');
  const folder = mkdtempSync(join(tmpdir(), 'nautilus-test-'));
  const report = join(folder, 'report.json');
  const status = run('npx', [
    '--no-install',
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  if (!existsSync(report)) {
    totals.failed += 1;
    say(`FAILED: vitest ended with ${status} and wrote no report`);
  } else {
    const {
      numPassedTests,
      numFailedTests,
      numPendingTests,
      numTodoTests,
      numFailedTestSuites,
      testResults,
    } = JSON.parse(readFileSync(report, 'utf8'));
    totals.passed += numPassedTests;
    // A file that cannot even be loaded has no tests to count.
    totals.failed += numFailedTests > 0 ? numFailedTests : numFailedTestSuites;
    totals.skipped += numPendingTests + numTodoTests;
    if (status !== 0 && numFailedTests + numFailedTestSuites === 0) totals.failed += 1;
    for (const file of testResults) {
      for (const test of file.assertionResults) {
        if (test.status === 'pending' || test.status === 'skipped') say(`skipped: ${test.fullName}`);
      }
    }
  }
  rmSync(folder, { recursive: true });
}

await main(() => {
  requireNode();
  requireCompiler();
  requireNatsServer();
  installCheckParts();
  installPackages();
  buildNative();
  step('types', 'npm', ['run', 'check:types', '--silent']);
  step('lint and format', 'npm', ['run', 'check:lint', '--silent']);
  step('who may import whom', 'npm', ['run', 'check:boundaries', '--silent']);
  step('length of files', 'npm', ['run', 'check:size', '--silent']);
  step('generated reference pages', 'npm', ['run', 'check:docs', '--silent']);
  countedStep('C++ tests', 'npm', ['run', 'test:cc', '--silent', '-w', '@nautilus/native']);
  countedStep("Apple's part of the addon, read by clang", 'node', ['packages/native/test/apple_syntax.mjs']);
  countedStep('kill points', 'node', ['packages/native/kill/run.mjs', '--points', '500']);
  countedStep('fuzzing, 60 s', 'node', ['packages/native/fuzz/run.mjs', '--seconds', '60']);
  vitest();
  countedStep('cgroup v2 in a virtual machine', 'npm', ['run', 'test:cgroup-v2', '--silent']);
  countedStep('a Docker engine', 'npm', ['run', 'test:docker', '--silent']);
  countedStep('the stack on a real engine', 'npm', ['run', 'test:stack', '--silent']);
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
  return totals.failed === 0 ? 0 : 1;
});
