/** The logger is handed in; its shape is pino's, so that a service passes its own. */
export interface BusLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: BusLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The same logger with fields that every line carries. */
export function childLog(log: BusLog, bindings: object): BusLog {
  return {
    debug: (fields, message) => log.debug({ ...bindings, ...fields }, message),
    info: (fields, message) => log.info({ ...bindings, ...fields }, message),
    warn: (fields, message) => log.warn({ ...bindings, ...fields }, message),
    error: (fields, message) => log.error({ ...bindings, ...fields }, message),
  };
}
