/**
 * `npm run test:docker`: the Docker runtime on a real engine, one that is started for the purpose and ended after it.
 * Where that cannot be, it says why and counts one skipped. Its last line is the count that `npm test` adds up.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath, root, run, say } from '../../scripts/setup/steps.mjs';

const folder = mkdtempSync(join(tmpdir(), 'nautilus-docker-step-'));
try {
  process.exitCode = main();
} finally {
  rmSync(folder, { recursive: true });
}

function main() {
  const program = join(folder, 'hog');
  const reason = whyNot() ?? compile(program);
  if (reason !== null) {
    say(`skipped: the Docker runtime on a real engine: ${reason}`);
    process.stdout.write('0 passed, 0 failed, 1 skipped\n');
    return 0;
  }
  const report = join(folder, 'report.json');
  const args = ['--no-install', 'vitest', 'run', '--config', 'test/docker/vitest.config.ts'];
  args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
  const status = run('npx', args, { env: { NAUTILUS_TEST_HOG: program }, timeout: 180_000 });
  if (!existsSync(report)) {
    say(`vitest ended with ${status} and wrote no report`);
    process.stdout.write('0 passed, 1 failed, 0 skipped\n');
    return 1;
  }
  const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  for (const { fullName, status } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
    if (status === 'pending' || status === 'skipped') say(`skipped: ${fullName}`);
  }
  // A file that cannot be loaded, or whose engine does not start, has no failed tests to count.
  const failed = numFailedTests || numFailedTestSuites || (status === 0 ? 0 : 1);
  process.stdout.write(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`);
  return failed === 0 ? 0 : 1;
}

/** Null: an engine can be started here. */
function whyNot() {
  if (process.platform !== 'linux') return `dockerd runs on Linux, this is ${process.platform}`;
  if (process.getuid() !== 0) return 'dockerd has to be started as root';
  if (onPath('dockerd') === null)
    return 'dockerd is not installed (Debian: apt-get install docker.io iptables)';
  return null;
}

/** Linked statically, so that the image needs nothing else. Null: built. */
function compile(program) {
  const source = join(root, 'test/docker/hog.cc');
  const flags = ['-static', '-Os', '-s', '-std=c++20', '-Wall', '-Wextra', '-Werror'];
  const built = spawnSync('c++', [...flags, '-o', program, source], { encoding: 'utf8' });
  if (built.status === 0) return null;
  return `the test program could not be linked statically: ${built.error?.message ?? built.stderr.slice(0, 300)}`;
}
