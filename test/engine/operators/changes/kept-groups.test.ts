/**
 * Goal: running groups go on where memory has no room for all of them: what was known of a key on disk counts, the newest of it, and
 * no key is taken for another with its hash; within the share, whatever the disk does, and without a trace.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { bucketOf, placeOf } from '../../../../engine/operators/changes/group-order.ts';
import { runsToMerge } from '../../../../engine/operators/changes/run-choice.ts';
import {
  RunningAggregateOperator,
  type RunningAggregateOptions,
} from '../../../../engine/operators/changes/running-aggregate-operator.ts';
import { WantedGroups } from '../../../../engine/operators/changes/wanted-groups.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { rowKindType } from '../../../../engine/plan/row-kind.ts';
import { int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { applied, appliedByKey, sorted } from '../../../support/changelog.ts';
import {
  lehmer,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { expectDiskErrors, runWithinShare, TearingDisk } from '../within-share.ts';

const input = schemaOf(fieldOf('key', int64Type), fieldOf('text', utf8Type));
const options: RunningAggregateOptions = {
  ...{ input, phase: 'whole', keys: ['key'], weight: null, kindColumn: 'kind' },
  output: schemaOf(
    fieldOf('key', int64Type),
    fieldOf('rows', int64Type),
    fieldOf('least', utf8Type),
    fieldOf('kind', rowKindType),
  ),
  aggregates: [
    { name: 'rows', function: 'count', columns: [] },
    { name: 'least', function: 'min', columns: ['text'] },
  ],
  ...{ givesBefore: true, extremes: [], everyMs: 100, ttlMs: null },
};
const build = (context: OperatorContext) => new RunningAggregateOperator(context, options);

function groupsOf(rows: readonly Row[]): Row[] {
  const groups = new Map<unknown, { key: unknown; rows: bigint; least: string }>();
  for (const { key, text } of rows) {
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { key, rows: 1n, least: String(text) });
    else {
      known.rows++;
      if (String(text) < known.least) known.least = String(text);
    }
  }
  return [...groups.values()];
}

/** Rows of keys in any order, each key about `times` times. */
function anyRows(keyCount: number, times: number): Row[] {
  const random = lehmer(7);
  return Array.from({ length: keyCount * times }, () => {
    const key = BigInt(Math.floor(random() * keyCount));
    const number = Math.floor(random() * 1000);
    return { key, text: number < 500 ? `${number}` : `a text behind the view, ${number}` };
  });
}

test('groups of several times what fits in memory, within the share', () => {
  const rows = anyRows(12_000, 3);
  const { found, spilledBytes } = runWithinShare({ schema: input, rows, build });
  expect(spilledBytes).toBeGreaterThan(200_000);
  expect(appliedByKey(found, 'kind', ['key'])).toEqual(sorted(groupsOf(rows)));
});

test('a disk that is full, and one that loses bytes, are told of, and nothing is left', () => {
  const rows = anyRows(9_000, 1);
  const little: RunningAggregateOptions = { ...options, slotsMax: 4096, tableBytes: 1 };
  const small = (context: OperatorContext) => new RunningAggregateOperator(context, little);
  expectDiskErrors((plan) => runWithinShare({ schema: input, rows, build: small, plan }));
  const torn = { schema: input, rows, build: small, disk: new TearingDisk() };
  expect(() => runWithinShare(torn)).toThrow(/SPILL_DAMAGED|ends early|checksum/);
});

/** Pairs of keys whose hashes are equal. */
function collisions(): bigint[] {
  const memory = new SlotMemory({ budgetBytes: 64 << 20 });
  const kernels = instantiateKernels(memory.memory);
  const scope = memory.scope('hashes');
  const count = 400_000;
  const block = scope.allocate(count * 12);
  const keys = addressOf(block);
  const { uint32 } = scope.memory;
  for (let key = 0; key < count; key++) {
    uint32[(keys >>> 2) + key * 2] = key;
    uint32[(keys >>> 2) + key * 2 + 1] = 0;
  }
  kernels.hashInt64(keys, 0, 0, count, keys + count * 8);
  const seen = new Map<number, number>();
  const found: bigint[] = [];
  for (let key = 0; key < count; key++) {
    const hash = uint32[((keys + count * 8) >>> 2) + key] ?? 0;
    const other = seen.get(hash);
    if (other !== undefined) found.push(BigInt(other), BigInt(key));
    seen.set(hash, key);
  }
  scope.memory.release(block);
  return found;
}

test('keys with one hash are different keys, in memory and on disk', () => {
  const keys = collisions().slice(0, 6);
  expect(keys.length).toBe(6);
  const onDisk = { ...options, tableBytes: 1 };
  const steps = fc.array(
    fc.record({
      key: fc.constantFrom(...keys),
      text: fc.constantFrom('a', 'b'),
      waits: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, fc.constantFrom(...runModes), (drawn, mode) => {
      const given = drawn.flatMap(({ key, text, waits }, at): Step[] =>
        waits ? [{ row: { key, text } }, { wake: (at + 1) * 1_000 }] : [{ row: { key, text } }],
      );
      const own = (context: OperatorContext) => new RunningAggregateOperator(context, onDisk);
      const found = runOperator({ input, steps: given, build: own, expected: [] }, mode);
      expect(appliedByKey(found, 'kind', ['key'])).toEqual(sorted(groupsOf(drawn)));
    }),
    { numRuns: 30 },
  );
});

test('hot keys and cold ones, over many runs that are merged by and by', () => {
  const random = lehmer(3);
  const rows = Array.from({ length: 14_000 }, (_, at) => {
    const isHot = random() < 0.5;
    return { key: BigInt(isHot ? at % 50 : Math.floor(random() * 4_000)), text: `t${at % 97}` };
  });
  const little = { ...options, slotsMax: 512, tableBytes: 150_000 };
  const own = (context: OperatorContext) => new RunningAggregateOperator(context, little);
  for (const name of ['whole batch', 'all at once, whole']) {
    const mode = runModes.find((one) => one.name === name) as (typeof runModes)[number];
    const found = runOperator({ input, rows, build: own, expected: [] }, mode);
    expect(applied(found, 'kind')).toEqual(sorted(groupsOf(rows)));
    expect(appliedByKey(found, 'kind', ['key'])).toEqual(sorted(groupsOf(rows)));
  }
});

test('wanted groups are found as often as they are wanted', () => {
  const wanted = new WantedGroups(Uint32Array.of(7, 3, 7));
  expect([...wanted.places]).toEqual([3, 7, 7]);
  expect([wanted.has(7), wanted.has(5), wanted.has(0xffff_ffff)]).toEqual([true, false, false]);
  wanted.markFound(7);
  expect([wanted.has(7), wanted.areAllFound]).toEqual([true, false]);
  wanted.markFound(7);
  wanted.markFound(7);
  expect([wanted.has(7), wanted.areAllFound]).toEqual([false, false]);
  wanted.markFound(3);
  expect(wanted.areAllFound).toBe(true);
});

test('places of a task whose hashes have equal high bits are in all buckets, and buckets nest', () => {
  const counts = new Array<number>(64).fill(0);
  for (let hash = 0; hash < 16_000; hash++) {
    const place = placeOf((5 << 25) | hash);
    expect(bucketOf(place, 3)).toBe(bucketOf(place, 6) >>> 3);
    const bucket = bucketOf(place, 6);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  expect(bucketOf(0xffff_ffff, 0)).toBe(0);
  for (const count of counts) expect(count).toBeGreaterThan(180);
});

test.each([
  { runs: [], merges: 0 },
  { runs: [1, 1, 1, 1, 1, 1], merges: 0 },
  { runs: [1, 1, 1, 1, 1, 1, 1], merges: 7 },
  { runs: [1, 1, 1, 1, 1, 1, 7], merges: 6 },
  { runs: [1, 1, 1, 1, 1, 6, 7], merges: 5 },
  { runs: [1, 2, 3, 4, 5, 6, 7], merges: 7 },
  { runs: [1, 9, 100, 100, 100, 100, 100], merges: 2 },
])('of runs with $runs groups the newest $merges become one', ({ runs, merges }) => {
  expect(runsToMerge(runs)).toBe(merges);
});
