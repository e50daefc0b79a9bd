/**
 * Finds the first match of a regular expression, with its groups, as JavaScript does: of all that
 * begin leftmost the one that backtracking would come to first.
 *
 * All ways are followed at once, in order of preference, and a state is entered once per position
 * (the first way to it wins): so the time is at most text length × instructions, whatever the
 * pattern. Each way carries the positions of its groups. A way that has read something in its turn
 * of a loop and one that has not are told apart, for only the first may end the turn.
 *
 *     position     a b │ c        ways, best first: [5 (1,2)]  [7 (1,1)]  [2 (-,-)]
 *
 * @see Rob Pike's matcher in the text editor sam; Russ Cox 2009, as in regex-program.ts
 */
import { assert } from '../../../base/assert.ts';
import { type CharSet, hasCodePoint, lineEndSet, unionOf } from './char-set.ts';
import type { Instruction, RegexProgram } from './regex-program.ts';
import type { Assertion } from './regex-syntax.ts';

/** Begin and end of the match and of each group, in UTF-16 units; -1 where a group has none. */
export type Slots = readonly number[];

interface Way {
  readonly at: number;
  /** Whether it has read a character since the innermost turn of a loop began. */
  readonly hasRead: boolean;
  readonly slots: Slots;
}

/** The characters around a position; -1 beyond the text. */
export interface Around {
  readonly before: number;
  readonly after: number;
}

export class RegexFinder {
  readonly #program: RegexProgram;
  /** By instruction, twice: the last position (from 1, over all calls) at which it was entered. */
  readonly #entered: Float64Array;
  /** The characters that a match begins with; null where it may be empty. */
  readonly #begins: CharSet | null;
  #clock = 0;
  /** Instructions entered since the finder was made: what linear time is about. */
  stepCount = 0;

  constructor(program: RegexProgram) {
    this.#program = program;
    this.#entered = new Float64Array(program.instructions.length * 2);
    this.#begins = beginsOf(program);
  }

  /** The slots of the first match, or null. */
  find(text: string): Slots | null {
    let ways: readonly Way[] = [];
    let found: Slots | null = null;
    let before = -1;
    let position = 0;
    for (;;) {
      const after = text.codePointAt(position) ?? -1;
      this.#clock++;
      const next: Way[] = [];
      const here = { position, around: { before, after } };
      for (const way of ways) this.#enter(way, here, next);
      // A new match may begin until one is found; it comes last, for it begins further right.
      if (found === null && this.#mayBegin(after)) this.#enter(this.#firstWay(), here, next);
      const matchIndex = next.findIndex(({ at }) => this.#instructionAt(at).kind === 'match');
      if (matchIndex >= 0) found = next[matchIndex]?.slots ?? null;
      // Ways behind a match are worse than it.
      ways = this.#advance(matchIndex < 0 ? next : next.slice(0, matchIndex), after);
      if (after < 0 || (found !== null && ways.length === 0)) return found;
      before = after;
      position += after > 0xffff ? 2 : 1;
    }
  }

  /** Whether a match may begin before a character; most places are passed over with this. */
  #mayBegin(codePoint: number): boolean {
    if (this.#begins === null) return true;
    return codePoint >= 0 && hasCodePoint(this.#begins, codePoint);
  }

  /** The ways that read the character. */
  #advance(ways: readonly Way[], codePoint: number): readonly Way[] {
    if (codePoint < 0) return [];
    return ways.flatMap(({ at, slots }) => {
      const instruction = this.#instructionAt(at);
      const isRead = instruction.kind === 'set' && hasCodePoint(instruction.set, codePoint);
      return isRead ? [{ at: at + 1, hasRead: true, slots }] : [];
    });
  }

  /** Adds what a way leads to without reading a character, in order of preference. */
  #enter(way: Way, here: { position: number; around: Around }, next: Way[]): void {
    const { wordSet } = this.#program;
    const open: Way[] = [way];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const { at, hasRead, slots } = one;
      const state = at * 2 + (hasRead ? 1 : 0);
      if (this.#entered[state] === this.#clock) continue;
      this.#entered[state] = this.#clock;
      this.stepCount++;
      const instruction = this.#instructionAt(at);
      switch (instruction.kind) {
        case 'jump':
          open.push({ at: instruction.to, hasRead, slots });
          break;
        case 'split':
          open.push({ at: instruction.second, hasRead, slots });
          open.push({ at: instruction.first, hasRead, slots });
          break;
        case 'assertion':
          if (holds(instruction.assertion, here.around, wordSet)) {
            open.push({ at: at + 1, hasRead, slots });
          }
          break;
        case 'save':
        case 'forget':
          open.push({ at: at + 1, hasRead, slots: changed(slots, instruction, here.position) });
          break;
        case 'beginTurn':
          open.push({ at: at + 1, hasRead: false, slots });
          break;
        case 'endTurn':
          if (hasRead) open.push({ at: at + 1, hasRead, slots });
          break;
        default:
          next.push(one);
      }
    }
  }

  #instructionAt(at: number): Instruction {
    const instruction = this.#program.instructions[at];
    assert(instruction !== undefined, 'a program ends in a match');
    return instruction;
  }

  #firstWay(): Way {
    return { at: 0, hasRead: true, slots: new Array<number>(this.#program.slotCount).fill(-1) };
  }
}

/** What a match can begin with, whatever assertions say. */
function beginsOf({ instructions }: RegexProgram): CharSet | null {
  const entered = new Set<number>();
  const open = [0];
  const sets: CharSet[] = [];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (entered.has(at)) continue;
    entered.add(at);
    const instruction = instructions[at];
    if (instruction === undefined || instruction.kind === 'match') return null;
    if (instruction.kind === 'set') sets.push(instruction.set);
    else if (instruction.kind === 'jump') open.push(instruction.to);
    else if (instruction.kind === 'split') open.push(instruction.first, instruction.second);
    else open.push(at + 1);
  }
  return unionOf(...sets);
}

function changed(
  slots: Slots,
  instruction: Instruction & { kind: 'save' | 'forget' },
  position: number,
): Slots {
  const copy = slots.slice();
  if (instruction.kind === 'save') copy[instruction.slot] = position;
  else copy.fill(-1, instruction.start, instruction.end);
  return copy;
}

/** Whether an assertion holds between two characters. */
export function holds(
  assertion: Assertion,
  { before, after }: Around,
  wordSet: readonly number[],
): boolean {
  switch (assertion) {
    case 'start':
      return before < 0;
    case 'end':
      return after < 0;
    case 'lineStart':
      return before < 0 || hasCodePoint(lineEndSet, before);
    case 'lineEnd':
      return after < 0 || hasCodePoint(lineEndSet, after);
    default: {
      const isBorder = isIn(wordSet, before) !== isIn(wordSet, after);
      return isBorder === (assertion === 'wordBorder');
    }
  }
}

function isIn(set: readonly number[], codePoint: number): boolean {
  return codePoint >= 0 && hasCodePoint(set, codePoint);
}
