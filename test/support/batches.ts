/**
 * Random batches for property tests: every type, nulls, extremes, empty batches, selections; and
 * the plain rows they should read as.
 *
 *     fc.property(batchCases(), (spec) => withMemory(({ scope, memory }) => {
 *       const batch = makeBatch(scope, spec);        // columns in poisoned memory, maybe selected
 *       expect(readRows(batch)).toEqual(expectedRows(spec));
 *       batch.release();
 *     }))
 */
import fc from 'fast-check';
import { type Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { addressOf, type MemoryScope, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { isoDateOfDays } from '../../engine/schema/date-text.ts';
import {
  binaryType,
  boolType,
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  int8Type,
  int16Type,
  int32Type,
  int64Type,
  layoutOf,
  uint8Type,
  uint16Type,
  uint32Type,
  utf8Type,
} from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../../engine/schema/schema.ts';

/** A batch as plain data: what is stored, and which of it is selected (null: all). */
export interface BatchCase {
  readonly schema: Schema;
  readonly rows: readonly (readonly unknown[])[];
  readonly selected: readonly number[] | null;
}

/** The types that expressions compute with and text formats write. */
export const basicTypes: readonly FieldType[] = [
  boolType,
  int32Type,
  int64Type,
  { kind: 'int64', js: 'number' },
  float64Type,
  { kind: 'timestamp', unit: 'ms' },
  { kind: 'timestamp', unit: 'us' },
  utf8Type,
];

export const allTypes: readonly FieldType[] = [
  ...basicTypes,
  int8Type,
  int16Type,
  uint8Type,
  uint16Type,
  uint32Type,
  float32Type,
  { kind: 'utf8', isDictionary: true },
  binaryType,
  dateType,
  { kind: 'decimal', precision: 9, scale: 2 },
  { kind: 'decimal', precision: 38, scale: 10 },
  listOf(int32Type, true),
  listOf(utf8Type),
  structOf(
    fieldOf('n', { kind: 'int64', js: 'bigint' }),
    fieldOf('tags', listOf(utf8Type, true), true),
  ),
  listOf(
    structOf(
      fieldOf('at', { kind: 'timestamp', unit: 'ms' }),
      fieldOf('price', { kind: 'decimal', precision: 12, scale: 4 }, true),
      fieldOf('flags', listOf(boolType, true)),
      fieldOf('day', dateType),
      fieldOf('raw', binaryType, true),
      fieldOf('rate', float32Type, true),
      fieldOf('small', int8Type),
    ),
    true,
  ),
];

function listOf(type: FieldType, nullable = false): FieldType {
  return { kind: 'list', item: { type, nullable } };
}

function structOf(...parts: Field[]): FieldType {
  return { kind: 'struct', fields: parts };
}

const int64Extremes = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n, -(2n ** 31n), 2n ** 32n];
const textExtremes = [
  ...['', 'a', 'abcdefg', 'abcdefgh', 'abcdefghi', '\0', '\0\0\0\0\0\0\0\0', ' \t\r\n'],
  ...['é', '€', '😀', 'éééé', 'éééé!', '€€😀', '\ufeffBOM', 'z'.repeat(48), 'ü'.repeat(49)],
];

/** Values of a type as `readRows` gives them, without null. */
export function valuesOf(type: FieldType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'bool':
      return fc.boolean();
    case 'int8':
      return wholeNumbers(-128, 127);
    case 'int16':
      return wholeNumbers(-(2 ** 15), 2 ** 15 - 1);
    case 'int32':
      return wholeNumbers(-(2 ** 31), 2 ** 31 - 1);
    case 'uint8':
      return wholeNumbers(0, 255);
    case 'uint16':
      return wholeNumbers(0, 2 ** 16 - 1);
    case 'uint32':
      return wholeNumbers(0, 2 ** 32 - 1);
    case 'int64':
      return type.js === 'number'
        ? fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 32, -1))
        : fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(...int64Extremes));
    case 'float32':
      return fc.oneof(fc.float(), fc.constantFrom(Number.NaN, -0, 0, 1 / 0, -1 / 0, 2 ** -149));
    case 'float64':
      return fc.oneof(
        fc.double(),
        fc.constantFrom(Number.NaN, -0, 0, 1 / 0, -1 / 0, 5e-324, Number.MAX_VALUE),
      );
    case 'timestamp':
      return fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(...int64Extremes));
    case 'utf8':
      return fc.oneof(
        fc.constantFrom(...textExtremes),
        fc.string({ maxLength: 20 }),
        fc.string({ maxLength: 70, unit: 'grapheme' }),
      );
    case 'binary':
      return fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 9 }));
    case 'date':
      return wholeNumbers(-(2 ** 31), 2 ** 31 - 1).map(isoDateOfDays);
    case 'decimal':
      return decimals(type);
    case 'list': {
      const items = maybeNull(insideOf(type.item.type), type.item.nullable);
      return fc.array(items, { maxLength: 5 });
    }
    case 'struct':
      return fc.record(
        Object.fromEntries(
          type.fields.map(({ name, type: part, nullable }) => [
            name,
            maybeNull(insideOf(part), nullable),
          ]),
        ),
        { noNullPrototype: true },
      );
  }
}

/** Values as they are read inside of lists and structs: as functions do, and without -0. */
function insideOf(type: FieldType): fc.Arbitrary<unknown> {
  if (type.kind === 'timestamp' && type.unit === 'ms') return fc.maxSafeInteger();
  const values = valuesOf(type);
  return values.map((value) => (typeof value === 'number' ? value + 0 : value));
}

function maybeNull(values: fc.Arbitrary<unknown>, nullable: boolean): fc.Arbitrary<unknown> {
  return nullable ? fc.option(values, { nil: null, freq: 3 }) : values;
}

function decimals({ precision, scale }: { precision: number; scale: number }) {
  const max = 10n ** BigInt(precision) - 1n;
  return fc
    .oneof(fc.bigInt(-max, max), fc.bigInt(-99n, 99n), fc.constantFrom(max, -max))
    .map((unscaled) => {
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
      return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    });
}

function wholeNumbers(min: number, max: number): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0, Math.max(min, -1)));
}

/** A field of any type. */
function fields(name: string, types: readonly FieldType[] = allTypes): fc.Arbitrary<Field> {
  return fc
    .record({ type: fc.constantFrom(...types), nullable: fc.boolean() })
    .map(({ type, nullable }) => fieldOf(name, type, nullable));
}

export interface BatchCaseOptions {
  /** @defaultValue 1 to 5 fields of any type */
  readonly schema?: fc.Arbitrary<Schema>;
  /** @defaultValue 100 */
  readonly rowsMax?: number;
}

/** Random batches. Empty ones, and ones where no row is selected, are among them. */
export function batchCases(options: BatchCaseOptions = {}): fc.Arbitrary<BatchCase> {
  const { schema = schemas(), rowsMax = 100 } = options;
  return schema.chain((chosen) =>
    fc
      .record({
        rows: fc.array(rowsOf(chosen), { maxLength: rowsMax }),
        isSelected: fc.boolean(),
        picks: fc.array(fc.boolean(), { minLength: rowsMax, maxLength: rowsMax }),
      })
      .map(({ rows, isSelected, picks }) => ({
        schema: chosen,
        rows,
        selected: isSelected ? rows.map((_, row) => row).filter((row) => picks[row]) : null,
      })),
  );
}

/**
 * A full batch of 8,192 rows, half of its fields nullable, made from a short random cycle of rows.
 *
 * @param types - By default all but those that make a batch full by their bytes.
 */
export function fullBatchCases(
  types: readonly FieldType[] = allTypes.filter(
    (type) => layoutOf(type) !== 'view' || type === utf8Type,
  ),
): fc.Arbitrary<BatchCase> {
  return fc.boolean().chain((isEven) => fullBatches(types, isEven));
}

function fullBatches(types: readonly FieldType[], isEven: boolean): fc.Arbitrary<BatchCase> {
  const schema = {
    fields: types.map((type, index) => fieldOf(`c${index}`, type, (index % 2 === 0) === isEven)),
  };
  return fc.array(rowsOf(schema), { minLength: 1, maxLength: 30 }).map((cycle) => ({
    schema,
    rows: Array.from({ length: batchRowsMax }, (_, row) => cycle[row % cycle.length] ?? []),
    selected: null,
    // All rows would be megabytes of text, made anew at each step of shrinking.
    [fc.toStringMethod]: () => `8,192 rows of ${fc.stringify(cycle)}`,
  }));
}

export function schemas(types: readonly FieldType[] = allTypes): fc.Arbitrary<Schema> {
  return fc
    .integer({ min: 1, max: 5 })
    .chain((count) =>
      fc.tuple(...Array.from({ length: count }, (_, index) => fields(`c${index}`, types))),
    )
    .map((list) => ({ fields: list }));
}

/** Rows of a schema: one value per field, null now and then where that is allowed. */
function rowsOf(schema: Schema): fc.Arbitrary<unknown[]> {
  const columns = schema.fields.map(({ type, nullable }) => maybeNull(valuesOf(type), nullable));
  return fc.tuple(...columns);
}

/** The batch of a case; the caller releases it. */
export function makeBatch(scope: MemoryScope, spec: BatchCase): Batch {
  const builder = new BatchBuilder(scope, spec.schema);
  for (const row of spec.rows) builder.appendRow(row);
  const stored = builder.build();
  return spec.selected === null ? stored : select(scope, stored, spec.selected);
}

/** The batch with only these stored rows selected; takes the batch over. */
function select(scope: MemoryScope, batch: Batch, rows: readonly number[]): Batch {
  const block = scope.allocate(rows.length * 4);
  const selection = addressOf(block);
  rows.forEach((row, index) => {
    batch.memory.uint32[(selection >>> 2) + index] = row;
  });
  const selected = batch.derive({ rowCount: rows.length, selection, blocks: [block] });
  batch.release();
  return selected;
}

/** What `readRows` should give for the batch of a case. */
export function expectedRows(spec: BatchCase): Record<string, unknown>[] {
  const rows = spec.selected === null ? spec.rows : spec.selected.map((row) => spec.rows[row]);
  const names = spec.schema.fields.map((field) => field.name);
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row?.[index]])));
}

/** Memories of 64 MiB that were empty after use; making one costs several milliseconds. */
const pool: SlotMemory[] = [];

/**
 * Runs a test in a poisoned memory, which must be empty afterwards. A memory in which a test failed
 * is not used again, so that the next case (while a property shrinks) starts clean.
 */
export function withMemory<T>(run: (memory: { scope: MemoryScope; memory: SlotMemory }) => T): T {
  const fresh = { budgetBytes: 64 * 1024 * 1024, poison: true };
  const memory = pool.pop() ?? new SlotMemory(fresh);
  const result = run({ scope: memory.scope('test'), memory });
  memory.assertEmpty();
  pool.push(memory);
  return result;
}
