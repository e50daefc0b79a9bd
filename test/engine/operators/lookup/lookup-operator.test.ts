/**
 * Goal: each row comes out beside what its key finds, whatever answers come when; watermarks do not pass rows that
 * wait; a key is asked for once at a time; failures and silence end with an error that says so.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LookupOperator } from '../../../../engine/operators/lookup/lookup-operator.ts';
import type { FoundRow, Lookup } from '../../../../engine/operators/lookup/lookup-requests.ts';
import type { LookupSpec } from '../../../../engine/plan/lookup-spec.ts';
import { int32Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  newContext,
  type Row,
} from '../../../support/operator-harness.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';

const input = schemaOf(
  fieldOf('id', int64Type, true),
  fieldOf('n', int32Type),
  fieldOf('text', utf8Type, true),
);
const output = {
  fields: [...input.fields, fieldOf('city', utf8Type, true), fieldOf('rank', int32Type, true)],
};
const spec: LookupSpec = {
  ...{ key: 'id', type: 'left', isOrdered: true, timeoutMs: 100, attemptsMax: 1, retryDelayMs: 10 },
  ...{ capacity: 100, cache: { entriesMax: 0, ttlMs: 0, missingTtlMs: 0, jitter: 0 } },
};
const cityOf = (id: unknown): FoundRow =>
  Number(id) % 3 === 0 ? null : { city: `the city of number ${id}`, rank: Number(id) };

const someRows = fc.array(
  fc.record({
    id: fc.option(fc.bigInt({ min: 0n, max: 9n })),
    n: fc.nat(99),
    text: fc.option(fc.constantFrom('a', 'a text behind its view')),
  }),
  { maxLength: 30 },
);

function expectedRows(rows: readonly Row[], type: 'left' | 'inner'): Row[] {
  return rows.flatMap((row) => {
    const found = row.id === null ? null : cityOf(row.id);
    if (found === null && type === 'inner') return [];
    return [{ ...row, city: found?.city ?? null, rank: found?.rank ?? null }];
  });
}

test('rows come out beside what their keys find', { timeout: 60_000 }, () => {
  const types = fc.constantFrom('left' as const, 'inner' as const);
  fc.assert(
    fc.property(someRows, types, fc.boolean(), fc.nat(5), (rows, type, isOrdered, entriesMax) => {
      const cache = { entriesMax, ttlMs: 5, missingTtlMs: 5, jitter: 0.5 };
      checkOperator({
        ...{ input, rows, isOrdered, expected: expectedRows(rows, type) },
        build: (context) =>
          new LookupOperator(context, {
            ...spec,
            type,
            isOrdered,
            cache,
            input,
            output,
            lookup: cityOf,
          }),
      });
    }),
    { numRuns: 40 },
  );
});

/** A lookup whose answers the test gives, and an operator around it. */
function scene(changes: Partial<LookupSpec> = {}) {
  const { context, memory, scope } = newContext('cities');
  const asked: { key: unknown; answer: (row: FoundRow) => void; fail: (error: Error) => void }[] =
    [];
  const lookup: Lookup = (key) =>
    new Promise((answer, fail) => void asked.push({ key, answer, fail }));
  const clock = { nowMs: 0 };
  const rung: number[] = [];
  const operator = new LookupOperator(
    { ...context, nowMs: () => clock.nowMs, ring: () => void rung.push(clock.nowMs) },
    { ...spec, ...changes, input, output, lookup },
  );
  const outbox = new CollectingOutbox();
  const give = (...ids: (bigint | null)[]) => {
    const batch = batchOf(
      scope,
      input,
      ids.map((id, n) => ({ id, n, text: null })),
    );
    const row = operator.process(batch, 0, outbox);
    const rest = () => operator.process(batch, row, outbox);
    return { row, rest, release: () => batch.release() };
  };
  /** Lets promises go on; wakes the operator where it asks for that. */
  const settle = async () => {
    await Promise.resolve().then(() => undefined);
    if (operator.wakeAtMs <= clock.nowMs) operator.wake(clock.nowMs, outbox);
  };
  const close = () => {
    operator.close();
    memory.assertEmpty();
  };
  return { operator, outbox, asked, clock, rung, give, settle, close };
}

const ids = ({ rows }: CollectingOutbox) => rows.map(({ id }) => Number(id));

test.each([
  [true, [1, 2, 4], []],
  [false, [4, 1, 2], [4]],
] as const)('answers that come out of turn, in order: %s', async (isOrdered, all, first) => {
  const { operator, outbox, asked, rung, give, settle, close } = scene({ isOrdered });
  give(1n, 2n, 4n).release();
  asked[2]?.answer(cityOf(4n));
  await settle();
  expect(rung).toHaveLength(1);
  expect(ids(outbox)).toEqual(first);
  asked[0]?.answer(cityOf(1n));
  asked[1]?.answer(cityOf(2n));
  await settle();
  expect(ids(outbox)).toEqual(all);
  expect(operator.finish(outbox)).toBe(true);
  close();
});

test('the watermark follows rows that wait, and comes when they have gone', async () => {
  const { operator, outbox, asked, give, settle, close } = scene();
  operator.advance(10);
  expect(operator.watermarkBehind(10)).toBe(10);
  give(1n).release();
  operator.advance(20);
  expect(operator.watermarkBehind(20)).toBe(10);
  expect(operator.takeMark()).toBe(null);
  asked[0]?.answer(null);
  await settle();
  expect(ids(outbox)).toEqual([1]);
  expect(operator.takeMark()).toEqual({ kind: 'watermark', timeMs: 20 });
  expect(operator.takeMark()).toBe(null);
  close();
});

test('a barrier waits for all answers, and goes on behind their rows', async () => {
  const { operator, outbox, asked, give, settle, close } = scene();
  give(1n, 2n).release();
  const writer = { checkpointId: 1, note: () => undefined, rows: () => undefined };
  expect(operator.snapshot(writer, outbox)).toBe(false);
  expect(operator.isWaiting).toBe(true);
  asked[0]?.answer(cityOf(1n));
  await settle();
  expect(operator.snapshot(writer, outbox)).toBe(false);
  asked[1]?.answer(cityOf(2n));
  await settle();
  expect(operator.snapshot(writer, outbox)).toBe(true);
  expect(ids(outbox)).toEqual([1, 2]);
  // Behind the barrier it waits for rows again, and not for answers alone.
  give(4n).release();
  expect(operator.isWaiting).toBe(false);
  close();
});

test('a key is asked for once at a time, and not again while it is remembered', async () => {
  const cache = { entriesMax: 2, ttlMs: 50, missingTtlMs: 5, jitter: 0 };
  const { asked, clock, give, settle, close, outbox } = scene({ cache });
  give(1n, 1n, 3n).release();
  give(1n).release();
  expect(asked.map(({ key }) => key)).toEqual([1n, 3n]);
  asked[0]?.answer(cityOf(1n));
  asked[1]?.answer(null);
  await settle();
  expect(ids(outbox)).toEqual([1, 1, 3, 1]);
  clock.nowMs = 6;
  give(1n, 3n).release();
  expect(asked.map(({ key }) => key)).toEqual([1n, 3n, 3n]);
  clock.nowMs = 51;
  give(1n).release();
  expect(asked).toHaveLength(4);
  close();
});

test('no more questions than the capacity are under way', async () => {
  const { operator, asked, give, settle, close, outbox } = scene({ capacity: 2, isOrdered: false });
  const { row, rest, release } = give(1n, 2n, 4n, 5n);
  expect(row).toBe(2);
  expect(operator.isWaiting).toBe(true);
  asked[0]?.answer(cityOf(1n));
  await settle();
  expect(operator.isWaiting).toBe(false);
  expect(rest()).toBe(3);
  expect(asked.map(({ key }) => key)).toEqual([1n, 2n, 4n]);
  expect(ids(outbox)).toEqual([1]);
  release();
  close();
});

test('a question that fails is asked again, after a while', async () => {
  const { operator, asked, clock, give, settle, close, outbox } = scene({ attemptsMax: 3 });
  give(1n).release();
  asked[0]?.fail(new Error('refused'));
  await settle();
  expect(operator.wakeAtMs).toBe(10);
  clock.nowMs = 10;
  await settle();
  expect(asked).toHaveLength(2);
  // Too slow; its answer comes later, and is not wanted any more.
  clock.nowMs = 110;
  await settle();
  expect(operator.wakeAtMs).toBe(130);
  clock.nowMs = 130;
  await settle();
  asked[1]?.answer({ city: 'of the second', rank: 2 });
  asked[2]?.answer({ city: 'of the third', rank: 3 });
  await settle();
  expect(outbox.rows).toEqual([{ id: 1n, n: 0, text: null, city: 'of the third', rank: 3 }]);
  close();
});

test('what never answers, or fails to the end, or answers something else, ends with an error', async () => {
  const silent = scene({ attemptsMax: 2 });
  silent.give(7n).release();
  for (const nowMs of [100, 110]) {
    silent.clock.nowMs = nowMs;
    silent.operator.wake(nowMs, silent.outbox);
  }
  silent.clock.nowMs = 210;
  const error = typedErrorOf(() => silent.operator.wake(210, silent.outbox));
  expect(error?.info.code).toBe('LOOKUP_TIMEOUT');
  expect(error?.message).toContain('operator "cities"');
  silent.close();

  const failing = scene();
  failing.give(7n).release();
  failing.asked[0]?.fail(new Error('refused'));
  await Promise.resolve().then(() => undefined);
  const failure = typedErrorOf(() => failing.operator.finish(failing.outbox));
  expect(failure?.info.code).toBe('USER_FUNCTION_FAILED');
  expect(failure?.message).toContain('refused');
  failing.close();

  const wrong = scene();
  wrong.give(7n).release();
  wrong.asked[0]?.answer({ city: 5, rank: 'x' });
  await Promise.resolve().then(() => undefined);
  const result = typedErrorOf(() => wrong.operator.finish(wrong.outbox));
  expect(result?.info.code).toBe('USER_FUNCTION_RESULT');
  wrong.close();
});
