/**
 * Join sides: which side of a join is kept in memory, and whether every task gets all of it, by how many rows
 * either is expected to have.
 *
 *     customer ─ hash ─▶ probe ┐ left join         customer ─ hash ─▶ build ┐ left join
 *     orders   ─ hash ─▶ build ┘             →     orders   ─ hash ─▶ probe ┘
 *
 *     lineitem ─ hash ─▶ probe ┐                   lineitem ──────────▶ probe ┐
 *     nation   ─ hash ─▶ build ┘             →     nation ─ broadcast ▶ build ┘
 *
 * A side that is sent to all tasks costs a copy and a place in a table for each of them; a side that stays
 * saves its way through a ring. A join with a hint of the job stays as it is, and so does one of whose sides
 * too little is known.
 */
import { joinRowsOf } from '../../engine/plan/join-type.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { layoutOf, valueSizeOf } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type PlanOptions, type PlanStep, StepIndex, type StepInput } from './plan-step.ts';
import { type RowEstimate, rowEstimates } from './row-estimates.ts';

type Join = OperatorSpec & { readonly kind: 'join' };

/** The other side is kept only where it is surely smaller: estimates are rough. */
const flipFactor = 1.5;
/** What all tasks may keep of a side that each of them gets. */
const broadcastBytesMax = 256 * 1024 * 1024;
/** Bytes of a row beside its columns: its slot and its place in a chain; and those of a text. */
const rowBytes = 24;
const textBytes = 32;

export function joinSideRule(
  steps: readonly PlanStep[],
  options: PlanOptions,
): readonly PlanStep[] {
  const estimates = rowEstimates(steps, options);
  if (estimates.size === 0) return steps;
  const index = new StepIndex(steps);
  return steps.map((step) => {
    if (step.operator.kind !== 'join' || step.operator.hasHint) return step;
    const sides = sidesOf(step, estimates);
    if (sides === null) return step;
    const isFlipped = sides.build.rows > sides.probe.rows * flipFactor;
    const flipped = isFlipped ? flippedOf(step, step.operator) : step;
    const [probe, build] = isFlipped ? [sides.build, sides.probe] : [sides.probe, sides.build];
    const schema = index.inputSchemaOf(flipped, vertexPorts.build);
    const { parallelism } = options;
    const isSmall = build.rows * widthOf(schema) * parallelism <= broadcastBytesMax;
    const isCheaper = build.rows * (parallelism - 1) <= probe.rows;
    return isSmall && isCheaper ? broadcastOf(flipped) : flipped;
  });
}

interface Sides {
  readonly probe: RowEstimate;
  readonly build: RowEstimate;
}

function sidesOf({ inputs }: PlanStep, estimates: ReadonlyMap<number, RowEstimate>): Sides | null {
  const at = (wanted: number) => inputs.filter(({ port }) => port === wanted);
  const [probes, builds] = [at(vertexPorts.rows), at(vertexPorts.build)];
  const sumOf = (side: readonly StepInput[]): RowEstimate | null => {
    const known = side.flatMap(({ from }) => estimates.get(from) ?? []);
    const [first] = known;
    if (first === undefined || known.length < side.length) return null;
    return { ...first, rows: known.reduce((sum, { rows }) => sum + rows, 0) };
  };
  const [probe, build] = [sumOf(probes), sumOf(builds)];
  return probe && build && { probe, build };
}

/** The same join with its sides' places changed. */
function flippedOf(step: PlanStep, join: Join): PlanStep {
  const { probeKeys, buildKeys, buildSide } = join;
  // Without keys a side is broadcast or gathered: the other one would have to be.
  if (probeKeys.length === 0) return step;
  const operator: Join = {
    ...join,
    buildSide: buildSide === 'left' ? 'right' : 'left',
    probeKeys: buildKeys,
    buildKeys: probeKeys,
  };
  const inputs = step.inputs.map((input) => ({
    ...input,
    port: input.port === vertexPorts.rows ? vertexPorts.build : vertexPorts.rows,
  }));
  return { ...step, operator, inputs };
}

/** The join with its build side sent to all tasks, where no row of that side comes alone. */
function broadcastOf(step: PlanStep): PlanStep {
  const { operator } = step;
  if (operator.kind !== 'join') return step;
  if (joinRowsOf(operator.type, operator.buildSide).build !== 'none') return step;
  const inputs = step.inputs.map((input): StepInput => {
    const isBuild = input.port === vertexPorts.build;
    return { ...input, exchange: isBuild ? { kind: 'broadcast' } : null };
  });
  return { ...step, inputs };
}

/** Bytes of a row in the table. */
function widthOf({ fields }: Schema): number {
  const sizes = fields.map(({ type }) =>
    layoutOf(type) === 'view' ? textBytes : Math.max(1, valueSizeOf(type)),
  );
  return sizes.reduce((sum, size) => sum + size, rowBytes);
}
