/** Which news cannot wait for the next round: a refusal, a container or host that was not known, a host that is back. */
export interface News {
  readonly key: string;
  readonly refusedBytes: number;
}

export function urgency(
  news: News,
  known: ReadonlySet<string>,
  frozenHosts: ReadonlySet<string>,
): string | null {
  const host = hostOf(news.key);
  if (news.refusedBytes > 0) return `${news.key} was refused ${news.refusedBytes} bytes`;
  if (!known.has(news.key)) return `${news.key} is new`;
  if (frozenHosts.has(host)) return `${host} reports again`;
  return null;
}

/** Keys are `<host>` or `<host>.<container>`, and a token has no dot. */
export function hostOf(key: string): string {
  return key.split('.', 1)[0] ?? key;
}

export function containerOf(key: string): string {
  return key.slice(hostOf(key).length + 1);
}
