/**
 * Every error code that crosses a boundary, once. The number is the class that ADR-32 service clients read in
 * `Nats-Service-Error-Code`; it follows HTTP. `retry` says whether the same request can succeed later unchanged.
 */
export const errorTable = {
  invalid_request: {
    status: 400,
    retry: false,
    summary: 'The request does not match its contract; the message names the field.',
  },
  message_too_large: { status: 413, retry: false, summary: 'The message is larger than the subject allows.' },
  wrong_identity: { status: 403, retry: false, summary: 'A container asked in the name of another one.' },
  permission_denied: {
    status: 403,
    retry: false,
    summary: 'NATS permissions or a missing grant refuse this.',
  },
  unknown_container: {
    status: 404,
    retry: false,
    summary: 'No container of that name is configured or known on this host.',
  },
  unknown_pool: { status: 404, retry: false, summary: 'No pool of that name is configured on this host.' },
  unknown_segment: {
    status: 404,
    retry: false,
    summary: 'No segment of that id is leased here, or it is not yours.',
  },
  unknown_block: {
    status: 404,
    retry: false,
    summary: 'No live block of that id: never allocated, or already freed.',
  },
  unknown_channel: {
    status: 404,
    retry: false,
    summary: 'No channel of that name is published there, or it is not for the asking container.',
  },
  unknown_host: { status: 404, retry: false, summary: 'Nothing was heard of a host of that name.' },
  unknown_job: { status: 404, retry: false, summary: 'No maintenance job of that name is registered.' },
  already_released: { status: 410, retry: false, summary: 'The lease had ended before this request.' },
  not_mapped: {
    status: 409,
    retry: true,
    summary: 'The owner has not mapped the segment yet, so it cannot be granted.',
  },
  invalid_size: {
    status: 422,
    retry: false,
    summary: 'The size is zero, negative, not an integer or beyond what a segment may have.',
  },
  over_budget: {
    status: 422,
    retry: true,
    summary: 'The container, pool, region or host budget is too small; says asked, granted, available.',
  },
  does_not_fit: {
    status: 422,
    retry: true,
    summary: 'There are enough free bytes, but no free range of that size and alignment.',
  },
  out_of_memory: { status: 507, retry: true, summary: 'The operating system refused the memory.' },
  storage_full: {
    status: 507,
    retry: true,
    summary: 'The disk or shared-memory filesystem is full; nothing was leased.',
  },
  descriptors_exhausted: { status: 507, retry: true, summary: 'The process has no file descriptors left.' },
  ticket_unknown: {
    status: 404,
    retry: false,
    summary: 'The ticket was never issued, or it was issued before the agent restarted.',
  },
  ticket_used: {
    status: 410,
    retry: false,
    summary: 'The ticket was exchanged already; it is good for one exchange.',
  },
  ticket_expired: {
    status: 410,
    retry: false,
    summary: 'The ticket is older than its lifetime; ask for the segment again.',
  },
  ticket_foreign: { status: 403, retry: false, summary: 'The ticket belongs to another container.' },
  protocol_violation: {
    status: 400,
    retry: false,
    summary: "The socket's peer sent something that is not the protocol.",
  },
  host_taken: { status: 409, retry: false, summary: 'Another agent already serves this host.' },
  stale_epoch: {
    status: 409,
    retry: false,
    summary: 'The command carries a fencing epoch smaller than one already seen.',
  },
  conflict: {
    status: 409,
    retry: true,
    summary: 'Someone else changed the same key; read again and decide again.',
  },
  lease_lost: { status: 409, retry: true, summary: 'Leadership ended before the work was done.' },
  not_leader: { status: 503, retry: true, summary: 'This instance waits; another one leads.' },
  overloaded: { status: 503, retry: true, summary: 'The queue in front of this endpoint is full.' },
  draining: { status: 503, retry: true, summary: 'The service is shutting down.' },
  not_ready: { status: 503, retry: true, summary: 'The service has not got what it needs yet.' },
  unavailable: { status: 503, retry: true, summary: 'Nobody answers on that subject.' },
  timeout: { status: 504, retry: true, summary: 'No answer before the deadline.' },
  deadline_exceeded: {
    status: 504,
    retry: true,
    summary: 'The requester had already given up; the work was not started.',
  },
  cancelled: { status: 499, retry: false, summary: 'The caller cancelled by AbortSignal.' },
  server_too_old: {
    status: 505,
    retry: false,
    summary: 'The NATS server lacks a feature that is needed; says feature, needed and found version.',
  },
  config_invalid: {
    status: 400,
    retry: false,
    summary: 'The configuration is wrong; says file, line, key, found value and what is allowed.',
  },
  unsupported: { status: 501, retry: false, summary: 'This platform or build cannot do that; says why.' },
  internal: {
    status: 500,
    retry: false,
    summary: 'A bug. The log of the service has the stack under the request id.',
  },
} as const satisfies Record<string, { status: number; retry: boolean; summary: string }>;

export type ErrorCode = keyof typeof errorTable;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text);
}
