/** `npm run bench:alerts`: the alert ladders on recorded containers. A missed goal is said, and ends with code 1. */
import { runProgram } from '../series/program.ts';
import { runAlerts } from './run.ts';

process.exitCode = runProgram('bench:alerts', process.argv.slice(2), runAlerts);
