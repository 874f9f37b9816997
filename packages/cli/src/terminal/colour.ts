/** Colour only where a person looks at a terminal and has not asked for none (no-color.org). */
import { styleText } from 'node:util';
import type { Output } from '../line/surroundings.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'inverse';
export type Colours = Readonly<Record<Style, (text: string) => string>>;

const styles: readonly Style[] = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan', 'magenta', 'inverse'];

export function isColoured(output: Output, env: NodeJS.ProcessEnv): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

export function coloursFor(output: Output, env: NodeJS.ProcessEnv): Colours {
  const isOn = isColoured(output, env);
  // What a stream is was decided above; the function must not decide again for this process's own.
  const paint = (style: Style) => (text: string) =>
    isOn ? styleText(style, text, { validateStream: false }) : text;
  return Object.fromEntries(styles.map((style) => [style, paint(style)])) as Colours;
}

/** The colour of a tier, the same everywhere. */
export function tierColour(colours: Colours, tier: string): (text: string) => string {
  if (tier === 'emergency') return colours.magenta;
  if (tier === 'critical') return colours.red;
  return tier === 'warning' ? colours.yellow : colours.cyan;
}
