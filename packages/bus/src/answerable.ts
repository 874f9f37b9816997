/**
 * Which reply subjects are answered. A requester names the subject, and the answer is published with the rights of the
 * one who answers: without this, anyone could make an agent write into its buckets or command in another's name.
 */
export function isAnswerable(reply: string | undefined): boolean {
  return reply === undefined || reply === '' || reply.startsWith('_INBOX.');
}
