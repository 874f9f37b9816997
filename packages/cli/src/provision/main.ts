/** The first container of the stack: makes what identities are missing, and ends. */
import { runProvision } from './command.ts';

const { exitCode, text } = runProvision(process.argv.slice(2), process.env, process.cwd());
(exitCode === 0 ? process.stdout : process.stderr).write(text);
process.exitCode = exitCode;
