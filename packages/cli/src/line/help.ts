/** Help that teaches, made from the registry: what a command is for, how it is typed, and lines that work. */
import { type Command, type Option, optionsOf } from './command.ts';
import { exitCodes } from './exit-codes.ts';

const leastWidth = 40;

/** `nautilus alloc POOL SIZE [--as CONTAINER] …` */
export function usageOf(command: Command): string {
  const positionals = (command.positionals ?? []).map(({ name, isOptional }) =>
    isOptional === true ? `[${name}]` : name,
  );
  const options = (command.options ?? []).map((option) => `[${spelled(option)}]`);
  return ['nautilus', command.name, ...positionals, ...options].join(' ');
}

export function spelled({ name, short, value }: Option): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

export function renderOverview(commands: readonly Command[], columns: number): string {
  const list = columnsOf(
    commands.map(({ name, summary }) => [name, summary]),
    columns,
  );
  const codes = columnsOf(
    Object.values(exitCodes).map(({ code, summary }) => [String(code), summary]),
    columns,
  );
  return [
    'nautilus — the memory of this host: what it is, who has it, and why',
    '',
    'Usage: nautilus COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    'Commands',
    ...list,
    '',
    'Exit codes',
    ...codes,
    '',
    ...wrap(
      'nautilus COMMAND --help teaches one command. Beside a running `nautilus up` no option is needed: the newest run is found by itself. NO_COLOR is respected.',
      columns,
    ),
  ].join('\n');
}

export function renderHelp(command: Command, columns: number): string {
  const { summary, details = [], positionals = [], examples } = command;
  const sections: string[][] = [
    wrap(summary, columns),
    [`Usage: ${usageOf(command)}`],
    ...details.map((paragraph) => wrap(paragraph, columns)),
    titled(
      'Arguments',
      columnsOf(
        positionals.map((one) => [one.name, withChoices(one)]),
        columns,
      ),
    ),
    titled(
      'Options',
      columnsOf(
        optionsOf(command).map((one) => [spelled(one), withChoices(one)]),
        columns,
      ),
    ),
    titled(
      'Examples',
      examples.flatMap(({ line, says }) => [
        `  nautilus ${line}`,
        ...wrap(says, columns - 6).map((text) => `      ${text}`),
      ]),
    ),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function withChoices({ summary, choices }: { summary: string; choices?: readonly string[] }): string {
  return choices === undefined ? summary : `${summary} One of: ${choices.join(', ')}.`;
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

/** Two columns, the second one wrapped under itself. */
function columnsOf(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const left = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  return rows.flatMap(([name, text]) =>
    wrap(text, Math.max(leastWidth, columns - left - 2)).map(
      (line, at) => `  ${(at === 0 ? name : '').padEnd(left)}${line}`,
    ),
  );
}

export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
