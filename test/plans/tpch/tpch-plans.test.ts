/**
 * Goal: the plans of TPC-H's queries are what was reviewed: which side of a join is kept, what every task
 * gets, and what is chained, by the counts of rows at scale 1. `UPDATE_PLANS=1` writes them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { parseParams } from '../../../engine/api/param-values.ts';
import { explainPhysical } from '../../../engine/plan/explain.ts';
import type { LogicalGraph } from '../../../engine/plan/logical-graph.ts';
import job from '../../../jobs/tpch/job.ts';

const rowCounts: Readonly<Record<string, number>> = {
  ...{ lineitem: 6_001_215, orders: 1_500_000, partsupp: 800_000, part: 200_000 },
  ...{ customer: 150_000, supplier: 10_000, nation: 25, region: 5 },
};
const queries = Array.from({ length: 22 }, (_, index) => `h${index + 1}`);
const { UPDATE_PLANS } = process.env;

test.each(queries)('%s', (query) => {
  const { graph } = buildJob(job, parseParams(job.params, { query, input: 'data' }));
  const plan = planJob(graph, { parallelism: 2, statistics: statisticsOf(graph) });
  const text = explainPhysical(plan).replaceAll(
    /path "data\/(\w+)[^"]*", format "columnar"/g,
    '$1',
  );
  const file = new URL(`${query}.txt`, import.meta.url);
  if (UPDATE_PLANS === '1') writeFileSync(file, text);
  else expect(text).toBe(readFileSync(file, 'utf8'));
});

function statisticsOf({ nodes }: LogicalGraph) {
  return new Map(
    nodes.flatMap((node) => {
      if (node.kind !== 'source') return [];
      const table = /data\/(\w+)/.exec(JSON.stringify(node.source.options))?.[1] ?? '';
      const rowCount = rowCounts[table];
      expect(rowCount, table).toBeDefined();
      return [[node.id, { rowCount: rowCount ?? null, sizeBytes: null, columns: {} }] as const];
    }),
  );
}
