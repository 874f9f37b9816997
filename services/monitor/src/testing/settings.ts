/** The settings of the default configuration, for the tests of this service. */
import { configSchema } from '@nautilus/contracts';
import { type WatchSettings, watchSettings } from '../settings.ts';

export const defaultSettings: WatchSettings = watchSettings(
  configSchema.parse({ monitor: { raise_hold: '2s', clear_hold: '10s' } }),
);
