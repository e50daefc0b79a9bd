/** Goal: an exchange's rings stay within its budget, and those of ranges take what there is of it. */
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import sort from '../../jobs/sort/job.ts';
import { makeRings } from '../../worker/exchange-rings.ts';

const { graph: logical } = buildJob(sort, { input: 'in.bin', output: 'sorted/' });

function ringBytesByKind(parallelism: number): Map<string, number[]> {
  const graph = planJob(logical, { parallelism });
  const rings = makeRings(graph, (_vertex, task) => task);
  return new Map(
    graph.edges.map((edge) => {
      const senders = Array.from({ length: parallelism }, (_, index) => index);
      const all = senders.flatMap((sender) => rings.get(edge.id)?.ofSender(sender) ?? []);
      return [edge.exchange.kind, all.map(({ slotCount, slotBytes }) => slotCount * slotBytes)];
    }),
  );
}

test.each([2, 4, 8])('%d tasks', (parallelism) => {
  const bytes = ringBytesByKind(parallelism);
  const sumOf = (kind: string) => bytes.get(kind)?.reduce((sum, one) => sum + one, 0) ?? 0;
  expect(bytes.get('range')?.length).toBe(parallelism ** 2);
  for (const kind of bytes.keys()) expect(sumOf(kind)).toBeLessThanOrEqual(32 << 20);
  expect(sumOf('range')).toBeGreaterThanOrEqual(16 << 20);
  expect(Math.max(...(bytes.get('gather') ?? []))).toBe(1 << 20);
});
