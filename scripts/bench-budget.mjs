/** `npm run bench:budget -- --data FILE [--json]`: the limit policy against its peers on recorded containers. */
import { benchOverData } from './setup/bench-over-data.mjs';

await benchOverData('budget');
