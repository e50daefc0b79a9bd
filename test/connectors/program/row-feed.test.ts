/**
 * Goal: rows of a program reach the other end of a ring, all of them and in order, in every form that
 * they may be given in; errors are told, and nothing is held afterwards.
 */
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { drainRows } from '../../../connectors/program/row-drain.ts';
import { feedRows, type GivenRow, type RowsInput } from '../../../connectors/program/row-feed.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { float64Type, int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { batchCases, expectedRows } from '../../support/batches.ts';
import { ringScene } from '../../support/program-ring.ts';
import { emptyAtEnd } from '../../support/slot-context.ts';

const schema = schemaOf(fieldOf('n', int32Type), fieldOf('text', utf8Type, true));

function someRows(count: number, first = 0): GivenRow[] {
  return Array.from({ length: count }, (_, row) => ({
    n: first + row,
    text: row % 3 === 0 ? null : `text ${first + row}`,
  }));
}

/** Feeds and drains beside each other; the batches' rows, and how the drain ended. */
async function through(input: RowsInput, of: Schema = schema, slotBytes?: number) {
  const memory = emptyAtEnd(32 << 20);
  const { feed, drain } = ringScene(memory, of, slotBytes);
  const batches: Record<string, unknown>[][] = [];
  const [fed, outcome] = await Promise.allSettled([
    feedRows(feed, input),
    drainRows(drain, async (batch) => {
      batches.push(readRows(batch));
      await Promise.resolve();
    }),
  ]);
  return { batches, fed, outcome: outcome.status === 'fulfilled' ? outcome.value : outcome.reason };
}

test('any rows of any types', async () => {
  await fc.assert(
    fc.asyncProperty(batchCases(), fc.constantFrom(32, 256, 4096), async (spec, slotBytes) => {
      const rows = expectedRows({ ...spec, selected: null });
      const memory = emptyAtEnd(8 << 20);
      const { feed, drain } = ringScene(memory, spec.schema, slotBytes);
      const found: unknown[] = [];
      const drained = drainRows(drain, (batch) => {
        found.push(...readRows(batch));
      });
      await feedRows(feed, rows);
      expect(await drained).toBe('ended');
      expect(found).toEqual(rows);
      memory.assertEmpty();
    }),
    { numRuns: 50 },
  );
});

test('arrays go in full batches', async () => {
  const rows = someRows(20_000);
  const { batches, outcome } = await through(rows);
  expect(outcome).toBe('ended');
  expect(batches.map((batch) => batch.length)).toEqual([8192, 8192, 3616]);
  expect(batches.flat()).toEqual(rows);
});

test('generators, and async ones whose arrays go on at once', async () => {
  function* some() {
    yield* someRows(10);
  }
  expect((await through(some())).batches).toEqual([someRows(10)]);
  async function* later() {
    yield someRows(3);
    yield { n: 3, text: null };
    yield { n: 4, text: 'x' };
    yield someRows(2, 5);
    yield { n: 7, text: null };
  }
  const { batches } = await through(later());
  expect(batches.map((batch) => batch.map((row) => row.n))).toEqual([[0, 1, 2], [3, 4, 5, 6], [7]]);
});

test('no rows are an end', async () => {
  expect(await through([])).toMatchObject({ batches: [], outcome: 'ended' });
});

test('tables of apache-arrow, with the columns of the struct in its order', async () => {
  const table = new arrow.Table({
    text: arrow.vectorFromArray(['a', null, 'c'], new arrow.Utf8()),
    more: arrow.vectorFromArray([1, 2, 3], new arrow.Float64()),
    n: arrow.vectorFromArray([1, 2, 3], new arrow.Int32()),
  });
  const { batches, outcome } = await through(table);
  expect(outcome).toBe('ended');
  expect(batches).toEqual([
    [
      { n: 1, text: 'a' },
      { n: 2, text: null },
      { n: 3, text: 'c' },
    ],
  ]);
});

test.each([
  [schemaOf(fieldOf('m', int32Type)), 'the table of "feed" has no column "m"'],
  [schemaOf(fieldOf('n', float64Type)), 'has column "n" as int32, not float64'],
])('a table with other columns is refused: %#', async (wanted, message) => {
  const table = new arrow.Table({ n: arrow.vectorFromArray([1], new arrow.Int32()) });
  const { fed, outcome } = await through(table, wanted);
  expect(outcome).toBe('failed');
  expect(fed.status === 'rejected' && codeOf(fed.reason)).toBe('SCHEMA_MISMATCH');
  expect(fed.status === 'rejected' && String(fed.reason)).toContain(message);
});

test.each([
  [[{ n: 1, text: 'a' }, null], 'row 1 of the rows of "feed" is null'],
  [[{ n: 1, text: 'a' }, 5], 'row 1 of the rows of "feed" is a number'],
  [[[1, 'a']], 'row 0 of the rows of "feed" is an array'],
  [[{ n: 1.5, text: 'a' }], 'column "n"'],
  [[{ text: 'a' }], 'column "n"'],
])('a row that does not fit is an error: %j', async (rows, message) => {
  const { fed, outcome } = await through(rows as unknown as GivenRow[]);
  expect(outcome).toBe('failed');
  expect(fed.status === 'rejected' && String(fed.reason)).toContain(message);
});

test('an error of the iterator is told, and rows before it are not lost', async () => {
  async function* broken() {
    yield someRows(2);
    throw new Error('the feed broke');
  }
  const { fed, outcome, batches } = await through(broken());
  expect(outcome).toBe('failed');
  expect(batches.flat()).toEqual(someRows(2));
  expect(fed.status === 'rejected' && fed.reason.message).toBe('the feed broke');
});

test('an error of the taker ends the drain', async () => {
  const memory = emptyAtEnd(8 << 20);
  const { feed, drain, ended, bell } = ringScene(memory, schema);
  const fed = feedRows(feed, someRows(50_000));
  const take = () => Promise.reject(new Error('taken enough'));
  await expect(drainRows(drain, take)).rejects.toThrow('taken enough');
  ended.abort();
  bell.ring();
  await fed;
});

test('a full ring holds the producer back', async () => {
  const memory = emptyAtEnd(8 << 20);
  const { feed, drain } = ringScene(memory, schema);
  let given = 0;
  async function* counted() {
    for (; given < 1000; given++) yield someRows(50, given * 50);
  }
  const fed = feedRows(feed, counted());
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
  expect(given).toBeLessThan(10);
  let taken = 0;
  await drainRows(drain, (batch) => {
    taken += batch.rowCount;
  });
  await fed;
  expect(taken).toBe(50_000);
});

test('when the job has ended a feed stops, also in the middle of a wait for rows', async () => {
  const memory = emptyAtEnd(8 << 20);
  const { feed, ended, bell } = ringScene(memory, schema);
  let isReturned = false;
  const rows: RowsInput = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => undefined),
      return: async () => {
        isReturned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const fed = feedRows(feed, rows);
  ended.abort();
  bell.ring();
  await fed;
  expect(isReturned).toBe(true);
});

test('when the job has ended a drain stops waiting', async () => {
  const memory = emptyAtEnd(8 << 20);
  const { drain, ended, bell } = ringScene(memory, schema);
  const drained = drainRows(drain, () => undefined);
  ended.abort();
  bell.ring();
  expect(await drained).toBe('stopped');
});
