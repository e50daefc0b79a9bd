/**
 * Match state: the partial matches of each key in keyed state, and the rows that they share, each of them once.
 *
 *     matches   key         ▶ partial matches, as bytes: rows by number
 *     rows      key, number ▶ the row
 *     timers    the time at which the first of the partial matches is over
 *
 * Invariant: a row is kept as long as a partial match of its key has it.
 */
import { typedError } from '../../../base/typed-error.ts';
import type { StateSpec } from '../../plan/state-spec.ts';
import type { RowValues } from '../../plan/user-functions.ts';
import { binaryType } from '../../schema/field-type.ts';
import { type Field, fieldOf } from '../../schema/schema.ts';
import { KeyedState } from '../../state/keyed-state.ts';
import type { NumberedState, ValueState } from '../../state/state-handles.ts';
import type { OperatorContext } from '../operator.ts';
import { decodeMatches, encodeMatches, type KeyMatches, noMatches } from './partial-codec.ts';
import type { PartialMatch } from './pattern-step.ts';

/** Partial matches of one key: each row of the key is held against all of them. */
const partialMatchesMax = 4096;

export interface NextMatches {
  readonly partials: readonly PartialMatch[];
  /** The row that was worked on and its number, where one of these has it. */
  readonly taken: { readonly number: number; readonly row: () => RowValues } | null;
}

export class MatchState {
  readonly state: KeyedState;
  readonly #operator: string;
  readonly #withinMs: number | null;
  readonly #matches: ValueState;
  readonly #rows: NumberedState;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, fields: readonly Field[], withinMs: number | null) {
    this.#operator = context.name;
    this.#withinMs = withinMs;
    this.state = new KeyedState(context, {
      ...{ states: statesOf(fields), functions: {}, canUndo: false },
    });
    const { matches, rows } = this.state.handles;
    this.#matches = matches as ValueState;
    this.#rows = rows as NumberedState;
  }

  /** Those of the cursor's key. */
  get(): KeyMatches {
    const bytes = this.#matches.get();
    return bytes === null ? noMatches : decodeMatches(bytes as Uint8Array);
  }

  rowAt(number: number): RowValues {
    return this.#rows.get(number) as RowValues;
  }

  /** Puts what has become of the matches of the cursor's key in their place. */
  put(before: KeyMatches, { partials, taken }: NextMatches): void {
    const used = new Set(partials.flatMap(({ rows }) => rows));
    if (taken !== null && used.has(taken.number)) this.#rows.set(taken.number, taken.row());
    this.#dropRows(before, used);
    const timerMs = this.#setTimer(before.timerMs, partials);
    if (partials.length === 0) {
      if (before !== noMatches) this.#matches.clear();
      return;
    }
    if (partials.length > partialMatchesMax) throw tooMany(this.#operator, partials.length);
    const nextNumber = before.nextNumber + (taken === null ? 0 : 1);
    this.#matches.set(encodeMatches({ nextNumber, timerMs, partials }));
  }

  #dropRows(before: KeyMatches, used: ReadonlySet<number>): void {
    if (before.partials.length === 0) return;
    const had = new Set(before.partials.flatMap(({ rows }) => rows));
    for (const number of had) if (!used.has(number)) this.#rows.delete(number);
  }

  /** One that is set too early is left: it looks again, and sets the next one. */
  #setTimer(timerMs: number, partials: readonly PartialMatch[]): number {
    if (this.#withinMs === null) return timerMs;
    const { cursor, eventTimers } = this.state;
    if (partials.length === 0) {
      if (timerMs !== Number.POSITIVE_INFINITY) eventTimers.cancel(cursor, timerMs);
      return Number.POSITIVE_INFINITY;
    }
    const firstMs = partials.reduce((least, one) => Math.min(least, one.firstMs), Infinity);
    const wantedMs = firstMs + this.#withinMs + 1;
    if (timerMs <= wantedMs) return timerMs;
    if (timerMs !== Number.POSITIVE_INFINITY) eventTimers.cancel(cursor, timerMs);
    eventTimers.set(cursor, wantedMs);
    return wantedMs;
  }
}

function statesOf(fields: readonly Field[]): StateSpec[] {
  const none = { key: null, ttl: null };
  const row = fieldOf('value', { kind: 'struct', fields });
  return [
    { ...none, name: 'matches', kind: 'value', value: fieldOf('value', binaryType) },
    { ...none, name: 'rows', kind: 'numbered', value: row },
  ];
}

function tooMany(operator: string, count: number): Error {
  const message = `operator "${operator}" has ${count} partial matches of one key`;
  return typedError('PATTERN_TOO_MANY', message, {
    hint:
      `A key may have ${partialMatchesMax}. Say within what time a match is over, drop what began before a match (after), ` +
      'or use followedBy in place of followedByAny.',
    details: { operator, count },
  });
}
