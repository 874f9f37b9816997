/**
 * Names that become tokens of subjects and keys. A token is lower case with `-`; any other name (a Docker name
 * with dots or capitals) is encoded into one token, injectively, so that no two names share an identity.
 */

/** At most 63 characters, as a DNS label; `--` is kept for escapes. */
const plainToken = /^[a-z0-9](?:-?[a-z0-9])*$/;
const maximumTokenLength = 63;

export function isToken(text: string): boolean {
  return text.length <= maximumTokenLength && plainToken.test(text);
}

/**
 * The token of any container or host name: itself where it already is one, otherwise each foreign byte as `--` and
 * two hexadecimal digits. `Trading.Engine` → `--54rading--2e--45ngine`.
 */
export function encodeToken(name: string): string {
  if (plainToken.test(name)) return name;
  let token = '';
  for (const byte of new TextEncoder().encode(name)) {
    const char = String.fromCharCode(byte);
    token += /[a-z0-9]/.test(char) ? char : `--${byte.toString(16).padStart(2, '0')}`;
  }
  return token;
}

/** The name that `encodeToken` made this token from. */
export function decodeToken(token: string): string {
  if (plainToken.test(token)) return token;
  const bytes: number[] = [];
  for (let at = 0; at < token.length; at += 1) {
    if (token.startsWith('--', at)) {
      bytes.push(Number.parseInt(token.slice(at + 2, at + 4), 16));
      at += 3;
    } else bytes.push(token.charCodeAt(at));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
