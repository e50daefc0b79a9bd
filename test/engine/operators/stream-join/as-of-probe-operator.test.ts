/** Goal: with all versions there first, rows come beside the same ones as where both come in any turn. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { AsOfJoinOperator } from '../../../../engine/operators/stream-join/as-of-join-operator.ts';
import { AsOfProbeOperator } from '../../../../engine/operators/stream-join/as-of-probe-operator.ts';
import {
  batchOf,
  checkOperator,
  newContext,
  type Row,
  runModes,
  runOperator,
} from '../../../support/operator-harness.ts';
import { shareOf } from '../../../support/spill-space.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import { asOfCases, asOfOptionsOf, expectVersions } from './as-of-cases.ts';

test('rows come beside the last version of their key', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(asOfCases, (one) => {
      const options = asOfOptionsOf(one);
      const rows = one.steps.flatMap((step): Row[] => ('row' in step ? [step.row] : []));
      const versions = one.steps.flatMap((step): Row[] => ('right' in step ? [step.right] : []));
      const steps = one.steps.filter((step) => !('watermark' in step));
      const streamed = {
        ...{ input: options.left.schema, rightInput: options.right.schema, steps, expected: [] },
        build: (context: OperatorContext) => new AsOfJoinOperator(context, options),
      };
      const expected = runOperator(streamed, runModes[0] as never);
      expectVersions(one, expected, { row: rows, right: versions });
      checkOperator({
        ...{ input: options.left.schema, rows, expected, isOrdered: false },
        buildSide: { schema: options.right.schema, rows: versions },
        build: (context) => new AsOfProbeOperator(context, options),
      });
    }),
    { numRuns: 30 },
  );
});

test('more versions than the share holds end with an error that says so', () => {
  const { context, scope, memory } = newContext('rates');
  const spill = { ...context.spill, share: shareOf(4 << 20) };
  const [one] = fc.sample(asOfCases, { numRuns: 1, seed: 1 });
  if (one === undefined) throw new Error('a case is drawn');
  const options = asOfOptionsOf(one);
  const operator = new AsOfProbeOperator({ ...context, spill }, options);
  const { fields } = options.right.schema;
  const row = Object.fromEntries(
    fields.map(({ name, type }) => [name, sampleOf(type.kind)] as const),
  );
  const batch = batchOf(
    scope,
    options.right.schema,
    Array.from({ length: 8192 }, () => row),
  );
  const error = typedErrorOf(() => {
    for (let call = 0; call < 50; call++) operator.build(batch);
  });
  expect(error?.info.code).toBe('JOIN_STATE_TOO_LARGE');
  batch.release();
  operator.close();
  memory.assertEmpty();
});

function sampleOf(kind: string): unknown {
  if (kind === 'utf8') return 'text';
  if (kind === 'bool') return true;
  return kind === 'int64' || kind === 'timestamp' ? 1n : 1;
}
