/** Goal: a row comes out once for each window that it is in, with its end; without a time once, without an end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EachWindowOperator } from '../../../engine/operators/each-window-operator.ts';
import { endingWindowsOf } from '../../../engine/plan/ending-windows.ts';
import { type FieldType, int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row } from '../../support/operator-harness.ts';

const place = { offsetMs: fc.integer({ min: -9, max: 9 }), timeZone: fc.constant(null) };
const specs = fc.oneof(
  fc
    .record({ slideMs: fc.integer({ min: 1, max: 9 }), moreMs: fc.nat(20), ...place })
    .map(({ moreMs, ...spec }) => {
      return { kind: 'sliding' as const, sizeMs: spec.slideMs + moreMs, ...spec };
    }),
  fc
    .record({
      stepMs: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 5 }),
      ...place,
    })
    .map(({ count, ...spec }) => {
      return { kind: 'cumulating' as const, sizeMs: spec.stepMs * count, ...spec };
    }),
);

type Spec = Parameters<typeof endingWindowsOf>[0];

/** All windows around a moment, one by one. */
function endsOf(spec: Spec, ms: number): number[] {
  const found: number[] = [];
  for (let end = Math.floor(ms) - 60; end <= ms + 60; end++) {
    const { sizeMs, offsetMs } = spec;
    if (spec.kind === 'sliding') {
      const isEnd = (end - sizeMs - offsetMs) % spec.slideMs === 0;
      if (isEnd && end > ms && end - sizeMs <= ms) found.push(end);
      continue;
    }
    const start = Math.floor((end - 1 - offsetMs) / sizeMs) * sizeMs + offsetMs;
    if ((end - start) % spec.stepMs === 0 && end > ms && start <= ms) found.push(end);
  }
  return found;
}

test('rows come once for each of their windows', () => {
  const inputs = fc.record({
    spec: specs,
    unit: fc.constantFrom('ms' as const, 'us' as const),
    times: fc.array(fc.option(fc.integer({ min: -50_000, max: 50_000 }), { freq: 6 }), {
      maxLength: 30,
    }),
  });
  fc.assert(
    fc.property(inputs, ({ spec, unit, times }) => {
      const time: FieldType = { kind: 'timestamp', unit };
      const input = schemaOf(fieldOf('at', time, true), fieldOf('id', int32Type));
      const end = fieldOf('end', { kind: 'timestamp', unit: 'ms' }, true);
      const units = unit === 'us' ? 1000 : 1;
      const moments = times.map((one) => (one === null ? null : Math.trunc((one * units) / 1000)));
      const rows = moments.map((at, id): Row => ({ at: at === null ? null : BigInt(at), id }));
      const expected = moments.flatMap((at, id): Row[] => {
        if (at === null) return [{ end: null, id }];
        return endsOf(spec, at / units).map((ms) => ({ end: BigInt(ms), id }));
      });
      const options = { input, output: schemaOf(end, fieldOf('id', int32Type)), column: 'at' };
      checkOperator({
        ...{ input, rows, expected, isOrdered: false, keepsNothing: true },
        build: (context) =>
          new EachWindowOperator(context, {
            ...{ ...options, ...endingWindowsOf(spec), carried: ['id'] },
          }),
      });
    }),
    { numRuns: 100 },
  );
});

test('windows of a moment are as many as their ends say', () => {
  const place = { offsetMs: 0, timeZone: null };
  const sliding = endingWindowsOf({ kind: 'sliding', sizeMs: 10, slideMs: 4, ...place });
  expect(sliding).toEqual({ periodMs: 4, offsetMs: 0, endsMs: [10, 6, 2] });
  const growing = endingWindowsOf({ kind: 'cumulating', sizeMs: 9, stepMs: 3, ...place });
  expect(growing).toEqual({ periodMs: 9, offsetMs: 0, endsMs: [3, 6, 9] });
});
