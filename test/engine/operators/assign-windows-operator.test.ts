/** Goal: each row gets its window; a row without a time ends the job and is named. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { windowStartOf } from '../../../engine/kernels/window.ts';
import { AssignWindowsOperator } from '../../../engine/operators/assign-windows-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { type FieldType, int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, runModes, runOperator } from '../../support/operator-harness.ts';

const ms: FieldType = { kind: 'timestamp', unit: 'ms' };
const window = { column: 'at', sizeMs: 100, offsetMs: -30 };
const output = schemaOf(fieldOf('start', ms), fieldOf('n', int32Type), fieldOf('at', ms));

test.each([
  ['ms', 1n],
  ['us', 1000n],
] as const)('moments in %s', (unit, unitsPerMs) => {
  const time: FieldType = { kind: 'timestamp', unit };
  const input = schemaOf(
    fieldOf('at', time, true),
    fieldOf('n', int32Type),
    fieldOf('x', utf8Type),
  );
  const row = fc.record({
    at: fc.bigInt({ min: -1_000_000n, max: 1_000_000n }),
    n: fc.integer({ min: 0, max: 9 }),
    x: fc.constantFrom('a', 'a longer text'),
  });
  const carriedOutput = schemaOf(
    fieldOf('start', ms),
    fieldOf('n', int32Type),
    fieldOf('at', time),
  );
  const size = { unitsPerMs, sizeMs: 100n, offsetMs: -30n };
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) =>
      checkOperator({
        input,
        rows,
        keepsNothing: true,
        expected: rows.map(({ at, n }) => ({ start: windowStartOf(at, size), n, at })),
        build: (context) =>
          new AssignWindowsOperator(context, {
            input,
            output: carriedOutput,
            ...window,
            carried: ['n', 'at'],
          }),
      }),
    ),
    { numRuns: 30 },
  );
});

test.each([
  [null, '"at", the event time of operator "tested", is null'],
  [-(2n ** 63n), '"at", the event time of operator "tested", is before all windows'],
])('a row at %s ends the job', (at, message) => {
  const input = schemaOf(fieldOf('at', ms, true), fieldOf('n', int32Type));
  const rows = [
    { at: 5n, n: 1 },
    { at, n: 2 },
  ];
  const build = (context: OperatorContext) =>
    new AssignWindowsOperator(context, { input, output, ...window, carried: ['n', 'at'] });
  for (const mode of runModes) {
    expect(() => runOperator({ input, rows, build, expected: [] }, mode)).toThrow(message);
  }
});
