/** `nautilus up`: everything on this machine, with the demo, until Ctrl-C or the end of a check. */
import { refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { up } from '../up/up.ts';

export const upCommand: Command = {
  name: 'up',
  summary: 'Starts everything on this machine with a demo; Ctrl-C drains it.',
  details: [
    'NATS_URL=nats://… uses a server that runs already; only the server that up starts itself holds every party to its role.',
  ],
  options: [
    { name: 'check', summary: 'No terminal: run for a while, verify, print one JSON object.' },
    { name: 'seconds', value: 'N', summary: 'How long --check runs, from 5 to 3600; 15.' },
  ],
  examples: [
    {
      line: 'up',
      says: 'Starts NATS, the agent, the services and seven containers; the picture stays until Ctrl-C.',
    },
    { line: 'up --check --seconds 20', says: 'The same as a test of this machine.' },
  ],
  connects: false,
  run: async (call) => {
    const seconds = Number(call.text('seconds') ?? 15);
    if (!Number.isFinite(seconds) || seconds < 5 || seconds > 3600) {
      throw refuse(`--seconds: must be a number from 5 to 3600, found "${call.text('seconds')}"`);
    }
    return up({ check: call.flag('check'), seconds, config: call.text('config') });
  },
};
