#!/usr/bin/env node
/** `nautilus`: the command. Today it knows `up` and `doctor`. */
import { parseArguments, usage } from './arguments.ts';
import { doctor } from './doctor/doctor.ts';
import { up } from './up/up.ts';

const parsed = parseArguments(process.argv.slice(2));
if (typeof parsed === 'string') {
  process.stderr.write(`${parsed}\n\n${usage}`);
  process.exit(2);
}
if (parsed.help) {
  process.stdout.write(usage);
  process.exit(0);
}
process.exit(parsed.command === 'doctor' ? doctor(parsed) : await up(parsed));
