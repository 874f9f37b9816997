/** Every module that a TypeScript file names: imports, re-exports, dynamic imports, import types, require. */
import { type Token, tokens } from './tokens.ts';

export interface Import {
  /** Null where it is computed, so that nobody can tell. */
  readonly specifier: string | null;
  readonly line: number;
  /** Gone after compilation. */
  readonly isTypeOnly: boolean;
}

export function scanImports(source: string): Import[] {
  const all = tokens(source);
  const found: Import[] = [];
  let isTypeOnly = false;
  for (const [at, token] of all.entries()) {
    const before = all[at - 1];
    if (isWord(token, 'import') || isWord(token, 'export')) {
      isTypeOnly = isWord(all[at + 1], 'type') && !isMark(all[at + 2], ',') && !isWord(all[at + 2], 'from');
    }
    if (token.kind === 'text' && (isWord(before, 'from') || isWord(before, 'import'))) {
      if (!isMark(all[at - 2], '.')) found.push({ specifier: token.value, line: token.line, isTypeOnly });
    }
    const isCall = isMark(token, '(') && (isWord(before, 'import') || isWord(before, 'require'));
    // `object.import(` is someone's method, and so is `import(` in a class.
    const declaresParameter = all[at + 1]?.kind === 'word' && isMark(all[at + 2], ':');
    if (isCall && !isMark(all[at - 2], '.') && !declaresParameter) {
      const argument = all[at + 1];
      const isWhole = isMark(all[at + 2], ')') || isMark(all[at + 2], ',');
      const isImportType =
        isMark(all[at - 2], ':') || isMark(all[at - 2], '<') || isWord(all[at - 2], 'typeof');
      found.push({
        specifier: argument?.kind === 'text' && isWhole ? argument.value : null,
        line: token.line,
        isTypeOnly: isImportType,
      });
    }
  }
  return found;
}

function isWord(token: Token | undefined, value: string): boolean {
  return token?.kind === 'word' && token.value === value;
}

function isMark(token: Token | undefined, value: string): boolean {
  return token?.kind === 'mark' && token.value === value;
}
