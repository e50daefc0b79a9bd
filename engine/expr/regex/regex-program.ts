/**
 * Regular expressions as programs: the nondeterministic automaton, one instruction per state.
 *
 *     a(?:b|c)*      0 set a      1 split 2 or 8     2 begin turn     3 split 4 or 6
 *                    4 set b      5 jump 7     6 set c     7 end turn, then 1     8 match
 *
 * `split` says which way is tried first; that order is what makes a match the one that JavaScript
 * finds. A counted repeat is its item written out several times, so the size is limited.
 *
 * A turn of a loop that reads nothing is given up, as in JavaScript; only the turns that `min` asks
 * for may. Whether a way has read something since its turn began is one bit, for nested loops as
 * well: who is past the end of an inner turn has read something since the outer one began.
 *
 * @see Ken Thompson 1968, "Regular Expression Search Algorithm"
 * @see Russ Cox 2009, "Regular Expression Matching: the Virtual Machine Approach"
 * @see Aurèle Barrière and Clément Pit-Claudel 2024, "Linear Matching of JavaScript Regexes"
 */
import { assertNever } from '../../../base/assert.ts';
import type { CharSet } from './char-set.ts';
import { type Assertion, type Regex, type RegexNode, regexError } from './regex-syntax.ts';

export type Instruction =
  /** One character of the set, then the next instruction. */
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'split'; readonly first: number; readonly second: number }
  | { readonly kind: 'jump'; readonly to: number }
  /** Goes on where the assertion holds. */
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  /** Writes the position into a slot: begin or end of the match or of a group. */
  | { readonly kind: 'save'; readonly slot: number }
  /** Forgets the slots from `start` to before `end`. */
  | { readonly kind: 'forget'; readonly start: number; readonly end: number }
  | { readonly kind: 'beginTurn' }
  /** Goes on if something was read since the turn began. */
  | { readonly kind: 'endTurn' }
  | { readonly kind: 'match' };

export interface RegexProgram {
  readonly instructions: readonly Instruction[];
  /** Two for the match and for each group. */
  readonly slotCount: number;
  readonly wordSet: CharSet;
}

/** Some 100 KiB; a set of states is at most as large. */
const instructionsMax = 5000;

/** @throws EXPR_REGEX when the program would be too large. */
export function compileRegex(regex: Regex): RegexProgram {
  const writer = new ProgramWriter(regex);
  writer.write(regex.root);
  return writer.end();
}

class ProgramWriter {
  readonly #regex: Regex;
  readonly #instructions: Instruction[] = [];
  /** Copies count as well: of an empty item there could be any number. */
  #copies = 0;

  constructor(regex: Regex) {
    this.#regex = regex;
    this.#add({ kind: 'save', slot: 0 });
  }

  end(): RegexProgram {
    this.#add({ kind: 'save', slot: 1 });
    this.#add({ kind: 'match' });
    const { groupCount, wordSet } = this.#regex;
    return { instructions: this.#instructions, slotCount: (groupCount + 1) * 2, wordSet };
  }

  write(node: RegexNode): void {
    switch (node.kind) {
      case 'set':
        this.#add({ kind: 'set', set: node.set });
        return;
      case 'assertion':
        this.#add({ kind: 'assertion', assertion: node.assertion });
        return;
      case 'sequence':
        for (const item of node.items) this.write(item);
        return;
      case 'choice':
        this.#writeChoice(node.options);
        return;
      case 'group':
        this.#add({ kind: 'save', slot: node.index * 2 });
        this.write(node.item);
        this.#add({ kind: 'save', slot: node.index * 2 + 1 });
        return;
      case 'repeat':
        this.#writeRepeat(node);
        return;
      default:
        assertNever(node);
    }
  }

  #writeChoice(options: readonly RegexNode[]): void {
    const jumps: number[] = [];
    for (const [index, option] of options.entries()) {
      if (index === options.length - 1) {
        this.write(option);
        break;
      }
      const split = this.#reserve();
      this.write(option);
      jumps.push(this.#reserve());
      this.#instructions[split] = { kind: 'split', first: split + 1, second: this.#here };
    }
    for (const jump of jumps) this.#instructions[jump] = { kind: 'jump', to: this.#here };
  }

  #writeRepeat(repeat: RegexNode & { kind: 'repeat' }): void {
    for (let turn = 0; turn < repeat.min; turn++) this.#writeTurn(repeat, false);
    if (repeat.max === Number.POSITIVE_INFINITY) {
      const split = this.#reserve();
      this.#writeTurn(repeat, true);
      this.#add({ kind: 'jump', to: split });
      this.#setSplit(split, repeat.isGreedy);
      return;
    }
    const splits: number[] = [];
    for (let turn = repeat.min; turn < repeat.max; turn++) {
      splits.push(this.#reserve());
      this.#writeTurn(repeat, true);
    }
    for (const split of splits) this.#setSplit(split, repeat.isGreedy);
  }

  #writeTurn(repeat: RegexNode & { kind: 'repeat' }, isChecked: boolean): void {
    const { item, groupStart, groupEnd } = repeat;
    if (++this.#copies > instructionsMax) throw this.#tooLarge();
    if (groupStart < groupEnd) {
      this.#add({ kind: 'forget', start: groupStart * 2, end: groupEnd * 2 });
    }
    if (isChecked) this.#add({ kind: 'beginTurn' });
    this.write(item);
    if (isChecked) this.#add({ kind: 'endTurn' });
  }

  /** The split at `at` leads into what follows it, or past all that is written. */
  #setSplit(at: number, isGreedy: boolean): void {
    const inside = at + 1;
    const past = this.#here;
    this.#instructions[at] = isGreedy
      ? { kind: 'split', first: inside, second: past }
      : { kind: 'split', first: past, second: inside };
  }

  get #here(): number {
    return this.#instructions.length;
  }

  /** The place of an instruction that is written later. */
  #reserve(): number {
    this.#add({ kind: 'match' });
    return this.#here - 1;
  }

  #add(instruction: Instruction): void {
    if (this.#here >= instructionsMax) throw this.#tooLarge();
    this.#instructions.push(instruction);
  }

  #tooLarge(): Error {
    const hint = 'Counted repeats are written out: use lower counts, or "*" and "+".';
    return regexError(this.#regex.pattern, 'more states than are allowed, counted', 0, hint);
  }
}
