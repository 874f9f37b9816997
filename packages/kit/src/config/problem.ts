/** One thing that is wrong with the configuration, and where a person finds it. */
import { type Path, pathId, pathText } from './path.ts';

export interface Problem {
  /** `nautilus.yaml:12:5`, the name of an environment variable, or `configuration`. */
  readonly where: string;
  readonly path: Path;
  readonly message: string;
}

export function problemText({ where, path, message }: Problem): string {
  return path.length === 0 ? `${where}  ${message}` : `${where}  ${pathText(path)}: ${message}`;
}

export interface Variable {
  readonly name: string;
  readonly text: string;
  readonly path: Path;
}

/** Says for any path where its value was written. */
export class Origins {
  /** Text for what stands in no file and no variable. */
  static readonly nowhere = 'configuration';
  readonly #places = new Map<string, string>();
  readonly #variables = new Map<string, Variable>();

  /** A place in the file. */
  place(path: Path, where: string): void {
    this.#places.set(pathId(path), where);
  }

  variable(variable: Variable): void {
    this.#variables.set(pathId(variable.path), variable);
  }

  variables(): readonly Variable[] {
    return [...this.#variables.values()];
  }

  variableAt(path: Path): Variable | undefined {
    return this.#variables.get(pathId(path));
  }

  /** The variables that put something at this path or below it. */
  variablesBelow(path: Path): readonly Variable[] {
    return this.variables().filter((variable) => path.every((key, at) => variable.path[at] === key));
  }

  isInFile(path: Path): boolean {
    return this.#places.has(pathId(path));
  }

  /** Where the path, or the nearest thing around it, was written. */
  of(path: Path): string {
    for (let length = path.length; length >= 0; length -= 1) {
      const part = path.slice(0, length);
      const found = this.variableAt(part)?.name ?? this.#places.get(pathId(part));
      if (found !== undefined) return found;
    }
    return Origins.nowhere;
  }
}
