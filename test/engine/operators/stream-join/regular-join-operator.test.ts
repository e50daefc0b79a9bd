/**
 * Goal: regular joins of every type give the changes that comparing each row with those that are kept gives, whatever
 * turn rows come in; what they come to is the join of all rows; rows are dropped when their time is over.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RegularJoinOperator } from '../../../../engine/operators/stream-join/regular-join-operator.ts';
import type { RegularJoinOptions } from '../../../../engine/operators/stream-join/regular-join-options.ts';
import { becomesNull, isOneSided } from '../../../../engine/plan/join-type.ts';
import { rowKinds, rowKindType } from '../../../../engine/plan/row-kind.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';
import {
  batchOf,
  checkOperator,
  feed,
  newContext,
  type OperatorCase,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { shareOf } from '../../../support/spill-space.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import { type IntervalCase, intervalCases, optionsOf } from './interval-join-cases.ts';

interface RegularCase extends IntervalCase {
  readonly ttlMs: number | null;
}

/** The rows of joins within an interval; marks are the clock going on. */
const regularCases: fc.Arbitrary<RegularCase> = fc
  .record({
    one: intervalCases,
    ttlMs: fc.option(fc.nat(20)),
    waits: fc.infiniteStream(fc.nat(15)),
  })
  .map(({ one, ttlMs, waits }) => {
    let nowMs = 0;
    const steps = one.steps.map((step): Step => {
      if (!('watermark' in step)) return step;
      nowMs += waits.next().value as number;
      return { wake: nowMs };
    });
    return { ...one, ttlMs, steps };
  });

const kindColumn = 'rowKind';
const isChanging = (type: string) => type !== 'inner' && type !== 'semi';

function regularOptionsOf(one: RegularCase): RegularJoinOptions {
  const { left, right, condition, output } = optionsOf(one);
  const { type, ttlMs } = one;
  const common = { type, left, right, ttlMs, sliceMs: 1, condition };
  if (!isChanging(type)) return { ...common, kindColumn: null, output };
  const fields = [...output.fields, fieldOf(kindColumn, rowKindType)];
  return { ...common, kindColumn, output: { fields } };
}

function arePartners(one: RegularCase, left: Row, right: Row): boolean {
  if (one.condition === 'never') return false;
  if (one.condition === 'differs' && left.ln === right.rn) return false;
  return one.keys.every((_, at) => {
    const [a, b] = [left[`l${at}`], right[`r${at}`]];
    return a !== null && a === b && !Number.isNaN(a);
  });
}

interface Kept {
  readonly row: Row;
  readonly cameMs: number;
  hasPartner: boolean;
}

/** Row by row, each beside those of the other side that are kept. */
function expectedChanges(one: RegularCase): Row[] {
  const { type, ttlMs } = one;
  const { output } = regularOptionsOf(one);
  const kept = { left: [] as Kept[], right: [] as Kept[] };
  const changes: Row[] = [];
  const give = (row: Row, kind: number = rowKinds.insert) => {
    const all: Row = { ...row, [kindColumn]: kind };
    changes.push(Object.fromEntries(output.fields.map(({ name }) => [name, all[name] ?? null])));
  };
  const isAloneOut = {
    left: becomesNull(type, 'right') || type === 'anti',
    right: becomesNull(type, 'left'),
  };
  const meet = (other: 'left' | 'right', row: Row, partner: Kept) => {
    if (!partner.hasPartner && isAloneOut[other]) give(partner.row, rowKinds.delete);
    if (!partner.hasPartner && type === 'semi' && other === 'left') give(partner.row);
    partner.hasPartner = true;
    if (!isOneSided(type)) give({ ...row, ...partner.row });
  };
  let nowMs = 0;
  const come = (side: 'left' | 'right', row: Row) => {
    const other = side === 'left' ? 'right' : 'left';
    const partners = kept[other].filter((kept_) =>
      side === 'left' ? arePartners(one, row, kept_.row) : arePartners(one, kept_.row, row),
    );
    for (const partner of partners) meet(other, row, partner);
    if (partners.length === 0 ? isAloneOut[side] : type === 'semi' && side === 'left') give(row);
    kept[side].push({ row, cameMs: nowMs, hasPartner: partners.length > 0 });
  };
  for (const step of one.steps) {
    if ('row' in step) come('left', step.row);
    if ('right' in step) come('right', step.right);
    if (!('wake' in step)) continue;
    nowMs = step.wake;
    if (ttlMs === null) continue;
    for (const side of ['left', 'right'] as const) {
      kept[side] = kept[side].filter(({ cameMs }) => cameMs >= nowMs - ttlMs);
    }
  }
  return changes;
}

function caseOf(one: RegularCase): OperatorCase {
  const options = regularOptionsOf(one);
  return {
    input: options.left.schema,
    rightInput: options.right.schema,
    steps: one.steps,
    isOrdered: false,
    build: (context) => new RegularJoinOperator(context, options),
    expected: expectedChanges(one),
  };
}

test('regular joins give the changes of comparing rows one by one', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(regularCases, (one) => checkOperator(caseOf(one))),
    { numRuns: 40 },
  );
});

test('a row that is taken back was there', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(regularCases, (one) => {
      const there = new Map<string, number>();
      for (const { [kindColumn]: kind, ...row } of runOperator(caseOf(one), runModes[2] as never)) {
        const text = Object.values(row).map(String).join('|');
        const count = (there.get(text) ?? 0) + (kind === rowKinds.delete ? -1 : 1);
        expect(count).toBeGreaterThanOrEqual(0);
        there.set(text, count);
      }
    }),
    { numRuns: 60 },
  );
});

const plain: RegularCase = {
  ...{ type: 'full', ttlMs: 100, steps: [] },
  keys: [{ index: 0, isNullable: { left: false, right: false } }],
  units: { left: 'ms', right: 'ms' },
  ...{ beforeMs: 0, afterMs: 0, lagMs: 0, sliceMs: 1, condition: 'none' },
};
const rowOf = (prefix: 'l' | 'r', at: number): Row => ({
  ...{ [`${prefix}t`]: 0n, [`${prefix}0`]: BigInt(at), [`${prefix}n`]: at % 7 },
  [`${prefix}text`]: 'a text that is behind its view',
});

test('rows are not held when their time is over', () => {
  const { sliceMs: _, ...options } = regularOptionsOf(plain);
  const { memory, context, scope } = newContext('join');
  const clock = { nowMs: 0 };
  const operator = new RegularJoinOperator({ ...context, nowMs: () => clock.nowMs }, options);
  const outbox = { offer: (batch: { release(): void }) => batch.release() === undefined };
  const held: number[] = [];
  for (let round = 0; round < 40; round++) {
    clock.nowMs += 10;
    if (operator.wakeAtMs <= clock.nowMs) expect(operator.wake(clock.nowMs)).toBe(true);
    expect(operator.wakeAtMs).toBeGreaterThan(clock.nowMs);
    for (const [prefix, schema] of [
      ['l', options.left.schema],
      ['r', options.right.schema],
    ] as const) {
      const rows = Array.from({ length: 500 }, (_row, at) => rowOf(prefix, round * 250 + at));
      const batch = batchOf(scope, schema, rows);
      if (prefix === 'l') feed(operator, batch, outbox);
      else for (let row = 0; row < 500; ) row = operator.processRight(batch, row, outbox);
      batch.release();
    }
    held.push(memory.usedBytes);
  }
  expect(Math.max(...held.slice(20))).toBeLessThanOrEqual(Math.max(...held.slice(0, 20)));
  operator.close();
  memory.assertEmpty();
});

test('more rows than the share holds end with an error that says so', () => {
  const { context, scope, memory } = newContext('orders and payments');
  const spill = { ...context.spill, share: shareOf(2 << 20) };
  const options = regularOptionsOf({ ...plain, type: 'inner' });
  const operator = new RegularJoinOperator({ ...context, spill }, options);
  const rows = Array.from({ length: 8192 }, (_, at) => rowOf('l', at));
  const batch = batchOf(scope, options.left.schema, rows);
  const error = typedErrorOf(() => {
    for (let call = 0; call < 50; call++) feed(operator, batch, { offer: () => true });
  });
  expect(error?.info.code).toBe('JOIN_STATE_TOO_LARGE');
  batch.release();
  operator.close();
  memory.assertEmpty();
});

test('rows of both sides go on in other tasks, with what is left of their time', () => {
  fc.assert(
    fc.property(regularCases, fc.integer({ min: 1, max: 1_000_000 }), (one, seed) => {
      const { left, right } = regularOptionsOf(one);
      const { expected: _, ...given } = caseOf(one);
      checkSnapshotsOnce({ ...given, keys: left.keys, rightKeys: right.keys }, seed);
    }),
    { numRuns: 40 },
  );
});
