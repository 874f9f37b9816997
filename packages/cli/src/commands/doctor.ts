/** `nautilus doctor`: what this machine has, what it lacks, and what mends it. */
import { findingsOf, renderFindings } from '../doctor/findings.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Says what this machine has, what is missing, why, and what to type.',
  examples: [
    { line: 'doctor', says: 'A line for everything that was looked for.' },
    { line: 'doctor --json', says: 'The same as one JSON array.' },
  ],
  connects: false,
  run: async (call) => {
    // Only here is the addon loaded: help and completion must work where it is not built.
    const { findMachine } = await import('../doctor/doctor.ts');
    const findings = findingsOf(findMachine());
    call.answer(findings, () => renderFindings(findings));
    // A machine without a GPU is no failure.
    return exitCodes.done.code;
  },
};
