/**
 * Key matcher: the automaton of one key at a time, whose key is in the cursor. Puts conditions, state, functions and
 * what follows a match together.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import type { BatchBuilder } from '../../batch/batch-builder.ts';
import { readValue } from '../../batch/row-reader.ts';
import type { PatternSpec } from '../../plan/pattern-spec.ts';
import type { PatternFunctions, RowValues } from '../../plan/user-functions.ts';
import { type Field, fieldIndexOf, type Schema } from '../../schema/schema.ts';
import type { KeyCursor } from '../../state/key-cursor.ts';
import type { OperatorContext } from '../operator.ts';
import { keyReaderOf } from '../process-call.ts';
import { applyAfterMatch } from './after-match.ts';
import { MatchFunctions } from './match-functions.ts';
import { MatchState } from './match-state.ts';
import { endBit, type PatternGraph, patternGraphOf } from './pattern-edges.ts';
import { byRows, type PartialMatch, stepPattern } from './pattern-step.ts';

export interface KeyMatcherOptions {
  readonly input: Schema;
  readonly fieldCount: number;
  readonly pattern: PatternSpec;
  readonly conditions: readonly (string | null)[];
  readonly functions: PatternFunctions;
  readonly keyFields: readonly Field[];
  readonly builder: BatchBuilder;
  /** Empties a full builder: several matches may be complete at once. */
  readonly overflow: () => void;
}

export class KeyMatcher {
  readonly matches: MatchState;
  readonly cursor: KeyCursor;
  readonly #options: KeyMatcherOptions;
  readonly #graph: PatternGraph;
  readonly #functions: MatchFunctions;
  readonly #readKey: (cursor: KeyCursor) => unknown;
  /** By stage: its place in batches, or -1. */
  readonly #conditionIndexes: readonly number[];
  #conditions: readonly (Column | null)[] = [];

  constructor(context: OperatorContext, options: KeyMatcherOptions) {
    const { name: operator, scope } = context;
    const { memory } = scope;
    const { input, fieldCount, pattern, conditions, functions, builder, keyFields } = options;
    this.#options = options;
    this.#graph = patternGraphOf(pattern);
    const stages = pattern.stages;
    this.#functions = new MatchFunctions({ operator, memory, stages, functions, builder });
    this.#conditionIndexes = conditions.map((column) =>
      column === null ? -1 : fieldIndexOf(input, column),
    );
    this.#readKey = keyReaderOf(memory, keyFields, operator);
    this.matches = new MatchState(context, input.fields.slice(0, fieldCount), pattern.withinMs);
    this.cursor = this.matches.state.cursor;
  }

  /** Whether a partial match is over by a time. */
  isDue(timeMs: number): boolean {
    const { eventTimers } = this.matches.state;
    return eventTimers.count > 0 && eventTimers.nextMs <= timeMs;
  }

  /** Takes the conditions of a batch's rows. */
  read(batch: Batch): void {
    this.#conditions = this.#conditionIndexes.map((index) => batch.columns[index] ?? null);
  }

  /** Steps a row whose key is in the cursor. */
  step(batch: Batch, storedRow: number, timeMs: number): void {
    const { matches } = this;
    const before = matches.get();
    const mayBe = this.#stagesOf(batch, storedRow);
    if (before.partials.length === 0 && (mayBe & this.#graph.start.edgeBits) === 0) {
      this.cursor.leave();
      return;
    }
    let made: RowValues | null = null;
    const row = () => {
      made ??= this.#rowOf(batch, storedRow);
      return made;
    };
    const number = before.nextNumber;
    const rowAt = (one: number) => (one === number ? row() : matches.rowAt(one));
    const stepped = stepPattern(this.#graph, before.partials, {
      ...{ number, timeMs, mayBe },
      isOf: (stage, partial) =>
        this.#functions.test(stage, row, () => this.#functions.rowsOf(partial, rowAt)),
    });
    const { after } = this.#options.pattern;
    const next = applyAfterMatch(after, stepped.matches, stepped.partials);
    for (const match of next.matches) this.#give('select', match, { timeMs, rowAt });
    const isSame =
      !stepped.isTaken &&
      next.partials.length === before.partials.length &&
      next.partials.every(({ live }, at) => live === before.partials[at]?.live);
    if (!isSame) {
      const taken = stepped.isTaken ? { number, row } : null;
      matches.put(before, { partials: next.partials, taken });
    }
    this.cursor.leave();
  }

  /** Ends the partial matches of the next key whose time has come; false when there is none. */
  expireNext(untilMs: number): boolean {
    const { matches, cursor } = this;
    const { eventTimers } = matches.state;
    if (!eventTimers.take(cursor, untilMs)) return false;
    const timeMs = eventTimers.timeMs;
    const before = { ...matches.get(), timerMs: Number.POSITIVE_INFINITY };
    const { withinMs, after } = this.#options.pattern;
    assert(withinMs !== null, 'what is over in time has a time');
    const isOver = ({ firstMs }: PartialMatch) => firstMs + withinMs < timeMs;
    const over = before.partials.filter(isOver).sort(byRows);
    const rest = before.partials.filter((partial) => !isOver(partial));
    const isMatch = ({ live }: PartialMatch) => (live & endBit) !== 0;
    const next = applyAfterMatch(after, over.filter(isMatch), rest);
    const context = { timeMs: timeMs - 1, rowAt: (one: number) => matches.rowAt(one) };
    for (const match of next.matches) this.#give('select', match, context);
    if (this.#functions.hasTimedOut) {
      for (const partial of over) if (!isMatch(partial)) this.#give('timedOut', partial, context);
    }
    matches.put(before, { partials: next.partials, taken: null });
    cursor.leave();
    return true;
  }

  close(): void {
    this.matches.state.close();
  }

  #give(
    what: 'select' | 'timedOut',
    match: PartialMatch,
    { timeMs, rowAt }: { timeMs: number; rowAt: (number: number) => RowValues },
  ): void {
    if (this.#options.builder.isFull) this.#options.overflow();
    const key = this.#readKey(this.cursor);
    this.#functions.give(what, this.#functions.rowsOf(match, rowAt), { key, timeMs });
  }

  /** Bits of the stages whose expression is true for a row. */
  #stagesOf(batch: Batch, row: number): number {
    let bits = 0;
    for (let stage = 0; stage < this.#conditions.length; stage++) {
      if (this.#holds(batch, row, stage)) bits |= 1 << stage;
    }
    return bits;
  }

  /** Whether a stage's expression is true for a row; null is not. */
  #holds({ memory: { bytes } }: Batch, row: number, stage: number): boolean {
    const column = this.#conditions[stage] ?? null;
    if (column === null) return true;
    const { values, validity } = column;
    const bit = 1 << (row & 7);
    if (validity !== 0 && ((bytes[validity + (row >>> 3)] ?? 0) & bit) === 0) return false;
    return ((bytes[values + (row >>> 3)] ?? 0) & bit) !== 0;
  }

  /** A row as functions see it: times in milliseconds are numbers. */
  #rowOf(batch: Batch, storedRow: number): RowValues {
    const fields = this.#options.input.fields.slice(0, this.#options.fieldCount);
    const entries = fields.map(({ name, type }, at) => {
      const column = batch.columns[at];
      assert(column !== undefined, 'a batch has the columns of its schema');
      const value = readValue(batch.memory, column, storedRow, name);
      const isMs = type.kind === 'timestamp' && type.unit === 'ms';
      return [name, isMs && value !== null ? Number(value) : value];
    });
    return Object.freeze(Object.fromEntries(entries));
  }
}
