/** `npm run bench:alerts -- --data FILE [--json]`: the alert ladders on recorded containers. */
import { benchOverData } from './setup/bench-over-data.mjs';

await benchOverData('alerts');
