/**
 * Goal: what a whole job puts aside, and what it has in windows, are together all rows, each once, and as they came;
 * at any parallelism, in one phase and in two, behind unions, with keys that take the names of fields.
 */
import fc from 'fast-check';
import {
  agg,
  type Column,
  countWindow,
  type Stream,
  session,
  sliding,
  t,
  tumbling,
} from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { type BuiltJob, buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Timed = t.struct({ id: t.int64(), key: t.utf8(), at: t.timestampMs().nullable() });
type Rows = Stream<{
  id: Column<'int64', bigint, false, 'id'>;
  key: Column<'utf8', string, false, 'key'>;
  at: Column<'timestampMs', number, true, 'at'>;
}>;

/** Jobs whose results have the sum of the ids of their rows, and how many these are. */
const jobs: Record<string, (rows: Rows) => Stream<never>> = {
  tumbling: (rows) =>
    rows
      .keyBy((row) => row.key)
      .window(tumbling({ sizeMs: 20 }), { missing: 'late', late: rowsSink('late') })
      .aggregate({ ids: agg.sum((row) => row.id), rows: agg.count() }) as never,
  // The key has the name of a field, and the time is a key.
  renamed: (rows) =>
    rows
      .keyBy((row) => ({ id: row.key, key: row.at }))
      .window(tumbling({ sizeMs: 20 }), { missing: 'late', late: rowsSink('late') })
      .aggregate({ at: agg.sum((row) => row.id), rows: agg.count() })
      .select((row) => ({ ids: row.at, rows: row.rows })) as never,
  // Only part of the aggregates is read, and a filter of keys stands behind.
  filtered: (rows) =>
    rows
      .keyBy((row) => row.key)
      .window(tumbling({ sizeMs: 20 }), { missing: 'late', late: rowsSink('late') })
      .aggregate({
        ids: agg.sum((row) => row.id),
        most: agg.max((row) => row.at),
        rows: agg.count(),
      })
      .where((row) => row.key.ne('none'))
      .select((row) => ({ ids: row.ids, rows: row.rows })) as never,
  again: (rows) =>
    rows
      .window(tumbling({ sizeMs: 20 }), {
        ...{ missing: 'late', late: rowsSink('late'), accumulate: 'discarding' },
        allowedLatenessMs: 5,
      })
      .aggregate({ ids: agg.sum((row) => row.id), rows: agg.count() }) as never,
  united: (rows) =>
    rows
      .union(rows)
      .keyBy((row) => row.key)
      .window(tumbling({ sizeMs: 20 }), { missing: 'late', late: rowsSink('late') })
      .aggregate({ ids: agg.sum((row) => row.id), rows: agg.count() }) as never,
  sessions: (rows) =>
    rows
      .keyBy((row) => row.key)
      .window(session({ gapMs: 3 }), { missing: 'late', late: rowsSink('late') })
      .aggregate({ ids: agg.sum((row) => row.id), rows: agg.count() }) as never,
};

function built(make: (rows: Rows) => Stream<never>): BuiltJob {
  const job = defineJob({
    name: 'aside',
    mode: 'streaming',
    build: ({ read }) => {
      const rows = read(tableSource('rows', Timed.schema) as never) as never as Rows;
      return make(rows.eventTime((row) => row.at)).writeTo(rowsSink('out'));
    },
  });
  return buildJob(job, {});
}

const someRows = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.option(fc.nat(200), { freq: 9 }) }),
  { minLength: 1, maxLength: 300 },
);

function tableOf(rows: readonly { readonly key: string; readonly at: number | null }[]): Row[] {
  return rows.map(({ key, at }, id) => ({
    id: BigInt(id),
    key,
    at: at === null ? null : BigInt(at),
  }));
}

const sum = (rows: readonly Row[] | undefined, name: string) =>
  (rows ?? []).reduce((total, row) => total + BigInt((row[name] as bigint | number) ?? 0), 0n);

test.each(Object.keys(jobs))('windows and late rows are all rows: %s', (name) => {
  const make = jobs[name];
  if (make === undefined) throw new Error('a job of the list');
  const { graph, functions } = built(make);
  const copies = name === 'united' ? 2n : 1n;
  let lateCount = 0;
  fc.assert(
    fc.property(someRows, fc.constantFrom(1, 2, 3), (given, parallelism) => {
      const rows = tableOf(given);
      const plan = planJob(graph, { parallelism });
      const outputs = runPlan(plan, { tables: { rows }, functions });
      const late = outputs.get('late') ?? [];
      lateCount += late.length;
      const counted = sum(outputs.get('out'), 'rows') + BigInt(late.length);
      expect(counted).toBe(BigInt(rows.length) * copies);
      expect(sum(outputs.get('out'), 'ids') + sum(late, 'id')).toBe(sum(rows, 'id') * copies);
      const known = new Set(textsOf(rows));
      expect(textsOf(late).filter((text) => !known.has(text))).toEqual([]);
      const untimed = rows.filter(({ at }) => at === null);
      const found = textsOf(late.filter(({ at }) => at === null));
      expect(found).toEqual(textsOf(copies === 2n ? [...untimed, ...untimed] : untimed));
    }),
    { numRuns: 40 },
  );
  expect(lateCount, 'the cases have late rows').toBeGreaterThan(0);
});

test('in batch only rows without a time are late', () => {
  const { graph, functions } = built(jobs['tumbling'] as (rows: Rows) => Stream<never>);
  const rows = tableOf([
    { key: 'a', at: 90 },
    { key: 'b', at: null },
    { key: 'a', at: 1 },
  ]);
  const plan = planJob(graph, { parallelism: 2, mode: 'batch' });
  const outputs = runPlan(plan, { tables: { rows }, functions });
  expect(outputs.get('late')).toEqual([rows[1]]);
  expect(sum(outputs.get('out'), 'rows')).toBe(2n);
});

test.each(['batch', 'streaming'] as const)(
  '%s: times too far ahead, and none, are put aside',
  (mode) => {
    const job = defineJob({
      name: 'untimely',
      mode,
      build: ({ read }) => {
        const rows = read(tableSource('rows', Timed.schema) as never) as never as Rows;
        return rows
          .eventTime((row) => row.at, { futureLimitMs: 1_000, untimely: rowsSink('untimely') })
          .keyBy((row) => row.key)
          .window(sliding({ sizeMs: 20, slideMs: 10 }))
          .aggregate({ rows: agg.count() })
          .writeTo(rowsSink('out'));
      },
    });
    const { graph, functions } = buildJob(job, {});
    // The clock of the tests begins at 1,800,000,000,000.
    const far = [1_900_000_000_000, 2 ** 52].map((at) => ({ key: 'far', at }));
    const near = Array.from({ length: 50 }, (_, at) => ({ key: 'a', at: at + 5 }));
    const rows = tableOf([...near.slice(0, 20), ...far, { key: 'b', at: null }, ...near.slice(20)]);
    for (const parallelism of [1, 2, 3]) {
      const outputs = runPlan(planJob(graph, { parallelism }), { tables: { rows }, functions });
      expect(textsOf(outputs.get('untimely'))).toEqual(textsOf(rows.slice(20, 23)));
      expect(sum(outputs.get('out'), 'rows')).toBe(100n);
    }
  },
);

test.each(['batch', 'streaming'] as const)('%s: windows of a count, at any parallelism', (mode) => {
  const { graph, functions } = built(
    (rows) =>
      rows
        .keyBy((row) => row.key)
        .window(countWindow({ rows: 4, slideRows: 2 }))
        .aggregate({ rows: agg.count(), id: agg.max((row) => row.id) })
        .where((row) => row.key.ne('c')) as never,
  );
  fc.assert(
    fc.property(someRows, fc.constantFrom(1, 2, 3), (given, parallelism) => {
      const rows = tableOf(given);
      const plan = planJob(graph, { parallelism, mode });
      const found = runPlan(plan, { tables: { rows }, functions }).get('out') ?? [];
      expect(found.every((row) => row['rows'] === 4n)).toBe(true);
      for (const key of ['a', 'b', 'c']) {
        const count = given.filter((row) => row.key === key).length;
        const windows = key === 'c' || count < 4 ? 0 : Math.floor((count - 4) / 2) + 1;
        expect(found.filter((row) => row['key'] === key)).toHaveLength(windows);
      }
    }),
    { numRuns: 30 },
  );
});

const Summary = t.struct({ key: t.utf8(), start: t.float64(), ids: t.utf8() });

test.each(['batch', 'streaming'] as const)(
  '%s: functions over windows see all rows but late ones',
  (mode) => {
    const make = (rows: Rows) =>
      rows
        .keyBy((row) => ({ id: row.key.concat('!') }))
        .window(tumbling({ sizeMs: 20 }), { missing: 'late', late: rowsSink('late') })
        .process(Summary, (all, { key, start }) => [
          { key: String(key.id), start, ids: [...all].map(({ id }) => id).join() },
        ]);
    const { graph, functions } = built(make as never);
    fc.assert(
      fc.property(someRows, fc.constantFrom(1, 2, 3), (given, parallelism) => {
        const rows = tableOf(given);
        const plan = planJob(graph, { parallelism, mode });
        const outputs = runPlan(plan, { tables: { rows }, functions });
        const late = textsOf(outputs.get('late'));
        const inTime = rows.filter((row) => !late.includes(textsOf([row])[0] ?? ''));
        expect(inTime.length + late.length).toBe(rows.length);
        const windowOf = ({ at }: Row) => Math.floor(Number(at) / 20) * 20;
        const expected = [...Map.groupBy(inTime, (row) => `${row['key']}! ${windowOf(row)}`)];
        const found = (outputs.get('out') ?? []).map(({ key, start, ids }) => {
          return `${key} ${start}: ${String(ids).split(',').sort().join()}`;
        });
        const texts = expected.map(
          ([name, own]) =>
            `${name}: ${own
              .map(({ id }) => id)
              .sort()
              .join()}`,
        );
        expect(found.sort()).toEqual(texts.sort());
      }),
      { numRuns: 30 },
    );
  },
);

test('a window is reduced to a row, which stays one of the stream', () => {
  const { graph, functions } = built((rows) => {
    const best = rows
      .keyBy((row) => row.key)
      .window(tumbling({ sizeMs: 50 }))
      .reduce((left, right) => (right.id > left.id ? right : left));
    return best.where((row) => row.id.gt(-1)) as never;
  });
  const rows = tableOf(Array.from({ length: 200 }, (_, at) => ({ key: at % 2 ? 'a' : 'b', at })));
  const outputs = runPlan(planJob(graph, { parallelism: 2 }), { tables: { rows }, functions });
  const last = [48, 49, 98, 99, 148, 149, 198, 199].map((id) => rows[id] as Row);
  expect(textsOf(outputs.get('out'))).toEqual(textsOf(last));
});
