/** `nautilus completion SHELL`: the script that makes a shell complete commands, options and their values. */

import type { Command } from '../line/command.ts';
import { completionScript, shells } from '../line/completion.ts';
import { exitCodes } from '../line/exit-codes.ts';

export function completionCommand(others: readonly Command[]): Command {
  const command: Command = {
    name: 'completion',
    summary: 'Prints the script that makes a shell complete this command.',
    positionals: [{ name: 'SHELL', summary: 'Which shell.', choices: shells }],
    examples: [
      { line: 'completion bash > ~/.local/share/bash-completion/completions/nautilus', says: 'For bash.' },
      {
        line: 'completion zsh > ~/.zfunc/_nautilus',
        says: 'For zsh, with ~/.zfunc in fpath before compinit.',
      },
      { line: 'completion fish > ~/.config/fish/completions/nautilus.fish', says: 'For fish.' },
    ],
    connects: false,
    run: async (call) => {
      const script = completionScript(call.positional('SHELL'), [...others, command]);
      if (call.json) call.print(JSON.stringify({ shell: call.positional('SHELL'), script }));
      else call.surroundings.stdout.write(script);
      return exitCodes.done.code;
    },
  };
  return command;
}
