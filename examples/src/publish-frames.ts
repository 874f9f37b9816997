/** The README's third program: a channel whose readers see the publisher's memory, and no message in between. */
import { connect } from '@nautilus/client';

await using client = await connect({
  container: process.env['NAUTILUS_CONTAINER'] ?? 'portfolio',
  host: process.env['NAUTILUS_HOST__ID'] ?? 'h1',
});
await using quotes = await client.publish('quotes', { readers: ['risk-engine'], frameBytes: 4096 });
const frame = quotes.loan();
frame?.bytes.fill(1);
if (frame !== null) quotes.publish(frame, 4096);
process.stdout.write(`${quotes.stats().published} frame published in place\n`);
