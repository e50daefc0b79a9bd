/**
 * Goal: operators whose results change go on from snapshots, in other tasks and on top of each other, as if nothing had happened:
 * what their changes come to is what the rows come to, and a row that goes has come.
 */
import fc from 'fast-check';
import { test } from 'vitest';
import { FirstRowsOperator } from '../../../engine/operators/changes/first-rows-operator.ts';
import {
  RunningAggregateOperator,
  type RunningAggregateOptions,
} from '../../../engine/operators/changes/running-aggregate-operator.ts';
import { RunningTopOperator } from '../../../engine/operators/changes/running-top-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import type { RankFunction } from '../../../engine/plan/analytic-functions.ts';
import { rowKinds, rowKindType } from '../../../engine/plan/row-kind.ts';
import { float64Type, int32Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { ascending } from '../../../engine/stream/row-order.ts';
import { applied, rowText } from '../../support/changelog.ts';
import { isMark, type Row, type Step } from '../../support/operator-harness.ts';
import {
  checkSnapshots,
  checkSnapshotsOnce,
  type SnapshotCase,
} from '../../support/snapshot-harness.ts';

const longText = 'a text that is too long to be in its view';
const input = schemaOf(
  fieldOf('key', utf8Type, true),
  fieldOf('n', int32Type, true),
  fieldOf('text', utf8Type, true),
  fieldOf('weight', int64Type),
);
const value = fc.record({
  key: fc.constantFrom('a', 'b', 'c', null, longText),
  n: fc.constantFrom(null, 1, 2, 3, -7, 2_000_000),
  text: fc.constantFrom('x', 'y', longText, `${longText}!`, null),
});

interface Move {
  readonly comes: Row;
  /** What goes in its place, of those that are there; null: nothing does. */
  readonly goes: number | null;
  readonly waits: number;
}

const moves = fc.array(
  fc.record({
    comes: value,
    goes: fc.option(fc.nat(1000), { freq: 2 }),
    waits: fc.constantFrom(0, 0, 0, 70, 1_000),
  }),
  { maxLength: 60, size: 'max' },
);

/** Rows that come and go, with a clock that goes on between them. */
function stepsOf(drawn: readonly Move[], mayGo: boolean): Step[] {
  const there: Row[] = [];
  let nowMs = 0;
  return drawn.flatMap(({ comes, goes, waits }): Step[] => {
    const isGone = mayGo && goes !== null && there.length > 0;
    const [row = comes] = isGone ? there.splice(goes % there.length, 1) : [];
    if (!isGone) there.push(row);
    const step = { row: { ...row, weight: isGone ? -1n : 1n } };
    if (waits === 0) return [step];
    nowMs += waits;
    return [step, { wake: nowMs }];
  });
}

/** What changes come to: all that counts, for a barrier may bring an update forward. */
function outcome(rows: readonly Row[], known: (row: Row) => Row = (row) => row): readonly Row[] {
  const changes = rows.filter((row) => !isMark(row));
  return applied(changes, 'kind').map(known);
}

function checkMoves(
  of: (steps: Step[]) => SnapshotCase,
  { mayGo, numRuns = 8 }: { mayGo: boolean; numRuns?: number },
): void {
  fc.assert(
    fc.property(moves, fc.integer({ min: 1, max: 1_000_000 }), (drawn, seed) => {
      checkSnapshotsOnce(of(stepsOf(drawn, mayGo)), seed);
    }),
    { numRuns },
  );
}

const added: RunningAggregateOptions = {
  ...{ input, phase: 'whole', keys: ['key'], weight: null, kindColumn: 'kind' },
  output: schemaOf(
    fieldOf('key', utf8Type, true),
    fieldOf('rows', int64Type),
    fieldOf('present', int64Type),
    fieldOf('sum', int64Type, true),
    fieldOf('mean', float64Type, true),
    fieldOf('spread', float64Type, true),
    fieldOf('most', int32Type, true),
    fieldOf('least', utf8Type, true),
    fieldOf('kind', rowKindType),
  ),
  aggregates: [
    { name: 'rows', function: 'count', columns: [] },
    { name: 'present', function: 'count', columns: ['n'] },
    { name: 'sum', function: 'sum', columns: ['n'] },
    { name: 'mean', function: 'avg', columns: ['n'] },
    { name: 'spread', function: 'variancePop', columns: ['n'] },
    { name: 'most', function: 'max', columns: ['n'] },
    { name: 'least', function: 'min', columns: ['text'] },
  ],
  ...{ givesBefore: true, extremes: [], everyMs: 100, ttlMs: null },
};

const aggregate = (options: RunningAggregateOptions) => (context: OperatorContext) =>
  new RunningAggregateOperator(context, options);

/** Moments are merged in another order where an update was brought forward. */
function rounded(row: Row): Row {
  const spread = row.spread;
  return typeof spread === 'number' ? { ...row, spread: Number(spread.toPrecision(9)) } : row;
}

/** With a byte for the table, all groups go to disk in front of each update, and come back for it. */
const onDisk = { tableBytes: 1 };

test.each([{}, onDisk])('groups of rows that are added, %j', (more) => {
  checkMoves(
    (steps) => ({
      ...{ input, steps, keys: ['key'], build: aggregate({ ...added, ...more }) },
      outcomeOf: (rows) => outcome(rows, rounded),
    }),
    { mayGo: false },
  );
});

test('the one group without keys, with rows and without', () => {
  const { output } = added;
  const options = { ...added, keys: [], output: { fields: output.fields.slice(1) } };
  const of = (steps: Step[]): SnapshotCase => ({
    ...{ input, steps, keys: [], build: aggregate(options) },
    outcomeOf: (rows) => outcome(rows, rounded),
  });
  checkMoves(of, { mayGo: false, numRuns: 8 });
  checkSnapshots(of([{ wake: 1_000 }, { wake: 2_000 }]));
});

const signed: RunningAggregateOptions = {
  ...{ input, phase: 'final', keys: ['key'], weight: 'weight', kindColumn: 'kind' },
  output: schemaOf(
    fieldOf('key', utf8Type, true),
    fieldOf('rows', int64Type),
    fieldOf('most', int32Type, true),
    fieldOf('first', utf8Type, true),
    fieldOf('kind', rowKindType),
  ),
  aggregates: [
    { name: 'rows', function: 'sum', columns: ['weight'] },
    { name: 'most', function: 'last', columns: ['n'] },
    { name: 'first', function: 'last', columns: ['text'] },
  ],
  extremes: [
    { name: 'most', function: 'max', column: 'n' },
    { name: 'first', function: 'min', column: 'text' },
  ],
  ...{ givesBefore: true, everyMs: 100, ttlMs: null },
};

/** An extreme of no values is whatever was there, so only rows that have them are asked for. */
const withValues = value.filter(({ n, text }) => n !== null && text !== null);

test.each([{}, { goneMax: 0 }, onDisk])('groups that come and go, with extremes, %j', (more) => {
  const options = { ...signed, ...more };
  const of = (steps: Step[]): SnapshotCase => ({
    ...{
      input,
      steps,
      keys: ['key'],
      build: aggregate(options),
      outcomeOf: (rows) => outcome(rows),
    },
  });
  const some = moves.chain((drawn) =>
    fc
      .array(withValues, { minLength: drawn.length, maxLength: drawn.length })
      .map((rows) => drawn.map((move, at) => ({ ...move, comes: rows[at] as Row }))),
  );
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 1_000_000 }), (drawn, seed) => {
      checkSnapshotsOnce(of(stepsOf(drawn, true)), seed);
    }),
    { numRuns: 8 },
  );
});

test.each([{}, onDisk])('groups that are over begin anew, and others do not, %j', (more) => {
  const row = (key: string, at: number): Step[] => [
    { row: { key, n: 1, text: 'x', weight: 1n } },
    { wake: at * 400 },
  ];
  const options: RunningAggregateOptions = { ...added, ttlMs: 1_000, ...more };
  // Rows of "b" come every 400 ms; "a" is over when it comes again, and so is what came once.
  const keys = ['a', 'once', ...'bbbbbbbbbbbbb', 'a', ...'bbbbbbbbbbb'];
  const given = { input, keys: [], build: aggregate(options) };
  const steps = keys.flatMap((key, at) => row(key, at + 1));
  for (let seed = 1; seed < 12; seed++) {
    checkSnapshotsOnce({ ...given, steps, outcomeOf: (rows) => countsOf(rows) }, seed);
  }
});

/** Of each row that comes anew, or changes, how many rows there are. */
function countsOf(rows: readonly Row[]): readonly Row[] {
  return rows.flatMap(({ key, rows: count, kind }) =>
    kind === rowKinds.insert || kind === rowKinds.updateAfter ? [{ key, count, kind }] : [],
  );
}

const topOutput = schemaOf(
  fieldOf('key', utf8Type, true),
  fieldOf('n', int32Type, true),
  fieldOf('text', utf8Type, true),
  fieldOf('kind', rowKindType),
);
const order = [{ ...ascending('n'), isDescending: true }, ascending('key'), ascending('text')];

test.each([true, false])('the first of all rows, which %s: go', (mayGo) => {
  const top = (context: OperatorContext) =>
    new RunningTopOperator(context, {
      ...{ input, output: topOutput, order, count: 4, isOfChanges: mayGo, everyMs: 100 },
      ranks: null,
    });
  checkMoves((steps) => ({ input, steps, keys: [], build: top, orderedBy: ['key'] }), { mayGo });
});

const placedOutput = {
  fields: [
    ...topOutput.fields.slice(0, -1),
    fieldOf('place', int64Type),
    fieldOf('kind', rowKindType),
  ],
};

test.each(
  (['rowNumber', 'rank', 'denseRank'] as const).flatMap((rank): [RankFunction, boolean][] => [
    [rank, true],
    [rank, false],
  ]),
)('the first of each partition by %s, of rows which %s: go', (rank, mayGo) => {
  const top = (context: OperatorContext) =>
    new RunningTopOperator(context, {
      ...{ input, output: placedOutput, order, count: 2, isOfChanges: mayGo, everyMs: 100 },
      ranks: { partition: ['key'], function: rank },
    });
  const numRuns = 5;
  // When an update is due counts from the first row of a task, whose partitions are others in other tasks.
  const outcomeOf = (rows: readonly Row[]) => outcome(rows);
  checkMoves((steps) => ({ input, steps, keys: ['key'], build: top, outcomeOf }), {
    ...{ mayGo, numRuns },
  });
});

test.each(
  [['key'], ['key', 'n']].flatMap((keys) => [
    { keys, more: {} },
    { keys, more: onDisk },
  ]),
)('the first row of each $keys, $more', ({ keys, more }) => {
  const options = { input, keys, ...more };
  const first = (context: OperatorContext) => new FirstRowsOperator(context, options);
  checkMoves((steps) => ({ input, steps, keys, build: first, orderedBy: keys }), {
    mayGo: false,
  });
});

test('tables that grow, in snapshots of everything and of what was added', () => {
  const rows = Array.from({ length: 16 * 7 }, (_, at): Row => {
    return { key: `key ${at % 61} of many`, n: at, text: rowText({ at: at % 3 }), weight: 1n };
  });
  const steps = rows.map((row): Step => ({ row }));
  const outcomeOf = (given: readonly Row[]) => outcome(given, rounded);
  checkSnapshots({ input, steps, keys: ['key'], build: aggregate(added), outcomeOf });
});
