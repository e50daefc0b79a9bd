/**
 * Classes of characters: those that no set of a program tells apart are one class.
 *
 *     sets [a-z] and [m-p]     classes: a-l with q-z, m-p, all others; then the end of the text
 *
 * Words and line ends are told apart as well where the program asks for their borders.
 */
import { type CharSet, hasCodePoint, lineEndSet, rangesOf } from './char-set.ts';
import type { RegexProgram } from './regex-program.ts';

const asciiSize = 128;

export class CharClasses {
  /** The class of the end of the text; all others are below it. */
  readonly endClass: number;
  /** The first code point of each stretch of one class, ascending. */
  readonly #starts: number[];
  /** The class of each stretch. */
  readonly #classes: number[] = [];
  /** A character of each class. */
  readonly #members: number[] = [];
  readonly #ascii = new Uint16Array(asciiSize);
  /** Sets that an assertion asks for in the character before. */
  readonly #lookBehind: readonly CharSet[];

  constructor({ instructions, wordSet }: RegexProgram) {
    const sets = new Set<CharSet>();
    const lookBehind = new Set<CharSet>();
    for (const instruction of instructions) {
      if (instruction.kind === 'set') sets.add(instruction.set);
      if (instruction.kind !== 'assertion') continue;
      if (instruction.assertion.startsWith('line')) lookBehind.add(lineEndSet);
      if (instruction.assertion.endsWith('Border')) lookBehind.add(wordSet);
    }
    this.#lookBehind = [...lookBehind];
    const all = [...sets, ...lookBehind];
    const borders = new Set([0]);
    for (const set of all) {
      for (const [first, last] of rangesOf(set)) borders.add(first).add(last + 1);
    }
    this.#starts = [...borders].sort((a, b) => a - b);
    const byMembership = new Map<string, number>();
    for (const start of this.#starts) {
      const membership = all.map((set) => (hasCodePoint(set, start) ? 1 : 0)).join('');
      const known = byMembership.get(membership) ?? this.#members.push(start) - 1;
      byMembership.set(membership, known);
      this.#classes.push(known);
    }
    this.endClass = this.#members.length;
    for (let code = 0; code < asciiSize; code++) this.#ascii[code] = this.#search(code);
  }

  classOf(codePoint: number): number {
    return codePoint < asciiSize ? (this.#ascii[codePoint] ?? 0) : this.#search(codePoint);
  }

  /** A character of the class; -1 for the end of the text. */
  memberOf(kind: number): number {
    return this.#members[kind] ?? -1;
  }

  /** A character that assertions can't tell from this one, the same for all of them; -1 stays. */
  lookBehindOf(codePoint: number): number {
    if (codePoint < 0) return -1;
    const alike = this.#members.find((member) =>
      this.#lookBehind.every((set) => hasCodePoint(set, member) === hasCodePoint(set, codePoint)),
    );
    return alike ?? codePoint;
  }

  #search(codePoint: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= codePoint) low = middle + 1;
      else high = middle;
    }
    return this.#classes[low - 1] ?? 0;
  }
}
