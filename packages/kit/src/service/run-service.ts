/** A service as a process: configuration, log, app, exit code. What every `main.ts` would otherwise repeat. */
import type { Config } from '@nautilus/contracts';
import type { App } from '../lifecycle/app.ts';
import { runApp } from '../lifecycle/run-app.ts';
import { createLogger, type Logger } from '../log.ts';
import { loadServiceConfig, parentVariable } from './service-config.ts';

/** Ends the process with 2 when the configuration is wrong, else with the exit code of the app. */
export async function runService(
  name: string,
  create: (parts: { config: Config; log: Logger }) => { app: App },
): Promise<never> {
  const config = loadServiceConfig({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() });
  if (!config.ok) {
    process.stderr.write(`${name}: ${config.fault.message}\n`);
    process.exit(2);
  }
  const log = createLogger({ name, level: config.value.log.level });
  let app: App;
  try {
    app = create({ config: config.value, log }).app;
  } catch (error) {
    log.fatal({ err: error }, `${name} could not start`);
    process.exit(1);
  }
  process.exit(await runApp(app, { handleSignals: true, ...endOfParent(process.env) }));
}

/**
 * With `NAUTILUS_STOP_WITH_PARENT=1` the end of standard input stops the service: whoever started it holds the other end,
 * and the kernel closes it however that process ends.
 */
function endOfParent(env: NodeJS.ProcessEnv): { signal: AbortSignal } | Record<string, never> {
  if (env[parentVariable] !== '1') return {};
  const controller = new AbortController();
  process.stdin.once('end', () => controller.abort('the process that started this one is gone'));
  process.stdin.resume();
  return { signal: controller.signal };
}
