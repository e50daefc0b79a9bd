/**
 * Whether a text has a match: a deterministic automaton that is made as texts need it.
 *
 *     state    the instructions at which ways stand, and what kind of character came before
 *     class    characters that no set of the program tells apart share one, and share an edge
 *
 *     state 0 ──a──▶ state 1 ──b──▶ matched           an edge is made once, then it is a look-up
 *        └──other──▶ state 0
 *
 * Groups and preferences don't matter here, so a character costs one look-up, not a step per way.
 * There can be exponentially many states: when there are too many, all are forgotten, and an edge
 * then costs at most a step per instruction.
 */
import { assert } from '../../../base/assert.ts';
import { CharClasses } from './char-classes.ts';
import { hasCodePoint } from './char-set.ts';
import { holds } from './regex-finder.ts';
import type { RegexProgram } from './regex-program.ts';

interface State {
  /** Instructions, ascending; those that assertions let through are found when an edge is made. */
  readonly instructions: readonly number[];
  /** A character of the class that came before; -1 at the beginning. */
  readonly before: number;
  /** By class; the last one is the end of the text. */
  readonly edges: (State | typeof matched | undefined)[];
}

const matched = 'matched';
const statesMax = 1000;

export class RegexTester {
  readonly #program: RegexProgram;
  readonly #classes: CharClasses;
  #states = new Map<string, State>();
  #start: State;
  /** Instructions entered since the tester was made: what linear time is about. */
  stepCount = 0;

  constructor(program: RegexProgram) {
    this.#program = program;
    this.#classes = new CharClasses(program);
    this.#start = this.#stateOf([0], -1);
  }

  /** Whether the text has a match somewhere. */
  test(text: string): boolean {
    const classes = this.#classes;
    let state = this.#start;
    for (let index = 0; index < text.length; index++) {
      const codePoint = text.codePointAt(index) ?? 0;
      if (codePoint > 0xffff) index++;
      const kind = classes.classOf(codePoint);
      const next = state.edges[kind] ?? this.#makeEdge(state, kind);
      if (next === matched) return true;
      state = next;
    }
    return (state.edges[classes.endClass] ?? this.#makeEdge(state, classes.endClass)) === matched;
  }

  #makeEdge(state: State, kind: number): State | typeof matched {
    if (this.#states.size > statesMax) {
      this.#states = new Map();
      this.#start = this.#stateOf([0], -1);
    }
    const edge = this.#edgeOf(state, kind);
    state.edges[kind] = edge;
    return edge;
  }

  #edgeOf(state: State, kind: number): State | typeof matched {
    const { instructions, wordSet } = this.#program;
    const after = this.#classes.memberOf(kind);
    const entered = new Set<number>();
    const open = [...state.instructions];
    const next = new Set<number>([0]);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (entered.has(at)) continue;
      entered.add(at);
      this.stepCount++;
      const instruction = instructions[at];
      assert(instruction !== undefined, 'a program ends in a match');
      switch (instruction.kind) {
        case 'match':
          return matched;
        case 'set':
          if (after >= 0 && hasCodePoint(instruction.set, after)) next.add(at + 1);
          break;
        case 'jump':
          open.push(instruction.to);
          break;
        case 'split':
          open.push(instruction.first, instruction.second);
          break;
        case 'assertion': {
          const around = { before: state.before, after };
          if (holds(instruction.assertion, around, wordSet)) open.push(at + 1);
          break;
        }
        default:
          // An empty turn of a loop leads nowhere new, so its end can be passed.
          open.push(at + 1);
      }
    }
    return this.#stateOf(
      [...next].sort((a, b) => a - b),
      after,
    );
  }

  #stateOf(instructions: readonly number[], after: number): State {
    const before = this.#classes.lookBehindOf(after);
    const key = `${before}:${instructions.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state: State = { instructions, before, edges: [] };
    this.#states.set(key, state);
    return state;
  }
}
