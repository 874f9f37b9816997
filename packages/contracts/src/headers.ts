/** NATS headers of this system. `Nats-` names are the server's and ADR-32's; ours start with `Nautilus-`. */
export const headerNames = {
  /** Id for logs; echoed in the reply. */
  requestId: 'Nautilus-Request-Id',
  /** Absolute time in Unix milliseconds after which the requester no longer waits. */
  deadline: 'Nautilus-Deadline',
  /** Fencing epoch of the commanding leader: age of the `lease` bucket and revision of its key. */
  epoch: 'Nautilus-Epoch',
  /** Stable error code of errors.ts beside ADR-32's number. */
  errorCode: 'Nautilus-Error-Code',
  /** Stream, sequence, part, parts and length of a copied frame, in this order with spaces between. */
  frame: 'Nautilus-Frame',
  /** W3C trace context, passed through. */
  traceparent: 'traceparent',
  /** ADR-32: text of the error. */
  serviceError: 'Nats-Service-Error',
  /** ADR-32: number of the error. */
  serviceErrorCode: 'Nats-Service-Error-Code',
  /** JetStream de-duplication. */
  messageId: 'Nats-Msg-Id',
} as const;
