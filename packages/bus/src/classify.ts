/**
 * Every error of the NATS client as one of our codes. The client says the same thing in different ways (a request
 * without responders is wrapped, a gather without responders is not), so nobody else looks at its classes.
 */
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { type ErrorCode, NautilusError } from '@nautilus/contracts';

/** Insufficient storage of the server, of the account, or of the stream (nats-server errors.json). */
const storageErrors: ReadonlySet<number> = new Set([10023, 10028, 10047, 10077]);

export function classify(error: unknown, subject: string): NautilusError {
  if (error instanceof NautilusError) return error;
  const [code, message] = judge(error, subject);
  return new NautilusError({ code, message, details: { subject } }, { cause: error });
}

function judge(error: unknown, subject: string): readonly [ErrorCode, string] {
  if (error instanceof errors.RequestError) {
    if (error.isNoResponders()) return ['unavailable', `nobody answers on ${subject}`];
    if (error.cause instanceof Error) return judge(error.cause, subject);
    return ['unavailable', `the request to ${subject} was cut off: ${error.message}`];
  }
  if (error instanceof errors.NoRespondersError) return ['unavailable', `nobody answers on ${subject}`];
  if (error instanceof errors.TimeoutError) return ['timeout', `no answer on ${subject} in time`];
  if (error instanceof errors.PermissionViolationError)
    return ['permission_denied', `NATS permissions refuse the ${error.operation} of ${error.subject}`];
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return ['permission_denied', `NATS refuses the credentials: ${error.message}`];
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError)
    return ['draining', `the bus is closed, ${subject} was not reached`];
  if (error instanceof errors.InvalidArgumentError && error.message.includes('max_payload'))
    return ['message_too_large', `the message to ${subject} is larger than the NATS server takes`];
  if (error instanceof JetStreamApiError) return judgeJetStream(error, subject);
  if (error instanceof Error) {
    // The client's class for it is not exported. It means: no stream has this subject, or JetStream is off.
    if (error.name === 'JetStreamNotEnabled')
      return ['unavailable', `no stream takes ${subject}, or JetStream is off`];
    if (error.name === 'JetStreamStatusError')
      return ['unavailable', `JetStream cannot answer on ${subject}: ${error.message}`];
    if (error.name === 'AbortError') return ['cancelled', `the caller cancelled ${subject}`];
    return ['internal', `${subject}: ${error.message}`];
  }
  return ['internal', `${subject}: ${String(error)}`];
}

function judgeJetStream(error: JetStreamApiError, subject: string): readonly [ErrorCode, string] {
  switch (error.code) {
    case JetStreamApiCodes.StreamWrongLastSequence:
    case JetStreamApiCodes.StreamWrongLastSequenceUnknown:
      return ['conflict', `${subject} was changed by someone else: ${error.message}`];
    case JetStreamApiCodes.StreamNotFound:
    case JetStreamApiCodes.ConsumerNotFound:
    case JetStreamApiCodes.JetStreamNotEnabledForAccount:
      return ['unavailable', `${subject}: ${error.message}`];
    default:
      if (storageErrors.has(error.code))
        return ['storage_full', `JetStream has no room for ${subject}: ${error.message}`];
      return ['internal', `JetStream refuses ${subject}: ${error.message} (${error.code})`];
  }
}

/** True when the bucket or stream is gone: it was never made, or the server lost its store. */
export function isMissing(error: unknown): boolean {
  if (error instanceof NautilusError) return error.cause !== undefined && isMissing(error.cause);
  if (error instanceof errors.RequestError) return error.isNoResponders();
  if (error instanceof JetStreamApiError) return error.code === JetStreamApiCodes.StreamNotFound;
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}
