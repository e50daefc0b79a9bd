/**
 * A program as the finder runs it: instructions and sets in arrays of numbers.
 *
 *     ops       what an instruction does        first, second   where it leads, or the slots it is about
 *     sets      the number of its set           accepts         by set and class of characters, 0 or 1
 */
import type { CharClasses } from './char-classes.ts';
import { type CharSet, hasCodePoint } from './char-set.ts';
import type { Instruction, RegexProgram } from './regex-program.ts';

export const opcodes = {
  set: 0,
  split: 1,
  jump: 2,
  assertion: 3,
  save: 4,
  forget: 5,
  beginTurn: 6,
  endTurn: 7,
  match: 8,
} as const satisfies Record<Instruction['kind'], number>;

export interface FinderCode {
  readonly ops: Uint8Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly sets: Int32Array;
  readonly accepts: Uint8Array;
  /** Classes of characters, with that of the end. */
  readonly classCount: number;
  /** By class: whether a match may begin before such a character; most places are passed over with this. */
  readonly begins: Uint8Array;
  /** How much may be open at once while states are entered: each is entered once. */
  readonly openMax: number;
}

export function finderCodeOf(program: RegexProgram, classes: CharClasses): FinderCode {
  const { instructions } = program;
  const size = instructions.length;
  const [ops, first, second] = [new Uint8Array(size), new Int32Array(size), new Int32Array(size)];
  const sets = new Int32Array(size);
  const known = new Map<CharSet, number>();
  let openCount = 1;
  for (const [at, instruction] of instructions.entries()) {
    ops[at] = opcodes[instruction.kind];
    [first[at], second[at]] = operandsOf(instruction);
    const changed = instruction.kind === 'forget' ? instruction.end - instruction.start : 1;
    openCount += 2 * (changed * 2 + 1);
    if (instruction.kind !== 'set') continue;
    const number = known.get(instruction.set) ?? known.size;
    known.set(instruction.set, number);
    sets[at] = number;
  }
  const classCount = classes.endClass + 1;
  const accepts = new Uint8Array(known.size * classCount);
  for (const [set, number] of known) {
    for (let kind = 0; kind < classes.endClass; kind++) {
      const isIn = hasCodePoint(set, classes.memberOf(kind));
      accepts[number * classCount + kind] = Number(isIn);
    }
  }
  const begins = beginsOf(instructions, { sets, accepts, classCount });
  return { ops, first, second, sets, accepts, classCount, begins, openMax: openCount };
}

function operandsOf(instruction: Instruction): [number, number] {
  switch (instruction.kind) {
    case 'split':
      return [instruction.first, instruction.second];
    case 'jump':
      return [instruction.to, 0];
    case 'save':
      return [instruction.slot, 0];
    case 'forget':
      return [instruction.start, instruction.end];
    default:
      return [0, 0];
  }
}

/** What a match can begin with, whatever assertions say: anything, where it may be empty. */
function beginsOf(
  instructions: readonly Instruction[],
  { sets, accepts, classCount }: Pick<FinderCode, 'sets' | 'accepts' | 'classCount'>,
): Uint8Array {
  const begins = new Uint8Array(classCount);
  const entered = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (entered.has(at)) continue;
    entered.add(at);
    const instruction = instructions[at];
    if (instruction === undefined || instruction.kind === 'match') return begins.fill(1);
    if (instruction.kind === 'jump') open.push(instruction.to);
    else if (instruction.kind === 'split') open.push(instruction.first, instruction.second);
    else if (instruction.kind !== 'set') open.push(at + 1);
    else {
      const row = (sets[at] ?? 0) * classCount;
      for (let kind = 0; kind < classCount; kind++) begins[kind] ||= accepts[row + kind] ?? 0;
    }
  }
  return begins;
}
