/** What tests of every package share about NATS: a real server, started and broken at will. */
export { type NatsServer, type NatsServerOptions, startNats } from './nats-server.ts';
