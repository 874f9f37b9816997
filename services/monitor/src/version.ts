/** What the monitor calls itself towards NATS; the same as in its package.json, which a test holds. */
export const version = '0.1.0';
