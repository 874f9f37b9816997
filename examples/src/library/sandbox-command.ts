/** What can be asked of the sandbox: one JSON object a line, checked before anything is done. */

export type SandboxCommand =
  | { readonly do: 'lease'; readonly bytes: number }
  | { readonly do: 'leak'; readonly bytesPerSecond: number }
  | { readonly do: 'hog' | 'die' | 'release' };

export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export function parseCommand(line: string): SandboxCommand {
  const value = parseJson(line);
  const action = value['do'];
  switch (action) {
    case 'lease':
      return { do: action, bytes: amountOf(value, 'bytes', 1) };
    case 'leak':
      return { do: action, bytesPerSecond: amountOf(value, 'bytesPerSecond', 0) };
    case 'hog':
    case 'die':
    case 'release':
      return { do: action };
    default:
      throw new CommandError(`"do" is lease, hog, leak, die or release, found ${JSON.stringify(action)}`);
  }
}

function parseJson(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Said below, with an example.
  }
  throw new CommandError(`not a JSON object such as {"do":"lease","bytes":1048576}: ${line}`);
}

function amountOf(value: Readonly<Record<string, unknown>>, key: string, least: number): number {
  const amount = value[key];
  if (typeof amount === 'number' && Number.isSafeInteger(amount) && amount >= least) return amount;
  throw new CommandError(`"${key}" is a whole number from ${least}, found ${JSON.stringify(amount)}`);
}
