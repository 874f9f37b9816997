/** `npm run bench:budget`: the limit policy against its peers. A missed goal is said, and ends with code 1. */
import { runProgram } from '../series/program.ts';
import { runBudget } from './run.ts';

process.exitCode = runProgram('bench:budget', process.argv.slice(2), runBudget);
