/** Reads the stream of alerts back, message by message, the way any NATS client could. */
import type { Bus } from '@nautilus/bus';
import { type AlertBody, alertBody, streams } from '@nautilus/contracts';

export interface StoredAlert {
  readonly subject: string;
  readonly body: AlertBody;
}

async function call(bus: Bus, subject: string, request: object): Promise<Record<string, unknown>> {
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  const answer = await bus.requestRaw(subject, bytes, 5_000);
  const parsed: unknown = JSON.parse(new TextDecoder().decode(answer));
  if (typeof parsed !== 'object' || parsed === null || 'error' in parsed) {
    throw new Error(`${subject}: ${JSON.stringify(parsed)}`);
  }
  return { ...parsed };
}

export async function storedAlerts(bus: Bus): Promise<readonly StoredAlert[]> {
  const { name } = streams.alerts;
  const { state } = (await call(bus, `$JS.API.STREAM.INFO.${name}`, {})) as { state: { last_seq: number } };
  const alerts: StoredAlert[] = [];
  for (let seq = 1; seq <= state.last_seq; seq += 1) {
    const { message } = (await call(bus, `$JS.API.STREAM.MSG.GET.${name}`, { seq })) as {
      message: { subject: string; data: string };
    };
    const body = alertBody.parse(JSON.parse(Buffer.from(message.data, 'base64').toString()));
    alerts.push({ subject: message.subject, body });
  }
  return alerts;
}
