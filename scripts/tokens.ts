/**
 * Splits TypeScript into words, marks and string literals, without comments. TypeScript 7 has no JavaScript API to ask;
 * for finding imports, this much of the language is enough.
 */

export interface Token {
  readonly kind: 'word' | 'mark' | 'text' | 'template';
  /** For `text`: the content without quotes. */
  readonly value: string;
  readonly line: number;
}

/** After these, a `/` begins a regular expression and not a division. */
const beforePattern =
  /^(?:[([{,;:=!&|?+\-*%<>~^}]|return|typeof|case|in|of|delete|void|throw|new|else|do|yield|await)$/;

export function tokens(source: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  let line = 1;

  const take = (kind: Token['kind'] | null, end: number, value = source.slice(at, end)): void => {
    if (kind !== null) found.push({ kind, value, line });
    for (let index = at; index < end; index += 1) if (source[index] === '\n') line += 1;
    at = end;
  };

  while (at < source.length) {
    const char = source[at] ?? '';
    const rest = source.slice(at, at + 2);
    if (/\s/.test(char)) take(null, at + 1);
    else if (rest === '//') take(null, endOr(source.indexOf('\n', at), source));
    else if (rest === '/*') take(null, endOr(source.indexOf('*/', at + 2), source, 2));
    else if (char === '"' || char === "'") {
      const end = endOfQuoted(source, at);
      take('text', end, source.slice(at + 1, end - 1));
    } else if (char === '`') {
      const end = endOfTemplate(source, at);
      const content = source.slice(at + 1, end - 1);
      take(content.includes('${') ? 'template' : 'text', end, content);
    } else if (char === '/' && beforePattern.test(found.at(-1)?.value ?? ';')) {
      take(null, endOfPattern(source, at));
    } else if (/[\w$@#]/.test(char)) {
      let end = at + 1;
      while (/[\w$]/.test(source[end] ?? '')) end += 1;
      take('word', end);
    } else take('mark', at + 1);
  }
  return found;
}

function endOr(index: number, source: string, length = 0): number {
  return index < 0 ? source.length : index + length;
}

function endOfQuoted(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== source[start]) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Templates nest: `${` opens code, in which strings and templates may stand. */
function endOfTemplate(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith('${', at)) at = endOfCode(source, at + 2);
    else at += 1;
  }
  return at + 1;
}

function endOfCode(source: string, start: number): number {
  let at = start;
  for (let depth = 1; at < source.length; ) {
    const char = source[at];
    if (char === '`') at = endOfTemplate(source, at);
    else if (char === '"' || char === "'") at = endOfQuoted(source, at);
    else {
      at += 1;
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

function endOfPattern(source: string, start: number): number {
  let at = start + 1;
  let isInClass = false;
  while (at < source.length && source[at] !== '\n') {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) break;
    at += 1;
  }
  return at + 1;
}
