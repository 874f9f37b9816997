/** Keeps passwords, seeds and tokens out of messages: by the name of their key, and in URLs. */
import { isMapping, type Path } from './path.ts';

const secretName =
  /(?:^|[_-])(?:seed|password|passwd|passphrase|token|secret|nkey|credentials?|private_key|api_key)s?$/i;
const hidden = '[hidden]';
/** Shorter secrets occur in ordinary words; a message about them alone is hidden by its path. */
const shortestTraced = 4;

export function isSecretKey(key: string): boolean {
  return secretName.test(key);
}

export function isSecretPath(path: Path): boolean {
  return path.some((key) => isSecretKey(String(key)));
}

/** What stands in a message for the value at the path. */
export function foundText(value: unknown, path: Path): string {
  if (value === null) return 'nothing';
  if (isSecretPath(path)) return hidden;
  if (Array.isArray(value)) return 'a list';
  if (isMapping(value)) return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Every value in the data that stands under a secret name. */
export function secretsIn(data: unknown, isSecret = false): string[] {
  if (Array.isArray(data)) return data.flatMap((item) => secretsIn(item, isSecret));
  if (isMapping(data)) {
    return Object.entries(data).flatMap(([key, value]) => secretsIn(value, isSecret || isSecretKey(key)));
  }
  return isSecret && data !== null && data !== undefined ? [String(data)] : [];
}

/** Takes the given secrets, and the user part of URLs, out of a text. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${hidden}@`);
  for (const secret of secrets) {
    if (secret.length >= shortestTraced) redacted = redacted.replaceAll(secret, hidden);
  }
  return redacted;
}
