/** What a person sees while the system runs: a picture that is redrawn on a terminal, a line now and then elsewhere. */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '@nautilus/contracts';
import type { Stack } from './stack.ts';
import { renderStatus, type ServiceLine } from './status.ts';

interface Output {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

const redrawMs = 1_000;
const lineMs = 10_000;
const keptMessages = 3;
const enterAlternateScreen = '\u001b[?1049h\u001b[?25l';
const leaveAlternateScreen = '\u001b[?25h\u001b[?1049l';

export class Screen {
  readonly #out: Output;
  readonly #errors: Output;
  readonly #isLive: boolean;
  readonly #messages: string[] = [];
  #isOpen = false;

  constructor(out: Output, errors: Output, options: { isLive: boolean }) {
    this.#out = out;
    this.#errors = errors;
    this.#isLive = options.isLive;
  }

  /** Into the picture while there is one; in a check standard output belongs to the one JSON object. */
  say(text: string): void {
    if (this.#isOpen) this.#messages.push(text);
    else this.#errors.write(`${text}\n`);
  }

  async show(stack: Stack, signal: AbortSignal): Promise<void> {
    if (this.#isLive) {
      this.#isOpen = true;
      this.#out.write(enterAlternateScreen);
    }
    while (!signal.aborted) {
      if (this.#isLive) await this.#draw(stack);
      else this.#line(stack);
      await sleep(this.#isLive ? redrawMs : lineMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** What was said meanwhile goes where it can be read afterwards. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#out.write(leaveAlternateScreen);
    for (const message of this.#messages) this.#errors.write(`${message}\n`);
  }

  async #draw(stack: Stack): Promise<void> {
    const services: ServiceLine[] = await Promise.all(
      stack.rows.map(async (row) => ({ name: row.name, port: row.port, ...(await stack.serviceState(row)) })),
    );
    const text = renderStatus({
      sample: stack.observer.sample,
      now: Date.now(),
      services,
      containers: [...stack.containers].map(([name, child]) => ({
        name,
        isAlive: child.alive,
        remark: remarkOf(stack, name),
      })),
      alerts: [...stack.observer.raised.values()],
      notes: [
        `NATS ${stack.url}${stack.enforcesIdentity ? '' : ' (identities are not enforced)'}`,
        `join: ${stack.guestCommand}`,
      ],
      messages: this.#messages.slice(-keptMessages),
      columns: this.#out.columns ?? 80,
      rows: this.#out.rows ?? 24,
    });
    // Home, each line with its rest cleared, then everything below; no newline at the end, which would scroll.
    if (this.#isOpen) this.#out.write(`\u001b[H${text.replaceAll('\n', '\u001b[K\r\n')}\u001b[K\u001b[J`);
  }

  #line(stack: Stack): void {
    const { sample, raised } = stack.observer;
    if (sample === null) return;
    const { leasedBytes, grantableBytes } = sample.capacity;
    this.#out.write(
      `${new Date(sample.at).toISOString()} leased ${formatBytes(leasedBytes)} of ${formatBytes(grantableBytes)}, ` +
        `${sample.segments.live} segments, ${sample.counters.allocations} allocations, ${raised.size} alerts\n`,
    );
  }
}

function remarkOf(stack: Stack, container: string): string {
  const line = stack.observer.progress(container);
  if (typeof line?.['framesVerified'] === 'number') return `${line['framesVerified']} frames read in place`;
  if (typeof line?.['framesPublished'] === 'number') return `${line['framesPublished']} frames published`;
  return '';
}
