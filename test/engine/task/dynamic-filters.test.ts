/** Goal: a source reads nothing where a join of its chain has no keys, and what it needs to wherever it may not. */
import { t } from 'millrace';
import { expect, test, vi } from 'vitest';
import { dynamicFilterRule } from '../../../coordinator/planner/dynamic-filter-rule.ts';
import { planJob, planRules } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { JoinType } from '../../../engine/plan/join-type.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Left = t.struct({ key: t.int64().nullable(), n: t.int64() });
const Right = t.struct({ id: t.int64(), name: t.utf8() });

const left: Row[] = Array.from({ length: 50 }, (_, row) => ({
  key: row % 5 === 0 ? null : BigInt(row % 20),
  n: BigInt(row),
}));

function run(type: JoinType, right: readonly Row[], hasRule: boolean) {
  const job = defineJob({
    name: 'case',
    build({ read }) {
      const rights = read(tableSource('right', Right.schema) as never) as never;
      const lefts = read(tableSource('left', Left.schema) as never) as never as {
        join(other: unknown, options: unknown): { writeTo(sink: unknown): never };
      };
      return lefts
        .join(rights, {
          type,
          broadcast: true,
          on: (a: { key: { eq(other: unknown): unknown } }, b: { id: unknown }) => a.key.eq(b.id),
        })
        .writeTo(rowsSink('out'));
    },
  });
  const { graph, functions } = buildJob(job, {});
  const rules = hasRule ? planRules : planRules.filter((rule) => rule !== dynamicFilterRule);
  const rows = [...left];
  const read = vi.spyOn(rows, 'slice');
  const plan = planJob(graph, { parallelism: 2, rules });
  const found = runPlan(plan, { tables: { left: rows, right }, functions });
  const filters = plan.vertices.flatMap(({ chain }) =>
    chain.flatMap((spec) => (spec.kind === 'source' ? (spec.filters ?? []) : [])),
  );
  return { rows: textsOf(found.get('out')), isRead: read.mock.calls.length > 0, filters };
}

const rights: Row[] = [3n, 4n, 4n].map((id) => ({ id, name: `name ${id}` }));

test.each`
  type       | isFiltered
  ${'inner'} | ${true}
  ${'semi'}  | ${true}
  ${'left'}  | ${false}
  ${'anti'}  | ${false}
`('$type: the rows are the same with the rule and without it', ({ type, isFiltered }) => {
  for (const right of [rights, []]) {
    const [withRule, without] = [run(type, right, true), run(type, right, false)];
    expect(withRule.rows).toEqual(without.rows);
    expect(withRule.filters).toEqual(isFiltered ? [{ join: 'join-key', columns: ['key'] }] : []);
    expect(withRule.isRead).toBe(right.length > 0 || !isFiltered);
    expect(without.isRead).toBe(true);
  }
});
