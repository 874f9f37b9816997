/** `nautilus free BLOCK`: gives back what `nautilus alloc` got, or lists what there is to give back. */
import { type BlockPlace, exchanges, formatBytes } from '@nautilus/contracts';
import { asOption, containerOf } from '../connection/container-option.ts';
import { withBus } from '../connection/open-bus.ts';
import { refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { renderTable } from '../terminal/table.ts';

export const freeCommand: Command = {
  name: 'free',
  summary: 'Frees a block that was allocated by hand; without a name it lists them.',
  positionals: [{ name: 'BLOCK', summary: 'Its id, such as b-1f.', isOptional: true }],
  options: [asOption],
  examples: [
    { line: 'free --as portfolio', says: 'The blocks that the agent keeps for this container.' },
    { line: 'free b-1f --as portfolio', says: 'Gives this one back.' },
  ],
  connects: true,
  run: async (call) => {
    const party = containerOf(call);
    const block = call.positional('BLOCK');
    if (block !== '' && !/^b-[0-9a-z]{1,32}$/.test(block))
      throw refuse(`BLOCK: found "${block}", must be an id such as b-1f`);
    const at = { host: call.host, party };
    return withBus(
      call,
      async (bus) => {
        if (block !== '') {
          const freed = await bus.request(exchanges.freeBlock, at, { block });
          call.answer(freed, () => `${freed.block}  ${formatBytes(freed.freedBytes)} freed`);
          return exitCodes.done.code;
        }
        const blocks: BlockPlace[] = [];
        let isMore = true;
        while (isMore) {
          const last = blocks.at(-1)?.block;
          const page = await bus.request(
            exchanges.describeBlocks,
            at,
            last === undefined ? {} : { after: last },
          );
          blocks.push(...page.blocks);
          isMore = page.truncated && page.blocks.length > 0;
        }
        call.answer(blocks, () =>
          blocks.length === 0
            ? `the agent keeps no block for ${party}`
            : renderTable(
                ['BLOCK', '>BYTES', 'SEGMENT', '>OFFSET'],
                blocks.map((one) => [one.block, String(one.length), one.segment, String(one.offset)]),
              ),
        );
        return exitCodes.done.code;
      },
      party,
    );
  },
};
