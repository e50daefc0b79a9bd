/**
 * The state of a key in aggregates, windows and sessions is what comes out for it when the input ends right then;
 * of a join of streams it is the rows that came. Asked for between all calls, it changes nothing.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AggregateOperator } from '../../../../engine/operators/aggregate-operator.ts';
import { shownValue } from '../../../../engine/operators/key-state/shown-value.ts';
import type { Operator, OperatorContext } from '../../../../engine/operators/operator.ts';
import { IntervalJoinOperator } from '../../../../engine/operators/stream-join/interval-join-operator.ts';
import { SessionAggregateOperator } from '../../../../engine/operators/windows/session-aggregate-operator.ts';
import { WindowAggregateOperator } from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { firesOnce } from '../../../../engine/plan/window-spec.ts';
import { int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf } from '../../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
} from '../../../support/operator-harness.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
const numberKey = {
  fields: [fieldOf('k', int64Type, true)],
  keyOf: (k: number): Row => ({ k: k === 0 ? null : BigInt(k) }),
};
const textKey = {
  fields: [fieldOf('k', utf8Type)],
  keyOf: (k: number): Row => ({ k: k === 0 ? 'a' : `a key of more than 8 bytes, ${k}` }),
};
const twoKeys = {
  fields: [fieldOf('k', utf8Type), fieldOf('l', { kind: 'int32' }, true)],
  keyOf: (k: number): Row => ({ k: `key ${k % 2}`, l: k === 0 ? null : k }),
};
type Keys = typeof numberKey;
const keyForms: readonly Keys[] = [numberKey, textKey, twoKeys];

const aggregates = [
  { name: 'n', function: 'count', columns: [] },
  { name: 'sum', function: 'sum', columns: ['v'] },
  { name: 'mean', function: 'avg', columns: ['v'] },
  { name: 'last', function: 'max', columns: ['text'] },
] as const;
const results = [
  fieldOf('n', int64Type),
  fieldOf('sum', int64Type, true),
  fieldOf('mean', { kind: 'float64' }, true),
  fieldOf('last', utf8Type, true),
];
const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
const rest = [
  fieldOf('at', time),
  fieldOf('v', { kind: 'int32' }, true),
  fieldOf('text', utf8Type, true),
];

type Build = (context: OperatorContext, keyFields: readonly Field[]) => Operator;

const commonOf = (keyFields: readonly Field[]) => ({
  ...({ phase: 'whole', aggregates, input: { fields: [...keyFields, ...rest] } } as const),
  keys: keyFields.map(({ name }) => name),
});
const tumbling = { kind: 'tumbling', sizeMs: 10, offsetMs: 3, timeZone: null } as const;
const operators: Readonly<Record<string, Build>> = {
  aggregate: (context, fields) =>
    new AggregateOperator(context, {
      ...commonOf(fields),
      output: { fields: [...fields, ...results] },
    }),
  windows: (context, fields) =>
    new WindowAggregateOperator(context, {
      ...commonOf(fields),
      ...{ column: 'at', window: tumbling, output: { fields: [...bounds, ...fields, ...results] } },
    }),
  'windows that come again': (context, fields) =>
    new WindowAggregateOperator(context, {
      ...commonOf(fields),
      ...{ column: 'at', window: tumbling, firing: { ...firesOnce, allowedLatenessMs: 5 } },
      output: { fields: [...bounds, ...fields, ...results] },
    }),
  sessions: (context, fields) =>
    new SessionAggregateOperator(context, {
      ...commonOf(fields),
      ...{ column: 'at', gapMs: 5, output: { fields: [...bounds, ...fields, ...results] } },
    }),
};

const row = fc.record({
  k: fc.integer({ min: 0, max: 3 }),
  at: fc.integer({ min: -20, max: 60 }),
  v: fc.option(fc.integer({ min: -9, max: 9 })),
  text: fc.option(fc.constantFrom('x', 'a text that is behind its view')),
});
type Given = { readonly k: number; readonly at: number };
const givenRow = ({ keyOf }: Keys, { k, ...other }: Given): Row => ({ ...other, ...keyOf(k) });
const textOf = ({ fields, keyOf }: Keys, k: number): string => {
  const key = keyOf(k);
  return JSON.stringify(fields.map(({ name }) => shownValue(key[name])));
};

/** What came out for a key, in the form of its state. */
function stateIn(rows: readonly Row[], keys: Keys, k: number): unknown {
  const own = rows.filter((one) =>
    keys.fields.every(({ name }) => one[name] === keys.keyOf(k)[name]),
  );
  const valuesOf = (one: Row) =>
    Object.fromEntries(results.map(({ name }) => [name, shownValue(one[name])]));
  const isoOf = (at: unknown) => new Date(Number(at)).toISOString();
  const parts = own.map((one) => {
    if (one.windowStart === undefined) return { values: valuesOf(one) };
    return { start: isoOf(one.windowStart), end: isoOf(one.windowEnd), values: valuesOf(one) };
  });
  return parts.sort((a, b) => String(a.start).localeCompare(String(b.start)));
}

function partsOf(state: unknown): unknown {
  const { panes, sessions } = (state ?? { panes: [] }) as Record<string, unknown>;
  return panes ?? sessions ?? [state];
}

describe.each(Object.entries(operators))('%s', (_, build) => {
  test('the state of a key is what comes out for it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...keyForms), fc.array(row, { maxLength: 40 }), (keys, given) => {
        const { context, memory, scope } = newContext('asked');
        const operator = build(context, keys.fields);
        const rows = given.map((one) => givenRow(keys, one));
        for (const part of [rows.slice(0, 20), rows.slice(20)]) {
          const batch = batchOf(scope, { fields: [...keys.fields, ...rest] }, part);
          feed(operator, batch, new CollectingOutbox());
          batch.release();
        }
        const states = [0, 1, 2, 3, 4].map((k) => operator.stateOf?.(textOf(keys, k)));
        const outbox = new CollectingOutbox();
        while (!operator.finish(outbox));
        for (const [k, state] of states.entries()) {
          expect(partsOf(state)).toEqual(stateIn(outbox.rows, keys, k));
        }
        operator.close();
        memory.assertEmpty();
      }),
      { numRuns: 25 },
    );
  });

  test('asking changes nothing', () => {
    const given = Array.from({ length: 60 }, (__, at) => ({ k: at % 4, at, v: at, text: 'x' }));
    const rows = given.map((one) => givenRow(twoKeys, one));
    const plain = {
      input: { fields: [...twoKeys.fields, ...rest] },
      steps: rows.map((one) => ({ row: one })),
      build: (context: OperatorContext) => build(context, twoKeys.fields),
    };
    const { context } = newContext('plain');
    const operator = build(context, twoKeys.fields);
    const outbox = new CollectingOutbox();
    const batch = batchOf(context.scope, plain.input, rows);
    feed(operator, batch, outbox);
    while (!operator.finish(outbox));
    batch.release();
    operator.close();
    const asked = [0, 1, 2, 3, 4].map((k) => textOf(twoKeys, k));
    checkOperator({ ...plain, asked, isOrdered: false, expected: outbox.rows });
  });
});

test('what a join of streams holds of a key are its rows, of both sides', () => {
  const sideOf = (prefix: string) => ({
    fields: [
      fieldOf(`${prefix}k`, utf8Type, true),
      fieldOf(`${prefix}at`, time),
      fieldOf(`${prefix}v`, { kind: 'int32' }),
    ],
  });
  const [left, right] = [sideOf('l'), sideOf('r')];
  const side = fc.record({
    k: fc.constantFrom('a', 'a key of more than 8 bytes', null),
    at: fc.integer({ min: 0, max: 50 }),
    v: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(side, { maxLength: 30 }), fc.array(side, { maxLength: 30 }), (ls, rs) => {
      const { context, memory, scope } = newContext('asked');
      const operator = new IntervalJoinOperator(context, {
        ...{ type: 'inner', condition: null, beforeMs: 100, afterMs: 100, lagMs: 0, sliceMs: 10 },
        output: { fields: [...left.fields, ...right.fields] },
        left: { schema: left, keys: ['lk'], time: 'lat' },
        right: { schema: right, keys: ['rk'], time: 'rat' },
      });
      const outbox = new CollectingOutbox();
      const named = (prefix: string, one: Row): Row =>
        Object.fromEntries(Object.entries(one).map(([name, value]) => [prefix + name, value]));
      const lefts = ls.map((one) => named('l', one));
      const rights = rs.map((one) => named('r', one));
      const batches = [batchOf(scope, left, lefts), batchOf(scope, right, rights)] as const;
      feed(operator, batches[0], outbox);
      for (let at = 0; at < rights.length; ) at = operator.processRight(batches[1], at, outbox);
      for (const batch of batches) batch.release();
      for (const key of ['a', 'a key of more than 8 bytes', 'nobody']) {
        const found = operator.stateOf(key) as Record<'left' | 'right', Held> | undefined;
        expect(heldOf(found?.left)).toEqual(expectedOf(lefts, 'lk', key));
        expect(heldOf(found?.right)).toEqual(expectedOf(rights, 'rk', key));
      }
      operator.close();
      memory.assertEmpty();
    }),
    { numRuns: 25 },
  );
});

interface Held {
  readonly rowCount: number;
  readonly rows: readonly Row[];
}

function heldOf(held: Held | undefined) {
  if (held === undefined) return { count: 0, texts: [] };
  return { count: held.rowCount, texts: held.rows.map((one) => JSON.stringify(one)).sort() };
}

function expectedOf(rows: readonly Row[], column: string, key: string) {
  const own = rows.filter((one) => one[column] === key);
  return { count: own.length, texts: own.map((one) => JSON.stringify(one)).sort() };
}
