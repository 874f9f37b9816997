/** `npm run bench:leaks -- --data FILE [--json]`: leak verdicts on recorded containers, and on leaks put into them. */
import { benchOverData } from './setup/bench-over-data.mjs';

await benchOverData('leaks');
