/** Every error code that crosses a boundary. */
import { errorTable, headerNames } from '@nautilus/contracts';
import { code, page, table } from './markdown.ts';

export function errorsPage(): string {
  return page(
    'Errors',
    'packages/contracts/src/errors.ts',
    `A reply that carries an error has its code in the header ${code(headerNames.errorCode)}, its class in ` +
      `${code(headerNames.serviceErrorCode)} and its text in ${code(headerNames.serviceError)}. “Again” says whether the ` +
      'same request can succeed later, unchanged.',
    table(
      ['Code', 'Class', 'Again', 'What'],
      Object.entries(errorTable).map(([name, { status, retry, summary }]) => [
        code(name),
        String(status),
        retry ? 'yes' : 'no',
        summary,
      ]),
    ),
  );
}
