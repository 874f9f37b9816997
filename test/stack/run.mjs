/**
 * `npm run test:stack`: the compose file as people run it, on a real engine: built, brought up with the demo, looked at
 * through Prometheus and the kernel, hurt, and taken down. Ends with the counts; without an engine it says why and skips.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath, root, say } from '../../scripts/setup/steps.mjs';
import { debianTree, importBases } from './base.mjs';
import { Engine } from './engine.mjs';

const project = 'nautilus-stack-test';
const containers = [
  'trading-engine',
  'market-data',
  'analytics-engine',
  'risk-engine',
  'ml-engine',
  'websocket-engine',
];
const services = ['nats', 'allocator', 'orchestrator', 'monitor', 'maintenance', 'prometheus'];
const totals = { passed: 0, failed: 0, skipped: 0 };

function whyNot() {
  if (process.platform !== 'linux') return `the stack runs on Linux, this is ${process.platform}`;
  if (process.getuid() !== 0) return 'an engine has to be started as root';
  const lacking = ['dockerd', 'docker-compose', 'debootstrap', 'iptables'].filter(
    (name) => onPath(name) === null,
  );
  return lacking.length === 0
    ? null
    : `${lacking.join(', ')} not found (Debian: apt-get install docker.io docker-compose debootstrap iptables)`;
}

async function check(name, look) {
  try {
    await look();
    totals.passed += 1;
    say(`ok: ${name}`);
  } catch (error) {
    totals.failed += 1;
    say(`FAILED: ${name}: ${error.message}`);
  }
}

/** Until `look` answers something else than null; what was missing last is the error. */
async function eventually(patienceMs, look) {
  const until = performance.now() + patienceMs;
  while (true) {
    const missing = await look();
    if (missing === null) return;
    if (performance.now() > until) throw new Error(`${missing}, after ${patienceMs / 1000} s`);
    await sleep(500);
  }
}

async function main(engine) {
  const compose = (...args) =>
    engine.run(
      'docker-compose',
      ['-p', project, '-f', join(root, 'docker-compose.yml'), '--profile', 'demo', ...args],
      { cwd: root },
    );
  const containerId = (name) => compose('ps', '-q', name).trim();
  const inspect = (name) => JSON.parse(engine.run('docker', ['inspect', containerId(name)]))[0];
  const lines = (name) =>
    engine
      .run('docker', ['logs', containerId(name)])
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const framesOf = (name) => lines(name).findLast(({ event }) => event === 'progress') ?? {};
  const complaintOf = (frames) =>
    frames.framesVerified > 0 &&
    frames.framesTorn === 0 &&
    frames.checksumErrors === 0 &&
    frames.bytesCopied === 0
      ? null
      : `of frames it says ${JSON.stringify(frames)}`;
  const address = () => Object.values(inspect('prometheus').NetworkSettings.Networks)[0].IPAddress;
  const ask = async (path) => (await (await fetch(`http://${address()}:9090/api/v1/${path}`)).json()).data;
  const value = async (query) => {
    const { result } = await ask(`query?query=${encodeURIComponent(query)}`);
    return result.length === 0 ? null : Number(result[0].value[1]);
  };

  importBases(root, debianTree(join(tmpdir(), 'nautilus-stack-base')), engine.run);
  say('building the image');
  engine.run(
    'docker',
    ['build', '--network', 'host', '-f', 'deploy/images/Dockerfile', '-t', imageName(), '.'],
    { cwd: root },
  );
  say('bringing the stack up');
  compose('up', '-d', '--no-build');

  await check('every service is up, and healthy where it can say so', () =>
    eventually(90_000, () => {
      const bad = services.filter((name) => {
        const { State } = inspect(name);
        return !State.Running || (State.Health !== undefined && State.Health.Status !== 'healthy');
      });
      return bad.length === 0 ? null : `not well: ${bad.join(', ')}`;
    }),
  );
  await check('nobody runs as root, with a capability, or on a root that can be written', () => {
    for (const name of [...services.filter((each) => each !== 'prometheus'), ...containers]) {
      const { HostConfig, Config } = inspect(name);
      if (Config.User === '' || Config.User.startsWith('0') || Config.User === 'root')
        throw new Error(`${name} runs as "${Config.User}"`);
      if (!HostConfig.ReadonlyRootfs || HostConfig.CapDrop?.join() !== 'ALL' || HostConfig.CapAdd !== null)
        throw new Error(`${name} has too much`);
      if (name !== 'allocator' && HostConfig.Memory <= 0) throw new Error(`${name} has no memory limit`);
    }
  });
  await check(
    'a container gets the socket of the agent and its own key, and nothing else of the host',
    () => {
      for (const name of containers) {
        const mounts = inspect(name)
          .Mounts.map(({ Destination }) => Destination)
          .sort()
          .join();
        if (mounts !== '/identity,/run/nautilus') throw new Error(`${name} mounts ${mounts}`);
        const files = engine
          .run('docker', [
            'exec',
            containerId(name),
            'node',
            '-p',
            "require('fs').readdirSync('/identity').join()",
          ])
          .trim();
        if (files !== 'seed.nk') throw new Error(`${name} sees ${files}`);
      }
    },
  );
  await check('NATS lets nobody in without a key', async () => {
    const script =
      "import('@nautilus/client').then(({connect})=>connect({container:'risk-engine',seed:null,signal:AbortSignal.timeout(5000)})).then(()=>console.log('in'),(e)=>console.log('out',e.code))";
    const said = engine
      .run('docker', [
        'exec',
        '-e',
        'NAUTILUS_SEED_FILE=',
        '-w',
        '/app/examples',
        containerId('risk-engine'),
        'node',
        '--input-type=module',
        '-e',
        script,
      ])
      .trim();
    if (said !== 'out permission_denied') throw new Error(`it said "${said}"`);
  });
  await check('every container of the demo leases in its own name', () =>
    eventually(60_000, async () => {
      for (const name of containers) {
        // Some give back what they lease within a second: what counts is that a scrape saw it.
        const bytes = await value(
          `max_over_time(nautilus_memory_container_memory_allocation{container="${name}"}[2m])`,
        );
        if (!(bytes > 0)) return `${name} leases ${bytes ?? 'nothing that is scraped'}`;
      }
      return null;
    }),
  );
  await check("readers see the writer's bytes in place, across container boundaries", () =>
    eventually(30_000, () => {
      const opened = lines('risk-engine').findLast(({ event }) => event === 'verified');
      if (opened === undefined) return 'risk-engine verified nothing';
      if (opened.copied || opened.sequence <= opened.sequenceAtOpen)
        return `risk-engine says ${JSON.stringify(opened)}`;
      return complaintOf(framesOf('risk-engine'));
    }),
  );
  await check('every target of Prometheus is up, and every rule loads', () =>
    eventually(30_000, async () => {
      const { activeTargets } = await ask('targets?state=active');
      const down = activeTargets
        .filter(({ health }) => health !== 'up')
        .map(({ scrapeUrl, lastError }) => `${scrapeUrl}: ${lastError}`);
      if (activeTargets.length < 4 || down.length > 0)
        return `${activeTargets.length} targets, down: ${down.join('; ')}`;
      const rules = (await ask('rules')).groups.flatMap((group) => group.rules);
      const written = readFileSync(join(root, 'deploy/prometheus/alerts.yml'), 'utf8').match(
        /^\s+- alert:/gm,
      ).length;
      const bad = rules.filter(({ health }) => health === 'err');
      return rules.length === written && bad.length === 0
        ? null
        : `${rules.length} of ${written} rules, ${bad.length} wrong`;
    }),
  );
  await check('a container that is killed gives its memory back', async () => {
    engine.run('docker', ['kill', containerId('analytics-engine')]);
    await eventually(30_000, async () => {
      const bytes = await value('nautilus_memory_container_memory_allocation{container="analytics-engine"}');
      return bytes === 0 || bytes === null ? null : `${bytes} bytes are still leased`;
    });
  });
  await check('the agent restarted takes its segments back, and readers went on', async () => {
    const before = framesOf('risk-engine').framesVerified;
    engine.run('docker', ['restart', '-t', '60', containerId('allocator')]);
    await eventually(60_000, () => {
      if (inspect('allocator').State.Health?.Status !== 'healthy') return 'the agent is not well again';
      const frames = framesOf('risk-engine');
      return complaintOf(frames) ?? (frames.framesVerified > before ? null : 'no frame was read since');
    });
    const said = engine.run('docker', ['logs', containerId('allocator')]);
    if (!said.includes('waiting for holders to return their segments'))
      throw new Error('it found no lease of before');
  });
  await check('down leaves nothing', () => {
    compose('down', '-v', '--timeout', '60');
    for (const [what, args] of [
      ['containers', ['ps', '-aq']],
      ['volumes', ['volume', 'ls', '-q']],
      ['networks', ['network', 'ls', '-q']],
    ]) {
      const left = engine
        .run('docker', [...args, '--filter', `label=com.docker.compose.project=${project}`])
        .trim();
      if (left !== '') throw new Error(`${what} are left: ${left}`);
    }
  });
}

function imageName() {
  return /image: (nautilus-memory:\S+)/.exec(readFileSync(join(root, 'docker-compose.yml'), 'utf8'))[1];
}

const reason = whyNot();
if (reason !== null) {
  say(`skipped: the stack on a real engine: ${reason}`);
  totals.skipped += 1;
} else {
  const engine = new Engine();
  try {
    await engine.start();
    await main(engine);
  } catch (error) {
    totals.failed += 1;
    say(`FAILED: the stack: ${error.message}\n${error.stdout?.slice(-2_000) ?? ''}`);
  } finally {
    await engine.stop();
  }
}
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
