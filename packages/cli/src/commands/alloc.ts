/** `nautilus alloc POOL SIZE`: a block that the agent keeps, as any client that speaks NATS can have one. */
import { exchanges, formatBytes } from '@nautilus/contracts';
import { asOption, containerOf } from '../connection/container-option.ts';
import { withBus } from '../connection/open-bus.ts';
import { bytesOf } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';

export const allocCommand: Command = {
  name: 'alloc',
  summary: 'Allocates a block by hand.',
  details: [
    'The agent keeps it until `nautilus free`, or until the container asked for nothing during allocator.kept_ttl.',
  ],
  positionals: [
    { name: 'POOL', summary: 'Pool of the configuration.' },
    { name: 'SIZE', summary: 'Bytes, such as 4096 or 2MiB.' },
  ],
  options: [asOption, { name: 'align', value: 'BYTES', summary: 'Alignment, from 1 to 65536.' }],
  examples: [
    { line: 'alloc temporary 64KiB --as portfolio', says: 'Prints the block with its segment and offset.' },
  ],
  connects: true,
  run: async (call) => {
    const party = containerOf(call);
    const body = {
      pool: call.positional('POOL'),
      bytes: bytesOf('SIZE', call.positional('SIZE')),
      ...(call.text('align') === null
        ? {}
        : { alignmentBytes: call.whole('align', { least: 1, most: 65_536, usual: 1 }) }),
    };
    return withBus(
      call,
      async (bus) => {
        const block = await call.wait(
          'asking the agent',
          bus.request(exchanges.allocateBlock, { host: call.host, party }, body),
        );
        call.answer(
          block,
          () =>
            `${call.colours.bold(block.block)}  ${formatBytes(block.length)} at ${block.offset} of segment ${block.segment}\ngive it back: nautilus free ${block.block} --as ${party}`,
        );
        return exitCodes.done.code;
      },
      party,
    );
  },
};
