/** Maintenance as a process: `--config FILE`, else NAUTILUS_CONFIG, else ./nautilus.yaml if there is one. */
import { parseArgs } from 'node:util';
import { configSchema } from '@nautilus/contracts';
import { createLogger, loadConfig, runApp } from '@nautilus/kit';
import { createMaintenance } from './app.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
const file = values.config ?? process.env['NAUTILUS_CONFIG'];
const loaded = loadConfig(configSchema, {
  ...(file === undefined ? {} : { file }),
  env: process.env,
  envReserved: ['NAUTILUS_CONFIG'],
});
if (!loaded.ok) {
  process.stderr.write(`${loaded.fault.message}\n`);
  process.exit(2);
}
const { config } = loaded.value;
const log = createLogger({ name: 'maintenance', level: config.log.level });
process.exit(await runApp(createMaintenance({ config, log }).app));
