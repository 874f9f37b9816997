/** The language everyone speaks. */

export * from './capability.ts';
export * from './config/memory.ts';
export * from './config/scale.ts';
export * from './config/schema.ts';
export * from './errors.ts';
export * from './headers.ts';
export * from './metrics.ts';
export * from './names.ts';
export * from './requests/block.ts';
export * from './requests/channel.ts';
export * from './requests/command.ts';
export * from './requests/history.ts';
export * from './requests/segment.ts';
export * from './requests/service.ts';
export * from './result.ts';
export * from './roles.ts';
export * from './state/alert.ts';
export * from './state/buckets.ts';
export * from './state/event.ts';
export * from './state/observed.ts';
export * from './state/plan.ts';
export * from './state/sample.ts';
export * from './subject.ts';
export * from './tables.ts';
export * from './units.ts';
export * from './values.ts';
