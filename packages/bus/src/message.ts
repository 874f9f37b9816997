/** Messages to bytes and back: JSON bodies, faults with the headers that ADR-32 clients and ours read. */
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import {
  type ErrorCode,
  errorTable,
  type Fault,
  fail,
  headerNames,
  isErrorCode,
  NautilusError,
  ok,
  type Result,
} from '@nautilus/contracts';
import { describeIssue, type OutputOf, type Schema } from './schema.ts';

const decoder = new TextDecoder();

/** A header is one line, and a person reads it. */
const longestHeader = 500;

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, longestHeader);
}

export function faultHeaders(fault: Fault, requestId: string): MsgHdrs {
  const found = headers();
  found.set(headerNames.requestId, requestId);
  found.set(headerNames.serviceError, oneLine(fault.message));
  found.set(headerNames.serviceErrorCode, String(errorTable[fault.code].status));
  found.set(headerNames.errorCode, fault.code);
  return found;
}

/** The schema's output, or a fault that names the field and what was found there. */
export function parseBody<S extends Schema>(schema: S, bytes: Uint8Array): Result<OutputOf<S>> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    return fail('invalid_request', `the body is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  if (issue === undefined) return fail('invalid_request', 'the body does not match its contract');
  return fail(issueCode(issue), describeIssue(issue, value), { path: issue.path.map(String).join('.') });
}

/** A contract may give one of its rules a code of its own, e.g. `invalid_size`. */
function issueCode(issue: object): ErrorCode {
  const params = 'params' in issue ? issue.params : undefined;
  if (typeof params === 'object' && params !== null && 'code' in params) {
    const { code } = params;
    if (typeof code === 'string' && isErrorCode(code)) return code;
  }
  return 'invalid_request';
}

/** The fault of a reply, or null when it is an answer. */
export function replyFault(reply: Msg): Fault | null {
  const found = reply.headers;
  if (found === undefined || !found.has(headerNames.serviceErrorCode)) return null;
  const named = found.get(headerNames.errorCode);
  const code = isErrorCode(named) ? named : codeOfStatus(Number(found.get(headerNames.serviceErrorCode)));
  const message = found.get(headerNames.serviceError);
  if (reply.data.length === 0) return { code, message };
  try {
    const body = JSON.parse(decoder.decode(reply.data)) as unknown;
    if (typeof body !== 'object' || body === null) return { code, message };
    const fault = body as { message?: unknown; details?: unknown };
    return {
      code,
      message: typeof fault.message === 'string' ? fault.message : message,
      ...(typeof fault.details === 'object' && fault.details !== null
        ? { details: fault.details as Record<string, unknown> }
        : {}),
    };
  } catch {
    // A service that is not ours may put anything into the body; the headers have said what matters.
    return { code, message };
  }
}

/** Services that are not ours send only a number. */
function codeOfStatus(status: number): ErrorCode {
  for (const code of ['invalid_request', 'permission_denied', 'conflict', 'overloaded', 'timeout'] as const)
    if (errorTable[code].status === status) return code;
  return 'internal';
}

/** The parsed answer, or the fault of the reply as a `NautilusError`. */
export function parseReply<S extends Schema>(schema: S, reply: Msg, subject: string): OutputOf<S> {
  const fault = replyFault(reply);
  if (fault !== null) throw new NautilusError(fault);
  const parsed = parseBody(schema, reply.data);
  if (parsed.ok) return parsed.value;
  throw new NautilusError({
    code: 'internal',
    message: `the answer on ${subject} does not match its contract: ${parsed.fault.message}`,
    details: { subject },
  });
}

/** A subject to send to; a wildcard there is a bug of the caller. */
export function concrete(subject: string): string {
  if (/(^|\.)[*>](\.|$)/.test(subject))
    throw new RangeError(`${subject} has a wildcard: name the host and the party to send to`);
  return subject;
}
