/**
 * Jobs for the cut world, whose results do not depend on the order in which tasks run: sums by key in the order of ids, windows with rows that are
 * late, whoever is asked, and rows of a control stream that each task counts.
 */
import { buildJob } from '../../engine/api/build-job.ts';
import type { SourceOf } from '../../engine/api/endpoints.ts';
import { agg, defineJob, state, t, tumbling } from '../../engine/api/index.ts';
import type { ColumnsOf, StructType } from '../../engine/api/value-type.ts';
import type { CutJob } from './cut-world.ts';
import { lehmer, type Row } from './operator-harness.ts';
import { rowsSink, tableSource } from './plan-runner.ts';

export type JobName = 'sums' | 'windows' | 'control';
export const jobNames: readonly JobName[] = ['sums', 'windows', 'control'];

const Entry = t.struct({ id: t.int64(), key: t.utf8(), at: t.timestampMs(), amount: t.int64() });
const Line = t.struct({ id: t.int64(), key: t.utf8(), sum: t.int64() });
const Rule = t.struct({ rule: t.utf8() });
const Count = t.struct({ key: t.utf8(), rule: t.utf8(), count: t.int64() });

const splitCount = 3;
const rowsPerSplit = 60;
const rules = ['a rule', 'another rule of more than twelve bytes'];
const windowMs = 100;
const lateMs = 2_000;

interface PlainEntry {
  readonly id: bigint;
  readonly key: string;
  readonly at: bigint;
  readonly amount: bigint;
}

/** A key is in one split only. Time goes on by 5 a row; every 20th row is far too late. */
function entries(split: number): PlainEntry[] {
  const random = lehmer(split + 1);
  return Array.from({ length: rowsPerSplit }, (_, at) => {
    const isLate = at % 20 === 19;
    return {
      id: BigInt(split * rowsPerSplit + at),
      key: `key ${split} ${Math.floor(random() * 7)}${at % 2 === 0 ? '' : ' of more than twelve bytes'}`,
      at: BigInt(isLate ? lateMs + at : lateMs * 5 + at * 50),
      amount: BigInt(Math.floor(random() * 100) - 50),
    };
  });
}

const all = Array.from({ length: splitCount }, (_, split) => entries(split));
const controls = Array.from({ length: 2 }, (_, split) =>
  Array.from({ length: 40 }, (_, at): Row => ({ rule: rules[(split + at) % 3 === 0 ? 1 : 0] })),
);

export function jobOf(name: JobName): CutJob {
  const { graph, functions } = buildJob(jobs[name](), {});
  const rows = all as unknown as Row[][];
  // Who is late is known where one task reads all.
  const tables = { rows: name === 'windows' ? [rows.flat().toSorted(byTime)] : rows, controls };
  return { graph, functions, tables };
}

function byTime(left: Row, right: Row): number {
  const placeOf = ({ id }: Row) => (Number(id) % rowsPerSplit) * splitCount;
  return placeOf(left) - placeOf(right);
}

type Source<S> = SourceOf<S extends StructType<infer Fields> ? ColumnsOf<Fields> : never>;

const entriesOf = tableSource('rows', Entry.schema) as Source<typeof Entry>;
/** Control rows come beside others where their source has no end, as far as the plan knows. */
const controlsOf = {
  ...tableSource('controls', Rule.schema),
  isUnbounded: true,
} as Source<typeof Rule>;

const jobs = {
  sums: () =>
    defineJob({
      name: 'sums',
      mode: 'streaming',
      build: ({ read }) =>
        read(entriesOf)
          .keyBy((entry) => entry.key)
          .process({
            state: { sum: state.value(t.int64()) },
            output: Line,
            onRow({ id, key, amount }, { state: { sum }, emit }) {
              const now = (sum.get() ?? 0n) + amount;
              sum.set(now);
              emit({ id, key, sum: now });
            },
          })
          .flatMap(Line, function* (line) {
            const { id, key, sum } = line;
            yield { id, key, sum };
            if (id % 10n === 0n) yield { id, key, sum: -1n };
          })
          .writeTo(rowsSink('out')),
    }),
  windows: () =>
    defineJob({
      name: 'windows',
      mode: 'streaming',
      build: ({ read }) =>
        read(entriesOf)
          .eventTime((entry) => entry.at, { outOfOrdernessMs: 0 })
          .where((entry) => entry.amount.ge(-40n))
          .keyBy((entry) => entry.key)
          .window(tumbling({ sizeMs: windowMs }))
          .aggregate({ sum: agg.sum((entry) => entry.amount), rows: agg.count() })
          .writeTo(rowsSink('out')),
    }),
  control: () =>
    defineJob({
      name: 'control',
      mode: 'streaming',
      build: ({ read }) =>
        read(entriesOf)
          .eventTime((entry) => entry.at, { outOfOrdernessMs: 0 })
          .keyBy((entry) => entry.key)
          .process({
            state: { seen: state.value(t.int64()), counts: state.broadcast(t.utf8(), t.int64()) },
            output: Count,
            control: read(controlsOf),
            onControl({ rule }, { state: { counts } }) {
              counts.set(rule, (counts.get(rule) ?? 0n) + 1n);
            },
            onRow(_entry, { state: { seen }, timers }) {
              seen.set((seen.get() ?? 0n) + 1n);
              timers.eventTime(endMs);
            },
            onTimer(_timeMs, { key, state: { seen, counts }, emit }) {
              for (const [rule, count] of counts.entries()) emit({ ...key, rule, count });
              emit({ ...key, rule: 'rows', count: seen.get() ?? 0n });
            },
          })
          .writeTo(rowsSink('out')),
    }),
};

/** Behind all rows. */
const endMs = 1e12;

export function expectedOf(name: JobName): readonly Row[] {
  const rows = all.flat();
  if (name === 'sums') return sumsOf(rows);
  return name === 'windows' ? windowsOf(rows) : countsOf(rows);
}

function sumsOf(rows: readonly PlainEntry[]): Row[] {
  const sums = new Map<string, bigint>();
  return rows.flatMap(({ id, key, amount }) => {
    const sum = (sums.get(key) ?? 0n) + amount;
    sums.set(key, sum);
    const line = { id, key, sum };
    return id % 10n === 0n ? [line, { ...line, sum: -1n }] : [line];
  });
}

/** Without rows that are late: no window of theirs is open any more. */
function windowsOf(rows: readonly PlainEntry[]): Row[] {
  const size = BigInt(windowMs);
  const kept = rows.filter(({ amount, at }) => amount >= -40n && at >= BigInt(lateMs * 5));
  const groups = Map.groupBy(kept, ({ key, at }) => `${key}|${at / size}`);
  return [...groups.values()].map((group): Row => {
    const [{ key, at } = { key: '', at: 0n }] = group;
    const windowStart = (at / size) * size;
    const sum = group.reduce((total, one) => total + one.amount, 0n);
    const rowCount = BigInt(group.length);
    return { windowStart, windowEnd: windowStart + size, key, sum, rows: rowCount };
  });
}

/** Each key has all control rows counted, and its own. */
function countsOf(rows: readonly PlainEntry[]): Row[] {
  const counts = Map.groupBy(controls.flat(), ({ rule }) => String(rule));
  return [...Map.groupBy(rows, ({ key }) => key)].flatMap(([key, own]): Row[] => {
    const ofRules = [...counts].map(([rule, all]): Row => {
      return { key, rule, count: BigInt(all.length) };
    });
    return [...ofRules, { key, rule: 'rows', count: BigInt(own.length) }];
  });
}
