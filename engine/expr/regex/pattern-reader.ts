/** A reader of a pattern's text: what the parts of the parser share. */
import { regexError } from './regex-syntax.ts';

export interface PatternReader {
  readonly pattern: string;
  /** In UTF-16 units from 0. */
  readonly position: number;
  readonly isAtEnd: boolean;
  /** The next code point, which is read. */
  next(): number;
  isAt(text: string): boolean;
  /** Reads `text` if it comes next. */
  take(text: string): boolean;
  /** Whether a sticky expression matches here. */
  isAtMatch(sticky: RegExp): boolean;
  /** Reads what a sticky expression matches here; null when it does not. */
  takeMatch(sticky: RegExp): string | null;
  /** EXPR_REGEX at this position. */
  error(what: string, hint?: string): Error;
}

export function readerOf(pattern: string): PatternReader {
  return new Reader(pattern);
}

class Reader implements PatternReader {
  readonly pattern: string;
  #position = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  get position(): number {
    return this.#position;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.pattern.length;
  }

  next(): number {
    const codePoint = this.pattern.codePointAt(this.#position);
    if (codePoint === undefined) throw this.error('an end too early');
    this.#position += codePoint > 0xffff ? 2 : 1;
    return codePoint;
  }

  isAt(text: string): boolean {
    return this.pattern.startsWith(text, this.#position);
  }

  take(text: string): boolean {
    if (!this.isAt(text)) return false;
    this.#position += text.length;
    return true;
  }

  isAtMatch(sticky: RegExp): boolean {
    sticky.lastIndex = this.#position;
    return sticky.test(this.pattern);
  }

  takeMatch(sticky: RegExp): string | null {
    sticky.lastIndex = this.#position;
    const text = sticky.exec(this.pattern)?.[0];
    if (text === undefined) return null;
    this.#position += text.length;
    return text;
  }

  error(what: string, hint?: string): Error {
    return regexError(this.pattern, what, this.#position, hint);
  }
}
