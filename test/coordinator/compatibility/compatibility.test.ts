/**
 * Goal: for each way in which a job may change between two runs, what becomes of its state is said, and said rightly: what is
 * as it was, what changes by itself, what a function is needed for, and what is refused with what to write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { agg, defineJob, session, state, t, tumbling } from 'millrace';
import { files, ndjson } from 'millrace/files';
import { expect, test } from 'vitest';
import {
  type CheckpointManifest,
  decodeManifest,
  encodeManifest,
} from '../../../coordinator/checkpoint/checkpoint-manifest.ts';
import { describeOperators, manifestOf } from '../../../coordinator/checkpoint/manifest-of.ts';
import { compatibilityOf } from '../../../coordinator/compatibility/compatibility.ts';
import { canGoOn, hintsText } from '../../../coordinator/compatibility/report-text.ts';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { JobDefinition } from '../../../engine/api/define-job.ts';
import { declaredStates } from '../../../engine/plan/declared-state.ts';
import { keptAs } from '../../../engine/plan/kept-as.ts';

const Row = t.struct({ user: t.utf8(), item: t.int32(), price: t.float64(), at: t.timestampMs() });
const Out = t.struct({ user: t.utf8() });
const source = () => files.source({ path: 'in/', format: ndjson(Row) });
const sink = () => files.sink({ path: 'out/', format: 'ndjson' });

interface Context {
  // biome-ignore lint/suspicious/noExplicitAny: jobs of all shapes are made here, and are typed where users write them.
  readonly read: any;
}

const jobOf = (build: (context: Context) => unknown): JobDefinition =>
  defineJob({ name: 'shop', mode: 'streaming', build: build as never });

function declaredBy(job: JobDefinition, parallelism: number) {
  const { graph } = buildJob(job, {});
  const physical = planJob(graph, { parallelism, mode: 'streaming' });
  return { physical, declared: declaredStates(graph), operators: describeOperators(physical) };
}

/** A checkpoint in which each operator that can has something. */
function checkpointOf(job: JobDefinition): CheckpointManifest {
  const { physical, declared } = declaredBy(job, 2);
  const part = { path: 'a', byteOffset: 0, sizeBytes: 1, checksum: 0, rowCount: 1 };
  const snapshots = physical.vertices.map(({ id: vertexId, chain }) => ({
    ...{
      taskId: `${vertexId}[0]`,
      vertexId,
      taskIndex: 0,
      parallelism: 1,
      source: null,
      prepared: null,
    },
    operators: chain
      .filter(({ kind }) => !['source', 'sink', 'project', 'filter', 'filterRows'].includes(kind))
      .map((spec) => ({
        operatorId: spec.id,
        kind: keptAs(spec),
        note: { a: 1 },
        parts: [{ ...part, part: spec.kind === 'process' ? 'state-total' : 'rows' }],
      })),
    statistics: { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 },
  }));
  const statistics = {
    checkpointId: 1,
    kind: 'checkpoint',
    durationMs: 1,
    sizeBytes: 1,
    missing: [],
    tasks: [],
  } as const;
  const facts = { jobFingerprint: '', writtenBy: '', epoch: 1, nowMs: 0, keyGroupCount: 128 };
  const sources = declared.filter(({ kind }) => kind === 'source');
  const splits = Object.fromEntries(sources.map(({ operatorId }) => [operatorId, ['split']]));
  return manifestOf(
    { checkpointId: 1, checkpointKind: 'checkpoint', writes: [], snapshots, statistics },
    { ...facts, graph: physical, declared, splits },
  );
}

function findings(old: JobDefinition, now: JobDefinition) {
  return compatibilityOf(checkpointOf(old), declaredBy(now, 3));
}

/** `state verdict: text` of those that are not as they were. */
function changes(old: JobDefinition, now: JobDefinition): string[] {
  return findings(old, now)
    .filter(({ verdict }) => verdict !== 'same')
    .map(
      ({ operatorId, state: name, verdict, text }) => `${operatorId} ${name} ${verdict}: ${text}`,
    );
}

const processing = (states: object, verb?: object) =>
  jobOf(({ read }) =>
    read(source())
      .keyBy((row: { user: unknown }) => row.user)
      .process({ state: states, output: Out, onRow: () => undefined }, verb)
      .writeTo(sink()),
  );
const Sum = t.struct({ sum: t.int32(), note: t.utf8() });
const sums = processing({ total: state.value(Sum) });

test.each<[string, object, string[]]>([
  ['the same', { total: state.value(Sum) }, []],
  [
    'a field that may be null',
    { total: state.value(t.struct({ sum: t.int32(), note: t.utf8(), when: t.date().nullable() })) },
    ['total changed: when added, null at first'],
  ],
  [
    'a field with a default',
    {
      total: state.value(t.struct({ sum: t.int32(), note: t.utf8(), count: t.int64() }), {
        defaults: { count: 0n },
      }),
    },
    ['total changed: count added with its default'],
  ],
  [
    'a field without',
    { total: state.value(t.struct({ sum: t.int32(), note: t.utf8(), count: t.int64() })) },
    [
      'total needs migration: it was of struct<sum int32, note utf8>, and is of struct<sum int32, note utf8, count int64>: count: it is new, and has neither a default nor null',
    ],
  ],
  [
    'wider, and null',
    { total: state.value(t.struct({ sum: t.int64(), note: t.utf8().nullable() })) },
    ['total changed: sum widened from int32 to int64; note may be null'],
  ],
  [
    'a field under another name',
    {
      total: state.value(t.struct({ all: t.int32(), note: t.utf8() }), { renamed: { all: 'sum' } }),
    },
    ['total changed: all was sum'],
  ],
  ['another name', { all: state.value(Sum, { was: 'total' }) }, ['all changed: was "total"']],
  [
    'another name that is not said',
    { all: state.value(Sum) },
    ['all new: begins empty', 'total dropped: the operator has no state of this name'],
  ],
  [
    'narrower',
    { total: state.value(t.struct({ sum: t.int16(), note: t.utf8() })) },
    [
      'total needs migration: it was of struct<sum int32, note utf8>, and is of struct<sum int16, note utf8>: sum: int32 is no int16',
    ],
  ],
  [
    'a function',
    { total: state.value(t.utf8(), { migrate: { from: Sum, with: ({ sum }) => `${sum}` } }) },
    ["total migrated: struct<sum int32, note utf8> becomes utf8, by the job's function"],
  ],
  [
    'a function of another type',
    { total: state.value(t.utf8(), { migrate: { from: t.int32(), with: (sum) => `${sum}` } }) },
    [
      'total needs migration: it was of struct<sum int32, note utf8>, and is of utf8: struct<sum int32, note utf8> is no utf8',
    ],
  ],
  [
    'a value that is reduced',
    { total: state.reducing(Sum, (a) => a) },
    ['total changed: value is reducing'],
  ],
  [
    'a list',
    { total: state.list(Sum) },
    [
      'total incompatible: it was value of struct<sum int32, note utf8>, and is list of struct<sum int32, note utf8>',
    ],
  ],
  [
    'one more',
    { total: state.value(Sum), seen: state.map(t.utf8(), t.bool()) },
    ['seen new: begins empty'],
  ],
  [
    'entries that go by themselves',
    { total: state.value(Sum, { ttl: { afterMs: 5 } }) },
    ['total changed: entries that are there live as long as they would have'],
  ],
])('a state: %s', (_, states, expected) => {
  expect(changes(sums, processing(states))).toEqual(expected.map((text) => `process-user ${text}`));
});

test('what to write is a line that can be copied', () => {
  const old = processing({ total: state.value(t.decimal(9, 2).nullable()) });
  const text = hintsText(findings(old, processing({ total: state.value(t.utf8()) })), false);
  expect(text).toContain(
    'Write at "total": migrate: { from: t.decimal(9, 2).nullable(), with: (old) => … }, which answers a utf8.',
  );
});

test('another key, and another kind of operator under the id', () => {
  const byItem = jobOf(({ read }) =>
    read(source())
      .keyBy((row: { item: unknown }) => row.item)
      .process(
        { state: { total: state.value(Sum) }, output: Out, onRow: () => undefined },
        { id: 'process-user' },
      )
      .writeTo(sink()),
  );
  expect(changes(sums, byItem)).toEqual([
    'process-user total incompatible: it was kept by user utf8, and is kept by item int32',
  ]);
  const counts = jobOf(({ read }) =>
    read(source()).limit(3, { id: 'process-user' }).writeTo(sink()),
  );
  expect(changes(sums, counts)).toEqual([
    'process-user total incompatible: it was of process, and is of limit',
  ]);
});

test('an operator that is no more, and one that was given the id', () => {
  expect(changes(sums, processing({ total: state.value(Sum) }, { id: 'mine' }))).toEqual([
    'process-user total dropped: the job has no operator with this id',
    'mine total new: begins empty',
  ]);
  const all = findings(sums, processing({ total: state.value(Sum) }, { id: 'mine' }));
  expect([canGoOn(all, false), canGoOn(all, true)]).toEqual([false, true]);
});

test('operators that only their order tells apart are refused once there are more of them', () => {
  const two = jobOf(({ read }) => {
    const rows = read(source()).keyBy((row: { user: unknown }) => row.user);
    const one = () =>
      rows.process({ state: { total: state.value(Sum) }, output: Out, onRow: () => undefined });
    return [one().writeTo(sink()), one().writeTo(files.sink({ path: 'more/', format: 'ndjson' }))];
  });
  const found = changes(sums, two);
  expect(found).toContain(
    'process-user process incompatible: it is told from others like it by order alone, and there were 1 (process-user), and are 2 now',
  );
  expect(changes(two, two)).toEqual([]);
  expect(changes(two, sums).join()).toContain(
    'there were 2 (process-user, process-user-2), and are 1 now',
  );
});

test('those that read something else are told apart all the same, wherever they are put', () => {
  const more = () => files.sink({ path: 'more/', format: 'ndjson' });
  const branches = (isInFront: boolean) =>
    jobOf(({ read }) => {
      const rows = read(source());
      const total = rows
        .keyBy((row: { user: unknown }) => row.user)
        .process({ state: { total: state.value(Sum) }, output: Out, onRow: () => undefined })
        .writeTo(sink());
      const others = rows.limit(3).writeTo(more());
      return isInFront ? [others, total] : [total, others];
    });
  const withWrites = (job: JobDefinition): CheckpointManifest => ({
    ...checkpointOf(job),
    writes: { 'sink-files': [{ checkpointId: 1, taskId: 'v3[0]', vertexId: 'v3', write: 'a' }] },
  });
  const verdicts = (now: JobDefinition) =>
    compatibilityOf(withWrites(sums), declaredBy(now, 2))
      .filter(({ verdict }) => verdict !== 'same' && verdict !== 'new')
      .map(({ operatorId, text }) => `${operatorId} ${text}`);
  expect(verdicts(branches(false))).toEqual([]);
  expect(verdicts(branches(true))).toEqual([
    'sink-files it is told from others like it by order alone, and there were 1 (sink-files), and are 2 now; it seems to be "sink-files-2" now',
  ]);
});

const windows = (window: unknown, aggregates: object, key = 'user') =>
  jobOf(({ read }) =>
    read(source())
      .eventTime((row: { at: unknown }) => row.at)
      .keyBy((row: Record<string, unknown>) => row[key])
      .window(window)
      .aggregate(aggregates, { id: 'totals' })
      .writeTo(sink()),
  );
const price = agg.sum((row: { price: never }) => row.price);
const minute = tumbling({ sizeMs: 60_000 });
const counted = windows(minute, { n: agg.count(), sum: price });

test.each<[string, JobDefinition, string[]]>([
  ['the same', windows(minute, { n: agg.count(), sum: price }), []],
  ['results in another order', windows(minute, { sum: price, n: agg.count() }), []],
  ['one less', windows(minute, { n: agg.count() }), ['changed: "sum" left out']],
  [
    'one more',
    windows(minute, {
      n: agg.count(),
      sum: price,
      least: agg.min((row: { price: never }) => row.price),
    }),
    ['incompatible: "least" is new: what it is made of has not been kept for open windows'],
  ],
  [
    'another function',
    windows(minute, { n: agg.count(), sum: agg.avg((row: { price: never }) => row.price) }),
    ['incompatible: "sum" was sum(price) of float64, and is avg(price) of float64'],
  ],
  [
    'another size',
    windows(tumbling({ sizeMs: 30_000 }), { n: agg.count(), sum: price }),
    ['incompatible: windows: was tumbling 60000 ms, and is tumbling 30000 ms'],
  ],
  [
    'other windows',
    windows(session({ gapMs: 60_000 }), { n: agg.count(), sum: price }),
    ['incompatible: windows: was tumbling 60000 ms, and is session gap 60000 ms'],
  ],
  [
    'another key',
    windows(minute, { n: agg.count(), sum: price }, 'item'),
    ['incompatible: it was kept by user utf8, and is kept by item int32'],
  ],
])('windows: %s', (_, now, expected) => {
  expect(changes(counted, now)).toEqual(expected.map((text) => `totals rows ${text}`));
});

test('rows that are told apart by all their columns, and results that change, are kept with what they were', () => {
  type Columns = Record<string, unknown>;
  const distinct = (select: (row: Columns) => object) =>
    jobOf(({ read }) => read(source()).select(select).distinct({ id: 'once' }).writeTo(sink()));
  const once = distinct(({ user }) => ({ user }));
  expect(
    changes(
      once,
      distinct(({ user }) => ({ user })),
    ),
  ).toEqual([]);
  expect(
    changes(
      once,
      distinct(({ user, item }) => ({ user, item })),
    ),
  ).toEqual([
    'once rows incompatible: it was kept by user utf8, and is kept by user utf8, item int32',
  ]);
  const running = (aggregates: object) =>
    jobOf(({ read }) =>
      read(source())
        .keyBy((row: Columns) => row['user'])
        .aggregate(aggregates, { id: 'sums' })
        .writeTo(sink()),
    );
  expect(changes(running({ n: agg.count(), sum: price }), running({ n: agg.count() }))).toEqual([
    'sums rows incompatible: "sum" is gone, and results that change are kept with all of them',
  ]);
});

test('a checkpoint without declarations, of the first version, is compared by what it notes', () => {
  const { declared: _, ...first } = checkpointOf(counted);
  const now = (job: JobDefinition) =>
    compatibilityOf(first, declaredBy(job, 2)).map(({ verdict }) => verdict);
  expect(new Set(now(counted))).toEqual(new Set(['same']));
});

test('a manifest with declarations, as this version writes it, is read by all later ones', () => {
  const file = resolve('test/fixtures/formats/v1/declared/manifest.json');
  const written = { ...checkpointOf(sums), writtenBy: '0.1.0' };
  if (process.env['UPDATE_FORMATS'] === '1') writeFileSync(file, encodeManifest(written));
  const decoded = decodeManifest(readFileSync(file));
  expect(decoded.kind).toBe('manifest');
  const { manifest } = decoded as { readonly manifest: CheckpointManifest };
  expect(manifest).toEqual(JSON.parse(JSON.stringify(written)));
  const found = compatibilityOf(manifest, declaredBy(sums, 2));
  expect(new Set(found.map(({ verdict }) => verdict))).toEqual(new Set(['same']));
});
