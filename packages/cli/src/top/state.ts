/** What `nautilus top` shows, as data: which table, sorted how, filtered by what, and what a key changes. Pure. */

export const views = ['containers', 'pools', 'regions'] as const;
export type View = (typeof views)[number];
export const sorts = ['use', 'leased', 'name'] as const;
export type Sort = (typeof sorts)[number];

export interface TopState {
  readonly view: View;
  readonly sort: Sort;
  readonly filter: string;
  /** A filter is being typed: keys are letters. */
  readonly isTyping: boolean;
  readonly selected: number;
  /** The row whose details are shown. */
  readonly opened: string | null;
  readonly isHelp: boolean;
  readonly isOver: boolean;
}

export const firstState: TopState = {
  view: 'containers',
  sort: 'use',
  filter: '',
  isTyping: false,
  selected: 0,
  opened: null,
  isHelp: false,
  isOver: false,
};

const up = '\u001b[A';
const down = '\u001b[B';
const longestFilter = 40;

/** `names` are the rows as they stand now, filtered and sorted. */
export function pressed(state: TopState, key: string, names: readonly string[]): TopState {
  if (key === '\u0003') return { ...state, isOver: true };
  if (state.isTyping) return typed(state, key);
  if (state.isHelp) return { ...state, isHelp: false };
  const last = Math.max(0, names.length - 1);
  switch (key) {
    case 'q':
      return state.opened === null ? { ...state, isOver: true } : { ...state, opened: null };
    case '\u001b':
      return state.opened === null ? { ...state, filter: '', selected: 0 } : { ...state, opened: null };
    case '?':
    case 'h':
      return { ...state, isHelp: true };
    case '/':
      return { ...state, isTyping: true, filter: '', selected: 0, opened: null };
    case 's':
      return { ...state, sort: next(sorts, state.sort), selected: 0 };
    case '\t':
      return { ...state, view: next(views, state.view), selected: 0, opened: null };
    case '1':
    case '2':
    case '3':
      return { ...state, view: views[Number(key) - 1] ?? state.view, selected: 0, opened: null };
    case up:
    case 'k':
      return { ...state, selected: Math.max(0, Math.min(last, state.selected) - 1) };
    case down:
    case 'j':
      return { ...state, selected: Math.min(last, state.selected + 1) };
    case '\r':
      return { ...state, opened: names[Math.min(last, state.selected)] ?? null };
    default:
      return state;
  }
}

function typed(state: TopState, key: string): TopState {
  if (key === '\r') return { ...state, isTyping: false };
  if (key === '\u001b') return { ...state, isTyping: false, filter: '' };
  if (key === '\u007f' || key === '\b') return { ...state, filter: state.filter.slice(0, -1) };
  const isWord = /^[a-z0-9-]$/.test(key) && state.filter.length < longestFilter;
  return isWord ? { ...state, filter: state.filter + key, selected: 0 } : state;
}

function next<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length] ?? one;
}
