/** Completion scripts, made from the registry: a new command or option is completed without another line. */
import { type Command, optionsOf } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export function completionScript(shell: string, commands: readonly Command[]): string {
  if (shell === 'zsh')
    return `#compdef nautilus\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
  return shell === 'fish' ? fish(commands) : bash(commands);
}

/** Words that may stand behind a command: options, and the choices of its arguments. */
function wordsOf(command: Command): string[] {
  const choices = (command.positionals ?? []).flatMap((positional) => positional.choices ?? []);
  return [...choices, ...optionsOf(command).map(({ name }) => `--${name}`)];
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** `|`-joined options of all commands whose value is one of few, with those. */
function valueRows(commands: readonly Command[]): [string, string][] {
  const rows = new Map<string, readonly string[]>();
  for (const { name, choices } of commands.flatMap(optionsOf))
    if (choices !== undefined) rows.set(name, choices);
  return [...rows].map(([name, choices]) => [`--${name}`, choices.join(' ')]);
}

function bash(commands: readonly Command[]): string {
  const files = [
    ...new Set(
      commands
        .flatMap(optionsOf)
        .filter(({ value }) => value === 'FILE')
        .map(({ name }) => `--${name}`),
    ),
  ];
  return [
    '_nautilus() {',
    `  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"`,
    '  case "$before" in',
    ...valueRows(commands).map(
      ([name, words]) => `    ${name}) COMPREPLY=($(compgen -W ${quoted(words)} -- "$word")); return ;;`,
    ),
    `    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$word")); return ;;`,
    '  esac',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$word")); return`,
    '  fi',
    `  case "\${COMP_WORDS[1]}" in`,
    ...commands.map(
      (command) =>
        `    ${command.name}) COMPREPLY=($(compgen -W ${quoted(wordsOf(command).join(' '))} -- "$word")) ;;`,
    ),
    '  esac',
    '}',
    'complete -F _nautilus nautilus',
    '',
  ].join('\n');
}

function fish(commands: readonly Command[]): string {
  const escaped = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return [
    'complete -c nautilus -f',
    ...commands.flatMap((command) => {
      const within = `-n '__fish_seen_subcommand_from ${command.name}'`;
      const choices = (command.positionals ?? []).flatMap((positional) => positional.choices ?? []);
      return [
        `complete -c nautilus -n __fish_use_subcommand -a ${command.name} -d ${escaped(command.summary)}`,
        ...(choices.length === 0 ? [] : [`complete -c nautilus ${within} -a ${escaped(choices.join(' '))}`]),
        ...optionsOf(command).map(({ name, short, value, choices: values, summary }) => {
          const takes =
            value === undefined
              ? ''
              : values !== undefined
                ? ` -x -a ${escaped(values.join(' '))}`
                : value === 'FILE'
                  ? ' -r -F'
                  : ' -x';
          return `complete -c nautilus ${within} -l ${name}${short === undefined ? '' : ` -s ${short}`}${takes} -d ${escaped(summary)}`;
        }),
      ];
    }),
    '',
  ].join('\n');
}
