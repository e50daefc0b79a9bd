/**
 * Join order: inner joins that stand on each other, and the semi and anti joins among them, in the order that is
 * expected to be the least work.
 *
 *     partsupp ⋈ supplier ⋉ nation = "GERMANY"     800,000 pairs are made, then most are dropped
 *     partsupp ⋈ (supplier ⋉ nation = "GERMANY")   32,000 pairs are made
 *
 * The job's order stays where the other is not surely better, and where of a relation too little is known. No
 * join without keys is made. What comes out has the same names, in the same order.
 *
 * Before: a join tree (join-tree.ts), the best order (join-order.ts) · After: which side is kept (join-side-rule.ts)
 */
import { vertexPorts } from '../../engine/plan/physical-graph.ts';
import { filterShare, type KnownColumn, type KnownColumns } from './filter-share.ts';
import { JoinOrders, type SizedLink, type SizedTree } from './join-order.ts';
import { type Join, type JoinTree, joinTreeOf, type Relation } from './join-tree.ts';
import { orderedJoins } from './ordered-joins.ts';
import { numberAfter, type PlanOptions, type PlanStep, StepIndex } from './plan-step.ts';
import { type RowEstimate, rowEstimates, valuesOf } from './row-estimates.ts';

/** The least that another order must save to be taken: estimates are rough. */
const workShareMax = 0.9;
/** Of an anti join: it drops rows that have partners, and mostly is there for the others. */
const antiShareMin = 0.25;

export function joinOrderRule(
  steps: readonly PlanStep[],
  options: PlanOptions,
): readonly PlanStep[] {
  const estimates = rowEstimates(steps, options);
  if (estimates.size === 0) return steps;
  const index = new StepIndex(steps);
  const nextNumber = numberAfter(steps);
  const seen = new Set<number>();
  const replaced = new Map<number, readonly PlanStep[]>();
  for (const root of [...steps].reverse()) {
    const tree = seen.has(root.number) ? null : joinTreeOf(root, index);
    if (tree === null) continue;
    for (const number of tree.steps) seen.add(number);
    const shape = betterShape(tree, estimates, options);
    if (shape === null) continue;
    for (const number of tree.steps) replaced.set(number, []);
    replaced.set(root.number, orderedJoins(tree, { shape, root, nextNumber }));
  }
  return steps.flatMap((step) => replaced.get(step.number) ?? [step]);
}

function betterShape(
  tree: JoinTree,
  estimates: ReadonlyMap<number, RowEstimate>,
  options: PlanOptions,
) {
  const known = tree.relations.flatMap((relation) => estimateOf(relation, estimates) ?? []);
  if (known.length < tree.relations.length) return null;
  const orders = new JoinOrders(sizedTree(tree, known, options));
  const best = orders.best();
  const isBetter = best !== null && best.work < orders.planOf(tree.shape).work * workShareMax;
  return isBetter ? best.shape : null;
}

/** By names within the tree. */
function estimateOf(
  { inputs, columns }: Relation,
  estimates: ReadonlyMap<number, RowEstimate>,
): RowEstimate | null {
  const known = inputs.flatMap(({ from, output }) => {
    const estimate = output === vertexPorts.rows ? estimates.get(from) : undefined;
    return estimate ?? [];
  });
  const [first] = known;
  if (first === undefined || known.length < inputs.length) return null;
  const named = columns.flatMap(({ name, expr }): [string, KnownColumn][] => {
    const column = expr.kind === 'column' ? first.columns.get(expr.name) : undefined;
    return column === undefined ? [] : [[name, column]];
  });
  return { rows: known.reduce((sum, { rows }) => sum + rows, 0), columns: new Map(named) };
}

function sizedTree(
  tree: JoinTree,
  known: readonly RowEstimate[],
  { parallelism }: PlanOptions,
): SizedTree {
  const columns: KnownColumns = {
    get: (name) => known.find((one) => one.columns.get(name) !== undefined)?.columns.get(name),
  };
  const relations = known.map((estimate, at) => {
    const asked = tree.relations[at]?.asked ?? null;
    const asks = asked && { ...asked, share: shareOf(asked.join, columns, estimate) };
    return { rows: estimate.rows, asks };
  });
  const links = tree.links.map((link): SizedLink => {
    const tableRows: number[] = [];
    for (const { relation, name } of link) {
      tableRows[relation] = columns.get(name)?.rowCount ?? known[relation]?.rows ?? 1;
    }
    const values = link.map(({ relation, name }) => {
      const estimate = known[relation];
      return estimate === undefined ? 1 : valuesOf(estimate, name);
    });
    const set = link.reduce((all, { relation }) => all | (1 << relation), 0);
    return { tableRows, set, values: Math.min(...values) };
  });
  const conditions = tree.conditions.map(({ expr, reads }) => {
    return { reads, share: filterShare(expr, columns) };
  });
  return { relations, links, conditions, parallelism };
}

/** Which part of the rows a semi or an anti join keeps: as if each row referred to one that was asked about. */
function shareOf(join: Join, columns: KnownColumns, asked: RowEstimate): number {
  const everything: RowEstimate = { rows: Number.POSITIVE_INFINITY, columns };
  const values = join.buildKeys.map((key, at) =>
    Math.min(valuesOf(asked, key), valuesOf(everything, join.probeKeys[at] ?? '')),
  );
  const tableRows = join.buildKeys.map((key) => asked.columns.get(key)?.rowCount ?? asked.rows);
  const product = values.reduce((all, one) => all * one, 1);
  const share = Math.min(1, asked.rows / Math.min(product, Math.max(...tableRows)));
  return join.type === 'semi' ? share : Math.max(antiShareMin, 1 - share);
}
