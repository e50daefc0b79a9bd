/** What verbs are given that is no expression: functions, counts; checked where they are called. */
import { typedError } from '../../base/typed-error.ts';
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
  lookup:
    'lookup(t.struct({ city: t.utf8() }), { key: (row) => row.user, lookup: async (user) => … })',
  reduce: 'reduce((left, right) => (right.price > left.price ? right : left))',
  process: 'process(t.struct({ rows: t.int32() }), (rows, window) => [{ rows: [...rows].length }])',
};

/** How verbs are written that need a stream. */
const streamHints = {
  ingestionTime: 'stream.ingestionTime()',
  union: 'first.union(second)',
  intersect: 'first.intersect(second)',
  except: 'first.except(second)',
  join: 'orders.join(users, { on: (order, user) => order.user.eq(user.id) })',
  crossJoin: 'orders.crossJoin(limits)',
  process: 'payments.keyBy(…).process({ control: rules, … })',
  lookup: 'orders.lookup(t.struct({ city: t.utf8() }), { … })',
};

/** A verb that needs a stream. */
export type VerbOfStreams = keyof typeof streamHints;

export function noStream(verb: VerbOfStreams, given: unknown): never {
  throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs a stream, got ${describe(given)}`, {
    hint: `Give the other stream: ${streamHints[verb]}.`,
  });
}

/** A count of rows, from 0 on. */
export function wholeCount(verb: string, count: unknown): number {
  const rows = Number(count);
  if (Number.isSafeInteger(rows) && rows >= 0) return rows;
  throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs a whole number, got ${describe(count)}`, {
    hint: 'Give a whole number from 0 on, or undefined for no limit.',
  });
}
