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
 * A state is an instruction, twice: has read or not. Ways wait at instructions that read a character;
 * they, their slots and what is open are numbers in arrays that are made once, so a step makes nothing.
 *
 * @see Rob Pike's matcher in the text editor sam; Russ Cox 2009, as in regex-program.ts
 */
import { CharClasses } from './char-classes.ts';
import { hasCodePoint, lineEndSet } from './char-set.ts';
import { type FinderCode, finderCodeOf, opcodes } from './finder-code.ts';
import type { RegexProgram } from './regex-program.ts';
import type { Assertion } from './regex-syntax.ts';

/** Begin and end of the match and of each group, in UTF-16 units; -1 where a group has none. */
export type Slots = Int32Array;

/** The characters around a position; -1 beyond the text. */
export interface Around {
  before: number;
  after: number;
}

/** Ways, best first: the instruction at which each waits, and its slots. */
interface Ways {
  count: number;
  readonly at: Int32Array;
  readonly slots: Int32Array;
}

export class RegexFinder {
  readonly #program: RegexProgram;
  readonly #classes: CharClasses;
  readonly #code: FinderCode;
  /** By state: the last position (from 1, over all calls) at which it was entered. */
  readonly #entered: Float64Array;
  /** What is open in `#enter`: a state, or below 0 a slot (as -1 - slot) with what it was behind it. */
  readonly #open: Int32Array;
  /** Slots of the way that is being entered. */
  readonly #slots: Int32Array;
  readonly #found: Int32Array;
  readonly #around: Around = { before: -1, after: -1 };
  #ways: Ways;
  #next: Ways;
  #clock = 0;
  /** Instructions entered since the finder was made: what linear time is about. */
  stepCount = 0;

  constructor(program: RegexProgram) {
    this.#program = program;
    this.#classes = new CharClasses(program);
    this.#code = finderCodeOf(program, this.#classes);
    const { slotCount, instructions } = program;
    const stateCount = instructions.length * 2;
    this.#entered = new Float64Array(stateCount);
    this.#open = new Int32Array(this.#code.openMax);
    this.#slots = new Int32Array(slotCount);
    this.#found = new Int32Array(slotCount);
    const ways = (): Ways => ({
      count: 0,
      at: new Int32Array(stateCount),
      slots: new Int32Array(stateCount * slotCount),
    });
    this.#ways = ways();
    this.#next = ways();
  }

  /** The slots of the first match, valid until the next call; or null. */
  find(text: string): Slots | null {
    const { begins } = this.#code;
    const classes = this.#classes;
    const around = this.#around;
    this.#ways.count = 0;
    let isFound = false;
    let position = 0;
    around.before = -1;
    around.after = codePointIn(text, 0);
    let readClass = 0;
    for (;;) {
      const afterClass = around.after < 0 ? classes.endClass : classes.classOf(around.after);
      this.#clock++;
      this.#next.count = 0;
      let isMatch = this.#advance(readClass, position);
      // A new match may begin until one is found; it comes last, for it begins further right.
      if (!isMatch && !isFound && begins[afterClass] === 1) {
        this.#slots.fill(-1);
        isMatch = this.#enter(1, position);
      }
      isFound ||= isMatch;
      [this.#ways, this.#next] = [this.#next, this.#ways];
      const isOver = isFound && this.#ways.count === 0;
      if (around.after < 0 || isOver) return isFound ? this.#found : null;
      position += around.after > 0xffff ? 2 : 1;
      readClass = afterClass;
      if (this.#ways.count === 0) position = this.#beginIn(text, position);
      // Half of a pair is as good as the pair: no assertion asks for either.
      around.before = position === 0 ? -1 : (text.codePointAt(position - 1) ?? -1);
      around.after = codePointIn(text, position);
    }
  }

  /** The next position at which a match may begin; the end where there is none. */
  #beginIn(text: string, from: number): number {
    const { begins } = this.#code;
    const classes = this.#classes;
    let position = from;
    while (position < text.length) {
      const codePoint = codePointIn(text, position);
      if (begins[classes.classOf(codePoint)] === 1) break;
      position += codePoint > 0xffff ? 2 : 1;
    }
    return position;
  }

  /** The ways that read a character of the class, in their order; whether one came to a match. */
  #advance(readClass: number, position: number): boolean {
    const { at, slots, count } = this.#ways;
    const { accepts, classCount, sets } = this.#code;
    const own = this.#slots;
    for (let way = 0; way < count; way++) {
      const instruction = at[way] ?? 0;
      if (accepts[(sets[instruction] ?? 0) * classCount + readClass] !== 1) continue;
      const start = way * own.length;
      for (let slot = 0; slot < own.length; slot++) own[slot] = slots[start + slot] ?? 0;
      // Ways behind a match are worse than it.
      if (this.#enter((instruction + 1) * 2 + 1, position)) return true;
    }
    return false;
  }

  /**
   * Adds what a way leads to without reading a character, in order of preference; true where that is a
   * match, whose slots are kept, and behind which nothing is added.
   */
  #enter(first: number, position: number): boolean {
    const open = this.#open;
    const entered = this.#entered;
    const { ops, first: targets } = this.#code;
    let size = 0;
    open[size++] = first;
    while (size > 0) {
      const state = open[--size] ?? 0;
      if (state < 0) {
        // What was changed on the way is as it was for those that come after it.
        this.#slots[-1 - state] = open[--size] ?? 0;
        continue;
      }
      if (entered[state] === this.#clock) continue;
      entered[state] = this.#clock;
      this.stepCount++;
      const at = state >> 1;
      const hasRead = state & 1;
      switch (ops[at]) {
        case opcodes.set:
          this.#wait(at);
          break;
        case opcodes.match:
          this.#found.set(this.#slots);
          return true;
        case opcodes.jump:
          open[size++] = (targets[at] ?? 0) * 2 + hasRead;
          break;
        case opcodes.split:
          open[size++] = (this.#code.second[at] ?? 0) * 2 + hasRead;
          open[size++] = (targets[at] ?? 0) * 2 + hasRead;
          break;
        case opcodes.beginTurn:
          open[size++] = (at + 1) * 2;
          break;
        case opcodes.endTurn:
          if (hasRead === 1) open[size++] = state + 2;
          break;
        case opcodes.assertion:
          if (this.#holds(at)) open[size++] = state + 2;
          break;
        default:
          size = this.#change(at, position, size);
          open[size++] = state + 2;
      }
    }
    return false;
  }

  #wait(at: number): void {
    const next = this.#next;
    const slots = this.#slots;
    next.at[next.count] = at;
    const start = next.count * slots.length;
    for (let slot = 0; slot < slots.length; slot++) next.slots[start + slot] = slots[slot] ?? 0;
    next.count++;
  }

  /** Sets or forgets slots; opens what they were, to be set again later. Answers the new size. */
  #change(at: number, position: number, size: number): number {
    const { ops, first, second } = this.#code;
    const isSave = ops[at] === opcodes.save;
    const from = first[at] ?? 0;
    const end = isSave ? from + 1 : (second[at] ?? 0);
    let top = size;
    for (let slot = from; slot < end; slot++) {
      this.#open[top++] = this.#slots[slot] ?? 0;
      this.#open[top++] = -1 - slot;
      this.#slots[slot] = isSave ? position : -1;
    }
    return top;
  }

  #holds(at: number): boolean {
    const { instructions, wordSet } = this.#program;
    const instruction = instructions[at];
    return instruction?.kind === 'assertion' && holds(instruction.assertion, this.#around, wordSet);
  }
}

/** The code point at a position; -1 at the end. */
function codePointIn(text: string, position: number): number {
  if (position >= text.length) return -1;
  const unit = text.charCodeAt(position);
  return (unit & 0xf800) === 0xd800 ? (text.codePointAt(position) ?? -1) : unit;
}

/** Whether an assertion holds between two characters. */
export function holds(
  assertion: Assertion,
  { before, after }: Readonly<Around>,
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
