/** An announcement with no more meaning than its name, for tests of what carries it. */
import type { Announcement } from '../watch/announcement.ts';

export function announcementOf(messageId: string): Announcement {
  return {
    messageId,
    body: {
      alert: messageId,
      host: 'h1',
      signal: 'memory-pressure',
      scope: { kind: 'host', name: 'h1' },
      state: 'raised',
      tier: 'critical',
      previousTier: null,
      value: 0.9,
      threshold: 0.9,
      at: 0,
      text: 'text',
      runbook: 'runbook',
    },
  };
}
