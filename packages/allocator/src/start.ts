/**
 * Composes the agent: state directory → journal → socket → NATS → endpoints → observers. The socket comes before NATS,
 * so that holders can hand their segments back to a restarted agent even while there is no broker.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Bus } from '@nautilus/bus';
import { type Config, NautilusError, notices, scaleMemory, unwrap } from '@nautilus/contracts';
import {
  type App,
  type Clock,
  type Component,
  createApp,
  createHealth,
  createHttpServer,
  type Logger,
  Metrics,
  systemClock,
} from '@nautilus/kit';
import { probeHost, raiseDescriptorLimit } from '@nautilus/native';
import { type Agent, createAgent } from './agent.ts';
import { ControlPlane } from './control-plane.ts';
import { openDevices } from './devices/open.ts';
import { DeviceWatch, type FoundDevices } from './devices/watch.ts';
import { recover } from './memory/recovery.ts';
import { openStateDirectory } from './memory/state-directory.ts';
import { Containers } from './observe/containers.ts';
import { exposeAgent } from './observe/metrics.ts';
import { openRuntime } from './runtimes/open.ts';
import { SocketServer } from './socket/server.ts';

export interface AllocatorOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly instance?: string;
  /** Memory of the machine, for tests of small ones; default: as found. */
  readonly totalBytes?: number;
  /** Finds and opens devices; default: those of the machine. A drill keeps hold of them to break them. */
  readonly openDevices?: (allowSoftware: boolean) => FoundDevices;
}

export interface RunningAllocator {
  readonly app: App;
  /** The books, for programs that embed the agent and for tests. */
  readonly agent: Agent;
  readonly port: () => number;
  /** Null before NATS was reached. */
  readonly bus: () => Bus | null;
}

/** How often expired leases are looked for, and waiting budgets applied. */
const sweepMs = 250;

export function createAllocator(options: AllocatorOptions): RunningAllocator {
  const { config, log } = options;
  const clock = options.clock ?? systemClock();
  const facts = probeHost();
  const { soft: descriptors } = raiseDescriptorLimit();
  const shape = scaleMemory(config, options.totalBytes ?? facts.totalBytes);
  const state = unwrap(openStateDirectory(config.host.state_dir, facts.bootId));
  const health = createHealth();
  const metrics = new Metrics();

  const plane: { control: ControlPlane | null } = { control: null };
  const devices = new DeviceWatch({
    regions: shape.regions.map(({ name, device }) => ({ region: name, wanted: device })),
    allowSoftware: config.allocator.software_devices,
    detect: options.openDevices ?? openDevices,
    clock,
    log,
  });
  const containers = new Containers({
    open: () => openRuntime({ config, clock, random: Math.random, processes: () => socket.processes() }),
    clock,
    log,
    intervalMs: config.allocator.sample_interval,
  });
  const agent = createAgent({
    config,
    shape,
    journal: state.journal,
    key: state.key,
    pageBytes: facts.pageBytes,
    descriptorLimit: descriptors,
    instance: options.instance ?? randomBytes(6).toString('hex'),
    deviceOf: (region) => devices.of(region),
    kernelOf: (container) => containers.kernelOf(container),
    now: () => clock.now(),
    events: {
      leased: (lease) => plane.control?.leased(lease),
      ended: (lease, reason, lingeringBytes) => plane.control?.ended(lease, reason, lingeringBytes),
      granted: (lease, to) => plane.control?.granted(lease, to),
      letGo: (session, segment, reason) => socket.letGo(session, segment, reason),
    },
  });
  const socket = new SocketServer({
    path: config.host.socket,
    exchange: agent.exchange,
    table: agent.table,
    handshakeTimeoutMs: config.allocator.handshake_timeout,
    maximumConnections: config.allocator.max_connections,
    log,
  });
  const control = new ControlPlane({ agent, containers, facts, machine: state.machine, clock, health, log });
  containers.listen({
    changed: (change) => {
      log.info(change, 'container changed');
      control.tell(notices.containerChanged, change);
    },
    // Those that somebody maps end with their sockets; what nobody maps would wait for its time.
    ended: (name) => {
      if (containers.opened?.enforces === true) agent.table.endUnheld(name);
    },
  });
  plane.control = control;
  const agentMetrics = exposeAgent(metrics, agent, socket, () => control.bus);
  control.onSampled = agentMetrics.observeSample;

  const memory: Component = {
    name: 'memory',
    start: () => {
      log.info({ scale: shape.scale, grantableBytes: shape.grantableBytes, descriptors }, 'memory shaped');
      if (state.damage !== null) log.warn({ damage: state.damage }, 'the end of the journal was lost');
      const recovered = recover(state.entries, agent.accounts, clock.now());
      for (const loss of recovered.dropped) log.warn(loss, 'lease dropped');
      for (const [name, bytes] of recovered.budgets) {
        const account = agent.accounts.containers.get(name);
        if (account !== undefined) account.budgetBytes = Math.min(bytes, account.spec.maximumBytes);
      }
      agent.table.budgetEpoch = recovered.epoch;
      agent.kept.continueNumbering(recovered.nextBlock);
      for (const lease of recovered.leases) {
        agent.table.adopt(lease);
        if (lease.mode !== 'kept') continue;
        const blocks = [...recovered.blocks.values()].filter((block) => block.segment === lease.segment);
        const restored = agent.kept.restore(lease, blocks);
        if (restored.ok) continue;
        log.error({ segment: lease.segment, fault: restored.fault }, 'kept segment lost');
        agent.table.end(lease, 'not-returned');
      }
      const strays = state.sweep(new Set(agent.table.leases.keys()));
      if (strays.length > 0) log.warn({ strays }, 'files of unknown segments removed');
      if (recovered.leases.length > 0)
        log.info({ leases: recovered.leases.length }, 'waiting for holders to return their segments');
    },
    stop: () => {
      // Leases that someone holds outlive this process; the journal waits for the next one.
      const empty = agent.table.leases.size === 0;
      if (!empty) log.info({ leases: agent.table.leases.size }, 'leases left for the next agent');
      state.close({ empty });
    },
  };
  const capability: Component = {
    name: 'socket',
    start: () => {
      mkdirSync(dirname(config.host.socket), { recursive: true });
      socket.start();
    },
    stop: () => socket.stop(),
  };
  const graceUntil = clock.monotonic() + config.allocator.return_grace;
  let isGraceOver = false;
  const timers = new AbortController();
  const sweeper: Component = {
    name: 'sweeper',
    start: () => {
      const onError = (error: unknown) => log.error({ err: error }, 'sweep failed');
      clock.every(
        sweepMs,
        () => {
          for (const lease of agent.table.expired()) agent.table.end(lease, 'expiry');
          if (!isGraceOver && clock.monotonic() >= graceUntil) {
            isGraceOver = true;
            agent.table.endOfGrace();
          }
          control.applyBudgets();
        },
        { signal: timers.signal, onError },
      );
    },
    drain: () => timers.abort(),
  };
  const http = createHttpServer({
    port: config.allocator.port,
    host: config.allocator.bind,
    metrics,
    health,
    log,
    portKey: 'allocator.port',
  });

  const app = createApp({
    name: 'allocator',
    components: [
      memory,
      capability,
      devices.component,
      sweeper,
      containers.component,
      http,
      control.connection,
      control.serving,
      control.observing,
    ],
    log,
    health,
    metrics,
    clock,
  });
  control.onFatal = (fault) => app.fail('presence', new NautilusError(fault));
  return { app, agent, port: () => http.port, bus: () => control.bus };
}
