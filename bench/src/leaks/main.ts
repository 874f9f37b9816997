/** `npm run bench:leaks`: leak verdicts on recorded containers. A missed goal is said, and ends with code 1. */
import { runProgram } from '../series/program.ts';
import { runLeaks } from './run.ts';

process.exitCode = runProgram('bench:leaks', process.argv.slice(2), runLeaks);
