/** In whose name a container's request is made: NATS lets a seed speak for its own container only. */
import { isToken } from '@nautilus/contracts';
import { type Call, refuse } from '../line/call.ts';
import type { Option } from '../line/command.ts';

export const asOption: Option = {
  name: 'as',
  value: 'CONTAINER',
  summary: 'Container in whose name it is asked; else $NAUTILUS_CONTAINER. Its seed is needed.',
};

export function containerOf(call: Call): string {
  const name = call.text('as') ?? call.surroundings.env['NAUTILUS_CONTAINER'] ?? '';
  if (name === '') throw refuse('--as is missing: memory is allocated in the name of a container');
  if (!isToken(name))
    throw refuse(`--as: found "${name}", must be lower-case letters, digits and single "-"`);
  return name;
}
