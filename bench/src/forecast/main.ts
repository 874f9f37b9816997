/** `npm run bench:forecast`: forecasts of the peak on recorded containers. A missed goal is said, and ends with code 1. */
import { runProgram } from '../series/program.ts';
import { runForecast } from './run.ts';

process.exitCode = runProgram('bench:forecast', process.argv.slice(2), runForecast);
