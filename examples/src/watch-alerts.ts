/** Prints the pressure alerts of a host until it is interrupted. */
import { connect } from '@nautilus/client';

const client = await connect({
  container: process.env['NAUTILUS_CONTAINER'] ?? 'sandbox',
  host: process.env['NAUTILUS_HOST__ID'] ?? 'h1',
});
client.onPressure(({ tier, state, text }) => process.stdout.write(`${tier} ${state}: ${text}\n`), {
  minimumTier: 'warning',
});
process.once('SIGINT', () => client.close());
