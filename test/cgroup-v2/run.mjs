/**
 * `npm run test:cgroup-v2`: the conformance suite of the container runtimes, and drills that need a real kernel, inside
 * a virtual machine with cgroup v2. Ends with the counts; without an emulator or a kernel it is skipped with the reason.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { boot, buildImage, installMachine, whyNoMachine } from './machine.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'build', 'cgroup-v2');
const deadlineMs = 240_000;

const { values: options } = parseArgs({
  options: { accel: { type: 'string', default: 'tcg,thread=multi' } },
});

function say(line) {
  process.stdout.write(`${line}\n`);
}

function end(passed, failed, skipped) {
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed === 0 ? 0 : 1);
}

/** Counts TAP; a suite that stopped half-way has no plan, and that is a failure. */
class Judge {
  passed = 0;
  failed = 0;
  skipped = 0;
  #planned = null;

  take(line) {
    const result = /^(not )?ok \d+ - .*?( # SKIP .*)?$/.exec(line);
    const plan = /^1\.\.(\d+)$/.exec(line);
    if (plan !== null) this.#planned = Number(plan[1]);
    else if (result?.[1] !== undefined) this.failed += 1;
    else if (result?.[2] !== undefined) this.skipped += 1;
    else if (result !== null) this.passed += 1;
  }

  /** Null: every case that was planned came. */
  get complaint() {
    const seen = this.passed + this.failed + this.skipped;
    if (this.#planned === null) return `the suite stopped after ${seen} cases`;
    return this.#planned === seen && seen > 0 ? null : `${this.#planned} cases were planned, ${seen} came`;
  }
}

if (whyNoMachine() !== null && process.env.CI === 'true' && process.getuid?.() === 0) installMachine();
const whyNot = whyNoMachine();
if (whyNot !== null) {
  say(`skipped: cgroup v2 in a virtual machine: ${whyNot}`);
  end(0, 0, 1);
}

const startMs = performance.now();
const seconds = () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
const suite = join(folder, 'suite');
rmSync(suite, { recursive: true, force: true });
mkdirSync(suite, { recursive: true });
const compiler = ['--no-install', 'tsc', '-p', 'test/cgroup-v2/tsconfig.guest.json', '--outDir', suite];
if (spawnSync('npx', compiler, { cwd: root, stdio: ['ignore', 2, 2] }).status !== 0) {
  say('the suite does not compile');
  end(0, 1, 0);
}
const image = buildImage({ folder, suite, program: 'testing/guest.js' });
say(`# image built after ${seconds()}`);
const console = join(folder, 'console.log');
rmSync(console, { force: true });
const judge = new Judge();
const { isLate, code } = await boot({
  image,
  console,
  accelerator: options.accel,
  deadlineMs: deadlineMs - (performance.now() - startMs),
  onLine(line) {
    judge.take(line);
    say(line);
  },
});
say(`# machine off after ${seconds()}`);
const complaint = isLate ? `not done within ${deadlineMs / 1000} s` : judge.complaint;
if (complaint !== null) {
  say(`not ok - ${complaint}; the emulator ended with ${code}. The end of its console:`);
  for (const line of readFileSync(console, 'utf8').split('\n').slice(-20)) say(`# ${line}`);
}
end(judge.passed, judge.failed + (complaint === null ? 0 : 1), judge.skipped);
