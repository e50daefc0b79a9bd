/** What verbs are given that is no expression: functions, sort orders, counts; checked where they are called. */
import { typedError } from '../../base/typed-error.ts';
import type { SortKey } from '../plan/logical-graph.ts';
import type { SortOrder } from './column.ts';
import { describe } from './row.ts';
import { StructType } from './value-type.ts';

/** The user's function; the verbs that make new rows need their struct as well. */
export function functionIn(
  verb: keyof typeof functionHints,
  given: unknown,
  output?: unknown,
): unknown {
  const needsOutput = verb === 'map' || verb === 'flatMap';
  const isGiven = typeof given === 'function' && (!needsOutput || output instanceof StructType);
  if (isGiven) return given;
  const needed = needsOutput ? 'a struct and a function' : 'a function';
  throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs ${needed}`, {
    hint: `Write ${functionHints[verb]}.`,
  });
}

const functionHints = {
  filter: 'filter((row) => row.price > 100)',
  map: 'map(t.struct({ size: t.int32() }), (row) => ({ size: row.text.length }))',
  flatMap: 'flatMap(t.struct({ word: t.utf8() }), (row) => [{ word: row.text }])',
  reduce: 'reduce((left, right) => (right.price > left.price ? right : left))',
};

/** The keys in what an `orderBy` lambda gave. */
export function sortKeysIn(given: unknown): SortKey[] {
  const orders: unknown[] = Array.isArray(given) ? given : [given];
  const keys = orders.filter(isSortOrder).map((one) => one.key);
  if (keys.length === 0 || keys.length < orders.length) {
    const message = `orderBy needs what asc() or desc() make, its lambda gave ${describe(given)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, {
      hint: 'Write orderBy((row) => [row.count.desc(), row.word.asc()]).',
    });
  }
  return keys;
}

function isSortOrder(value: unknown): value is SortOrder {
  if (typeof value !== 'object' || value === null) return false;
  return 'kind' in value && value.kind === 'millrace.order';
}

/** A count of rows, from 0 on. */
export function wholeCount(verb: string, count: unknown): number {
  const rows = Number(count);
  if (Number.isSafeInteger(rows) && rows >= 0) return rows;
  throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs a whole number, got ${describe(count)}`, {
    hint: 'Give a whole number from 0 on, or undefined for no limit.',
  });
}
