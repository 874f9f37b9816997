/** The server launcher lives beside the bus, whose own tests need it; system tests take it from here. */
export { type NatsServer, type NatsServerOptions, startNats } from '@nautilus/bus/testing';
