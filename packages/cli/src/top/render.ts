/** The screen of `nautilus top` as lines: never more than the terminal has, whatever its size. Pure. */
import { type AgentSample, type AlertBody, formatBytes } from '@nautilus/contracts';
import { type Colours, tierColour } from '../terminal/colour.ts';
import { sparkline } from '../terminal/sparkline.ts';
import { printable } from '../terminal/table.ts';
import { staleMs } from '../up/status.ts';
import { pastOf, type Row, shownRows } from './rows.ts';
import { type TopState, views } from './state.ts';

export interface TopPicture {
  readonly state: TopState;
  readonly host: string;
  /** Oldest first. */
  readonly samples: readonly AgentSample[];
  /** Null: the monitor has not answered, for that reason. */
  readonly alerts: readonly AlertBody[] | { readonly missing: string };
  /** Unix milliseconds. */
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly colours: Colours;
}

type Paint = (text: string) => string;
interface Line {
  readonly text: string;
  readonly paint?: Paint;
}

const mostAlertLines = 3;
const help = [
  'Tab, 1 2 3   containers, pools, regions',
  's            sort by use, leased bytes, name',
  '/            filter by a part of the name; Esc takes it away',
  'Up Down j k  choose a row',
  'Enter        the row alone; q or Esc goes back',
  'q, Ctrl-C    end',
];

export function renderTop(picture: TopPicture): string {
  const { state, samples, now, columns, rows, colours, host } = picture;
  const sample = samples.at(-1);
  const age = sample === undefined ? null : now - sample.at;
  const head: Line = {
    text: `nautilus top · ${host} · ${new Date(now).toISOString().slice(11, 19)} UTC${sample === undefined ? '' : ` · ${sample.segments.live} segments`}`,
    paint: colours.bold,
  };
  const lines: Line[] = [head];
  if (sample === undefined || age === null || age > staleMs) {
    lines.push({
      text:
        age === null
          ? 'waiting for the first sample of the agent …'
          : `no sample of the agent for ${Math.round(age / 1000)} s: figures are not shown`,
      paint: colours.yellow,
    });
  } else {
    lines.push(...summary(picture, sample));
    const foot = [...alertLines(picture), footer(state, colours)];
    const room = rows - lines.length - foot.length;
    const body = state.isHelp
      ? help.map((text) => ({ text }))
      : state.opened === null
        ? table(picture, sample, room)
        : detail(picture, sample, state.opened);
    lines.push(...body.slice(0, Math.max(0, room)));
    while (lines.length < rows - foot.length) lines.push({ text: '' });
    lines.push(...foot);
  }
  return lines
    .slice(0, rows)
    .map(({ text, paint }) => {
      const clean = printable(text);
      const cut = clean.length > columns ? `${clean.slice(0, columns - 1)}…` : clean;
      return paint === undefined ? cut : paint(cut);
    })
    .join('\n');
}

function summary({ samples, columns }: TopPicture, sample: AgentSample): Line[] {
  const { memory, capacity } = sample;
  const width = Math.max(8, Math.min(60, columns - 52));
  const recent = samples.slice(-width);
  const line = (name: string, used: number, limit: number, past: (number | null)[]) => ({
    text: `${name.padEnd(7)} ${percent(used, limit)} ${formatBytes(used).padStart(8)} of ${formatBytes(limit).padEnd(8)} ${sparkline(past, 1)}`,
  });
  const share = (used: number, limit: number) => (limit > 0 ? used / limit : null);
  const held = capacity.leasedBytes + capacity.lingeringBytes;
  const stall = recent.map((now, at) => stallOf(recent[at - 1], now));
  const last = stall.at(-1) ?? null;
  return [
    line(
      'memory',
      memory.totalBytes - memory.availableBytes,
      memory.totalBytes,
      recent.map(({ memory: m }) => share(m.totalBytes - m.availableBytes, m.totalBytes)),
    ),
    line(
      'leases',
      held,
      capacity.grantableBytes,
      recent.map(({ capacity: c }) => share(c.leasedBytes + c.lingeringBytes, c.grantableBytes)),
    ),
    {
      text:
        memory.psiSomeTotalUs === null
          ? 'stalled  not measured on this machine'
          : `stalled ${last === null ? '   –' : `${(last * 100).toFixed(1)}%`} of the time`.padEnd(34) +
            sparkline(stall, 0.2),
    },
    { text: '' },
  ];
}

/** Share of the time between two samples in which some task waited for memory; null where it is not known. */
export function stallOf(before: AgentSample | undefined, now: AgentSample): number | null {
  const from = before?.memory.psiSomeTotalUs ?? null;
  const to = now.memory.psiSomeTotalUs;
  if (before === undefined || from === null || to === null || now.at <= before.at || to < from) return null;
  return Math.min(1, (to - from) / 1000 / (now.at - before.at));
}

const percent = (used: number, limit: number) =>
  `${String(limit > 0 ? Math.round((used / limit) * 100) : 0).padStart(3)}%`;

function table(picture: TopPicture, sample: AgentSample, room: number): Line[] {
  const { state, samples, columns, colours } = picture;
  const rows = shownRows(sample, state);
  const selected = Math.min(state.selected, rows.length - 1);
  const visible = Math.max(1, room - 1);
  const first = Math.max(0, Math.min(selected - Math.floor(visible / 2), rows.length - visible));
  const tail = columns >= 96 ? columns - 74 : 0;
  const spark = Math.max(8, Math.min(40, columns - 66 - tail + (tail > 0 ? 8 : 0)));
  const title = `${state.view.toUpperCase().padEnd(22)}  USE   LEASED       OF   ${'PAST'.padEnd(spark)} NOTE`;
  if (rows.length === 0)
    return [{ text: title, paint: colours.dim }, { text: `no name has "${state.filter}" in it` }];
  return [
    { text: title, paint: colours.dim },
    ...rows.slice(first, first + visible).map((row, at) => {
      const past = sparkline(pastOf(samples.slice(-spark), state.view, row.name), 1).padStart(spark);
      const text = `${rowText(row)} ${past} ${row.note}`;
      if (first + at === selected) return { text: text.padEnd(columns), paint: colours.inverse };
      const share = row.limitBytes > 0 ? row.usedBytes / row.limitBytes : 0;
      return share >= 0.9
        ? { text, paint: colours.red }
        : share >= 0.8
          ? { text, paint: colours.yellow }
          : { text };
    }),
  ];
}

function rowText({ name, usedBytes, limitBytes }: Row): string {
  const shown = name.length > 22 ? `${name.slice(0, 21)}…` : name.padEnd(22);
  return `${shown} ${percent(usedBytes, limitBytes)} ${formatBytes(usedBytes).padStart(8)} ${formatBytes(limitBytes).padStart(8)}  `;
}

function detail({ state, samples, columns, colours }: TopPicture, sample: AgentSample, name: string): Line[] {
  const row = shownRows(sample, { ...state, filter: '' }).find((one) => one.name === name);
  if (row === undefined) return [{ text: `${name} is gone` }];
  const container =
    state.view === 'containers' ? sample.containers.find((one) => one.name === name) : undefined;
  const pool = state.view === 'pools' ? sample.pools.find((one) => one.name === name) : undefined;
  const region = state.view === 'regions' ? sample.regions.find((one) => one.name === name) : undefined;
  const facts: [string, string][] = [
    ['leased', `${formatBytes(row.usedBytes)} of ${formatBytes(row.limitBytes)}`],
    ...(container === undefined
      ? []
      : ([
          ['live blocks', formatBytes(container.liveBytes)],
          ['leases', String(container.leases)],
          [
            'configured',
            `${formatBytes(container.spec.minimumBytes)} to ${formatBytes(container.spec.maximumBytes)}, ${container.spec.priority}, ${container.spec.policy}`,
          ],
          [
            'kernel',
            container.kernel === undefined
              ? 'no runtime knows it'
              : container.kernel.usageBytes === null
                ? 'use not known'
                : `${formatBytes(container.kernel.usageBytes)} used`,
          ],
          ['why', `nautilus explain ${name}`],
        ] as [string, string][])),
    ...(pool === undefined
      ? []
      : ([
          ['live blocks', formatBytes(pool.liveBytes)],
          ['region', pool.region],
          ['picture', `nautilus map ${name}`],
        ] as [string, string][])),
    ...(region?.device?.reason == null ? [] : ([['device', region.device.reason]] as [string, string][])),
  ];
  const width = Math.max(10, columns - 2);
  return [
    { text: name, paint: colours.bold },
    ...facts.map(([label, text]) => ({ text: `  ${label.padEnd(12)} ${text}` })),
    { text: '' },
    { text: `  ${sparkline(pastOf(samples.slice(-(width - 2)), state.view, name), 1)}`, paint: colours.cyan },
    { text: `  share of its limit, a column a sample, newest on the right`, paint: colours.dim },
  ];
}

function alertLines({ alerts, colours }: TopPicture): Line[] {
  if ('missing' in alerts) return [{ text: `alerts not known: ${alerts.missing}`, paint: colours.yellow }];
  if (alerts.length === 0) return [{ text: 'no alerts', paint: colours.dim }];
  const rank = { emergency: 0, critical: 1, warning: 2, info: 3 } as const;
  const sorted = alerts.toSorted((a, b) => rank[a.tier] - rank[b.tier] || b.at - a.at);
  const more = sorted.length - mostAlertLines;
  return [
    ...sorted.slice(0, mostAlertLines).map(({ tier, scope, text }) => ({
      text: `${tier.toUpperCase()} ${scope.kind} ${scope.name}: ${text}`,
      paint: tierColour(colours, tier),
    })),
    ...(more > 0 ? [{ text: `and ${more} more: nautilus alerts` }] : []),
  ];
}

function footer(state: TopState, colours: Colours): Line {
  if (state.isTyping) return { text: `filter: ${state.filter}_`, paint: colours.inverse };
  const tabs = views
    .map((view, at) => (view === state.view ? `[${at + 1} ${view}]` : ` ${at + 1} ${view} `))
    .join('');
  return {
    text: `${tabs}  sort: ${state.sort}${state.filter === '' ? '' : `  filter: ${state.filter}`}  ? help  q end`,
    paint: colours.dim,
  };
}
