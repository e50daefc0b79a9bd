/**
 * The observation seam: structured events. A real process logs them, a simulation hashes them, so a
 * run that differs in one event has another trace hash. Not for records: no event per record.
 */

export type EventFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Observe {
  event(name: string, fields?: EventFields): void;
}

/** A value that never shows in text: logs, errors and JSON print `***`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value leaves for its owner. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***';
  }
}
