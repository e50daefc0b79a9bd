/** Goal: rows of a snapshot are read with the columns that are kept now: wider, null where they are new, without those that are gone. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder } from '../../../engine/batch/batch-builder.ts';
import { readRow } from '../../../engine/batch/row-reader.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { adaptedRows, isSameRows } from '../../../engine/operators/adapted-rows.ts';
import {
  type FieldType,
  float32Type,
  float64Type,
  int32Type,
  int64Type,
  uint8Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../../../engine/schema/schema.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

interface Kind {
  readonly old: FieldType;
  readonly now: FieldType;
  readonly value: fc.Arbitrary<unknown>;
  readonly become?: (value: never) => unknown;
}

const kinds: readonly Kind[] = [
  { old: utf8Type, now: utf8Type, value: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { old: int32Type, now: int64Type, value: fc.integer(), become: BigInt as never },
  { old: int32Type, now: float64Type, value: fc.integer() },
  { old: uint8Type, now: { kind: 'int16' }, value: fc.nat(255) },
  { old: uint8Type, now: float32Type, value: fc.nat(255) },
  { old: float32Type, now: float64Type, value: fc.float({ noNaN: true }).map((one) => one + 0) },
];

/** A column of the old rows, of the new ones, or of both. */
const column = fc.record({
  kind: fc.constantFrom(...kinds),
  wasNullable: fc.boolean(),
  isNullable: fc.boolean(),
  fate: fc.constantFrom('kept', 'kept', 'added', 'dropped'),
});

test('whatever columns there were and are, values are those of the reference', () => {
  const cases = fc.array(column, { minLength: 1, maxLength: 5 }).chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(
        fc.tuple(
          ...columns.map(({ kind, wasNullable }) =>
            wasNullable ? fc.option(kind.value, { nil: null }) : kind.value,
          ),
        ),
        { minLength: 1, maxLength: 12 },
      ),
    }),
  );
  fc.assert(
    fc.property(cases, ({ columns, rows }) => {
      const memory = new SlotMemory({ budgetBytes: 1 << 20, poison: true });
      const scope = memory.scope('test');
      const named = columns.map((one, at) => ({ ...one, at, name: `c${at}` }));
      const before = named.filter(({ fate }) => fate !== 'added');
      const after = named.filter(({ fate }) => fate !== 'dropped').toReversed();
      const old: Field[] = before.map(({ name, kind, wasNullable }) =>
        fieldOf(name, kind.old, wasNullable),
      );
      const now: Field[] = after.map(({ name, kind, wasNullable, isNullable, fate }) =>
        fieldOf(name, kind.now, fate === 'added' || wasNullable || isNullable),
      );
      if (old.length === 0) return;
      const builder = new BatchBuilder(scope, { fields: old });
      for (const row of rows) builder.appendRow(before.map(({ at }) => row[at]));
      const batch = builder.build();
      const adapted = adaptedRows(scope, batch, { fields: now });
      batch.release();
      for (const [index, row] of rows.entries()) {
        const expected = after.map(({ name, at, kind, fate }) => {
          const value = fate === 'added' ? null : row[at];
          return [name, value === null ? null : (kind.become?.(value as never) ?? value)];
        });
        expect(readRow(adapted, index)).toEqual(Object.fromEntries(expected));
      }
      adapted.release();
      builder.discard();
      memory.assertEmpty();
    }),
  );
});

const schema = (...fields: Field[]): Schema => ({ fields });

test.each<[Schema, Schema]>([
  [schema(fieldOf('a', int32Type)), schema(fieldOf('a', int32Type), fieldOf('b', int32Type))],
  [schema(fieldOf('a', int32Type, true)), schema(fieldOf('a', int32Type))],
  [schema(fieldOf('a', int64Type)), schema(fieldOf('a', float64Type))],
  [schema(fieldOf('a', utf8Type)), schema(fieldOf('a', int32Type))],
])('what can not be is refused, and nothing is left: %o as %o', (old, now) => {
  const memory = new SlotMemory({ budgetBytes: 1 << 20, poison: true });
  const scope = memory.scope('test');
  const builder = new BatchBuilder(scope, old);
  builder.appendRow(
    old.fields.map(({ type }) => (type.kind === 'utf8' ? 'x' : type.kind === 'int64' ? 1n : 1)),
  );
  const batch = builder.build();
  const error = typedErrorOf(() => adaptedRows(scope, batch, now));
  expect(error?.info.code).toBe('STATE_CHANGED');
  expect(isSameRows(old, now)).toBe(false);
  batch.release();
  builder.discard();
  memory.assertEmpty();
});
