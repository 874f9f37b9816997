/** `nautilus identity`: who may speak to NATS, each with a key of its own and the permissions of its role. */
import { resolve } from 'node:path';
import { isToken, type RoleName, roles } from '@nautilus/contracts';
import { addIdentity, readIdentities } from '../identity/directory.ts';
import { refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { readConfig } from '../run-config.ts';
import { renderTable } from '../terminal/table.ts';

export const identityCommand: Command = {
  name: 'identity',
  summary: 'Makes a key for a container, service or person, with the permissions of its role.',
  details: [
    'The seed goes into DIR/NAME.nk, which only you can read; DIR/nats.conf lets each party say and hear what its role may, and nothing else. The server checks it with `nats-server -t` before it replaces the old one.',
  ],
  positionals: [
    { name: 'ACTION', summary: 'What to do.', choices: ['add', 'list'] },
    {
      name: 'NAME',
      summary: 'With add: the container, or the service that the role is named after.',
      isOptional: true,
    },
  ],
  options: [
    {
      name: 'role',
      value: 'ROLE',
      summary: 'Whose permissions it gets; container.',
      choices: Object.keys(roles),
    },
    { name: 'dir', value: 'DIR', summary: 'Directory of the identities; ./identities.' },
    {
      name: 'host',
      value: 'NAME',
      summary: 'Host that the permissions name; else that of the configuration.',
    },
  ],
  examples: [
    {
      line: 'identity add order-gateway',
      says: 'A container: it may ask in its own name, and in nobody else’s.',
    },
    { line: 'identity add operator --role operator', says: 'A person, for the commands of this page.' },
    { line: 'identity list', says: 'Who is known, with the public halves.' },
  ],
  connects: false,
  run: async (call) => {
    const directory = resolve(call.surroundings.cwd, call.text('dir') ?? 'identities');
    const name = call.positional('NAME');
    if (call.positional('ACTION') === 'list') {
      if (name !== '') throw refuse('identity list takes no name');
      const identities = readIdentities(directory);
      call.answer(identities, () =>
        identities.length === 0
          ? `nobody yet in ${directory}`
          : renderTable(
              ['NAME', 'ROLE', 'HOST', 'PUBLIC KEY'],
              identities.map((one) => [one.name, one.role, one.host, one.nkey]),
            ),
      );
      return exitCodes.done.code;
    }
    if (!isToken(name))
      throw refuse(`NAME: found "${name}", must be lower-case letters, digits and single "-" (at most 63)`);
    const host = call.text('host') ?? readConfig(call.text('config'), call.surroundings).config.host.id;
    if (!isToken(host))
      throw refuse(`--host: found "${host}", must be lower-case letters, digits and single "-" (at most 63)`);
    const role = (call.text('role') ?? 'container') as RoleName;
    const added = addIdentity(directory, { name, role, host });
    call.answer(added, () =>
      [
        `${call.colours.bold(name)} is a ${role} of ${host}: ${added.identity.nkey}`,
        `seed    ${added.seedFile} (keep it secret)`,
        `server  ${added.serverConfig}${added.notChecked === null ? ', found right by nats-server -t' : ''}`,
        ...(added.notChecked === null ? [] : [call.colours.yellow(`not checked: ${added.notChecked}`)]),
        'a running server takes it with: nats-server --signal reload',
      ].join('\n'),
    );
    return exitCodes.done.code;
  },
};
