/** `npm run bench:forecast -- --data FILE [--json]`: forecasts of the peak on recorded containers. */
import { benchOverData } from './setup/bench-over-data.mjs';

await benchOverData('forecast');
