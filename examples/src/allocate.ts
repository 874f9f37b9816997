/** The shortest useful container: a mebibyte of shared memory, written in place. */
import { connect } from '@nautilus/client';

await using client = await connect({
  container: process.env['NAUTILUS_CONTAINER'] ?? 'sandbox',
  host: process.env['NAUTILUS_HOST__ID'] ?? 'h1',
});
const block = await client.pool('temporary').allocate(1024 ** 2);
block.view().fill(42);
process.stdout.write(`${block.length} bytes at ${block.offset} of segment ${block.segment}\n`);
block.free();
