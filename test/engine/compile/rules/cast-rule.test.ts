/** Goal: casts are exact at the borders of every type, and fail, or are null, just beyond them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasonAgainst } from '../../../../engine/compile/program/expr-program.ts';
import { castOf } from '../../../../engine/expr/cast.ts';
import { castExpr, columnExpr } from '../../../../engine/expr/expr-factory.ts';
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
  uint8Type,
  uint16Type,
  uint32Type,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { valuesOf as typeValues } from '../../../support/batches.ts';
import { expectSame } from '../../../support/compiled-exprs.ts';

const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});
const types: readonly FieldType[] = [
  ...[boolType, int8Type, int16Type, int32Type, int64Type, uint8Type, uint16Type, uint32Type],
  ...[float32Type, float64Type, dateType, utf8Type, binaryType],
  ...[decimal(5, 2), decimal(10, 0), decimal(38, 6)],
  ...([
    { kind: 'timestamp', unit: 'ms' },
    { kind: 'timestamp', unit: 'us' },
  ] as const),
];

const borders = [7n, 8n, 15n, 16n, 31n, 32n, 53n, 62n, 63n, 64n].flatMap((bits) => {
  const power = 2n ** bits;
  return [power - 1n, power, power + 1n, -power - 1n, -power, -power + 1n];
});
const wholes = [0n, 1n, 2n, -1n, 999n, 1000n, -1000n, 10n ** 9n, 10n ** 10n, ...borders];

/** What values of all types are written as, in usual and unusual ways, and what is none. */
const texts = [
  ...wholes.map(String),
  ...[
    '',
    '0',
    '-0',
    '+7',
    '007',
    '12.5',
    '-12.345',
    '.5',
    '5.',
    '1e3',
    '1.5E-7',
    '1e400',
    '-',
    '.',
  ],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    'true',
    'false',
    'TRUE',
    'truer',
    'fals',
    ' 7',
    '7 ',
    'é',
    '٣',
  ],
  ...['0.1', '123456789012345678.5', '1234567890123456789012345', '0.30000000000000004', '1e-320'],
  ...['2026-11-26', '0000-01-01', '-000001-12-31', '+010000-01-01', '2026-02-29', '2024-02-29'],
  ...[
    '2026-11-26T10:30',
    '2026-11-26 10:30:59',
    '2026-11-26T10:30:59.123456Z',
    '2026-11-26T24:00Z',
  ],
  ...['2026-11-26T10:30:59.1234567+02:00', '+275761-01-01T00:00:00.000Z', 'a text that is long'],
  ...['9'.repeat(60), `0.${'1'.repeat(50)}`, null],
];

/** Values at the borders that a type has, as columns take them. */
function valuesOf(type: FieldType): unknown[] {
  switch (type.kind) {
    case 'bool':
      return [true, false, null];
    case 'float32':
    case 'float64': {
      const round = type.kind === 'float32' ? Math.fround : Number;
      const fractions = [0.5, -0.5, -0.99, 1.99, 127.5, 255.999, -128.5, 2 ** 31 - 0.5, 1e300];
      const special = [Number.NaN, 1 / 0, -1 / 0, -0, 5e-324, null];
      return [...wholes.map(Number), ...fractions, ...special].map((value) =>
        value === null ? null : round(value),
      );
    }
    case 'date':
      return [0, -1, 106_751, 106_752, 100_000_000, -100_000_000]
        .map((day): unknown => new Date(day * 86_400_000))
        .concat([null]);
    case 'utf8':
      return texts;
    case 'binary':
      return [...texts, 'abc\xff'].map((text) =>
        text === null
          ? null
          : Uint8Array.from(Buffer.from(text, text.endsWith('\xff') ? 'latin1' : 'utf8')),
      );
    case 'decimal':
      return [
        ...wholes.filter((whole) => fits(whole, type)).map((whole) => `${whole}`),
        ...(type.scale > 0 ? ['1.99', '-1.99', '-0.01'] : []),
        null,
      ];
    default:
      return [...wholes.filter((whole) => isIn(whole, type)), null].map((value) =>
        value === null || ['int64', 'timestamp'].includes(type.kind) ? value : Number(value),
      );
  }
}

function fits(whole: bigint, { precision, scale }: FieldType & { kind: 'decimal' }): boolean {
  return whole < 10n ** BigInt(precision - scale) && whole > -(10n ** BigInt(precision - scale));
}

function isIn(whole: bigint, { kind }: FieldType): boolean {
  const [isUnsigned, bits] = [kind.startsWith('u'), Number(/\d+$/.exec(kind)?.[0] ?? 64)];
  return (isUnsigned ? BigInt.asUintN : BigInt.asIntN)(bits, whole) === whole;
}

const compiled = new Set<string>();

const pairs = types.flatMap((from) =>
  types.filter((to) => castOf(from, to) !== null).map((to) => [from, to] as const),
);

test.each(pairs)('$kind to $kind', (from, to) => {
  const field = fieldOf('v', from, true);
  const [cast, tried] = [false, true].map((isTry) => castExpr(columnExpr(field), to, isTry));
  if (cast === undefined || tried === undefined || reasonAgainst(cast) !== null) return;
  compiled.add(`${from.kind} to ${to.kind}`);
  const rows = valuesOf(from).map((value) => [value]);
  expectSame([tried], schemaOf(field), rows);
  // Row by row, for the first error ends a batch.
  for (const row of rows) expectSame([cast], schemaOf(field), [row]);
});

test('casts from and to texts are compiled, of all types, and of decimals to integers', () => {
  for (const { kind } of types) {
    if (kind === 'utf8') continue;
    expect(compiled).toContain(`utf8 to ${kind}`);
    expect(compiled).toContain(`${kind} to utf8`);
  }
  for (const kind of ['int8', 'uint32', 'int64']) expect(compiled).toContain(`decimal to ${kind}`);
});

test('texts of random values are those of the reference, and are read back', () => {
  const random = types.filter(
    (type) =>
      !['utf8', 'binary'].includes(type.kind) && !(type.kind === 'decimal' && type.scale === 0),
  );
  const schema = schemaOf(...random.map((type, index) => fieldOf(`c${index}`, type, true)));
  const written = schema.fields.map((field) => castExpr(columnExpr(field), utf8Type, false));
  const back = written.map((expr, index) =>
    castExpr(expr, schema.fields[index]?.type ?? utf8Type, false),
  );
  const rows = fc.array(fc.tuple(...random.map((type) => fc.option(typeValues(type)))), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(rows, (values) => {
      expectSame([...written, ...back], schema, values);
    }),
    { numRuns: 100 },
  );
});
