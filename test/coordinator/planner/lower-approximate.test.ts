/** Goal: estimates of distinct values keep their standard error over random values of any count, small ones more. */
import { expect, test } from 'vitest';
import { lowerApproximate } from '../../../coordinator/planner/lower-approximate.ts';
import type { LogicalNode } from '../../../engine/plan/logical-graph.ts';
import { float64Type, int64Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { KernelArena } from '../../engine/kernels/kernel-arena.ts';
import { makeBatch, withMemory } from '../../support/batches.ts';
import { referenceRows } from '../../support/compiled-exprs.ts';

const arena = new KernelArena();
const output = schemaOf(fieldOf('n', int64Type));
const node = { id: 'a', name: 'a', inputs: [], schema: output } as unknown as LogicalNode;
const steps = lowerApproximate(node, {
  keys: [],
  aggregates: [{ name: 'n', function: 'approxDistinct', columns: ['v'] }],
  output,
});
const last = steps.at(-1)?.operator;
const estimate = last?.kind === 'project' ? last.columns[0]?.expr : undefined;

/** What the plan estimates for so many values, which are drawn anew for each seed. */
function estimateOf(count: number, seed: number): number {
  arena.reset();
  const values = Array.from({ length: count }, (_, at) =>
    BigInt(at * 7_919 + seed * 1_000_003_939),
  );
  const [registers, shares] = [arena.room(count * 4), arena.room(count * 8)];
  const column = arena.putInt64s(values);
  arena.kernels.registersOf(1, column.values, column.validity, 0, count, registers, shares);
  const least = new Map<number, number>();
  for (let row = 0; row < count; row++) {
    const register = arena.uint32(registers, row);
    const share = arena.view.getFloat64(shares + row * 8, true);
    least.set(register, Math.min(share, least.get(register) ?? 1));
  }
  const sum = [...least.values()].reduce((all, share) => all + share, 0);
  const schema = schemaOf(fieldOf('sum', float64Type, true), fieldOf('seen', int64Type));
  return withMemory(({ scope }) => {
    const row = [count === 0 ? null : sum, BigInt(least.size)];
    const batch = makeBatch(scope, { schema, rows: [row], selected: null });
    const [found] = referenceRows(estimate === undefined ? [] : [estimate], batch, scope);
    batch.release();
    return Number(Object.values(found as object)[0]);
  });
}

test.each([1, 10, 100, 1_000, 5_000, 20_000, 200_000])('%i different values', (count) => {
  const errors = Array.from({ length: 20 }, (_, seed) => estimateOf(count, seed) / count - 1);
  const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  expect(deviation).toBeLessThan((1.5 * 1.04) / Math.sqrt(4_096));
  expect(Math.abs(mean)).toBeLessThan(0.012);
  // Of ten values two may share a register: one is a tenth.
  const errorMax = Math.max((4 * 1.04) / Math.sqrt(4_096), 1.1 / count);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(errorMax);
});

test('no value', () => {
  expect(estimateOf(0, 1)).toBe(0);
});
