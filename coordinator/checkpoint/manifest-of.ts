/**
 * The manifest of a checkpoint, from what its tasks said and the plan that they ran.
 *
 * Before: coordinator/checkpoint/checkpoint-state.ts. After: coordinator/checkpoint/checkpoint-manifest.ts.
 */
import type { Json } from '../../engine/contracts/json.ts';
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import { dataFingerprintOf } from '../../engine/plan/fingerprint.ts';
import {
  type OperatorSpec,
  type PhysicalGraph,
  vertexPorts,
} from '../../engine/plan/physical-graph.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { CollectedCheckpoint } from './attempt-checkpoints.ts';
import type { CheckpointManifest, OperatorDescription } from './checkpoint-manifest.ts';

export interface ManifestFacts {
  readonly graph: PhysicalGraph;
  /** Of the logical graph, whatever the parallelism (engine/plan/fingerprint.ts). */
  readonly jobFingerprint: string;
  readonly declared: readonly DeclaredOperator[];
  /** The version of Millrace. */
  readonly writtenBy: string;
  readonly epoch: number;
  readonly keyGroupCount: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** All that are known, by the operator id of their source. */
  readonly splits: Readonly<Record<string, readonly Json[]>>;
}

export function manifestOf(
  collected: CollectedCheckpoint,
  facts: ManifestFacts,
): CheckpointManifest {
  const { graph, nowMs: createdMs, ...rest } = facts;
  const { checkpointId, checkpointKind: kind, snapshots: tasks, writes, statistics } = collected;
  const parallelism = Object.fromEntries(graph.vertices.map((one) => [one.id, one.parallelism]));
  return {
    ...rest,
    ...{ jobName: graph.jobName, operators: describeOperators(graph), createdMs },
    ...{ checkpointId, kind, parallelism, tasks, statistics, pathsFrom: 'job' },
    writes: Object.fromEntries(
      Map.groupBy(writes, ({ vertexId }) => lastOperatorOf(graph, vertexId)),
    ),
  };
}

/** The sink of a vertex: its own id may be another one in the next plan. */
function lastOperatorOf({ vertices }: PhysicalGraph, vertexId: string): string {
  return vertices.find(({ id }) => id === vertexId)?.chain.at(-1)?.id ?? vertexId;
}

/** Each operator of the plan, in its order. */
export function describeOperators({ vertices, edges }: PhysicalGraph): OperatorDescription[] {
  return vertices.flatMap(({ id: vertexId, chain }) => {
    const edge = edges.find(({ to, port }) => to === vertexId && port === vertexPorts.rows);
    let input: readonly Field[] = edge?.schema.fields ?? [];
    const right = edges.find(({ to, port }) => to === vertexId && port === vertexPorts.right);
    return chain.map((spec) => {
      const description = describe(spec, input, right?.schema.fields ?? []);
      input = spec.output.fields;
      return description;
    });
  });
}

function describe(
  spec: OperatorSpec,
  input: readonly Field[],
  right: readonly Field[],
): OperatorDescription {
  const { id: operatorId, name, kind, ...rest } = spec;
  const keys = keysOf(spec).flatMap(({ name: as, column }) => {
    const field = input.find((one) => one.name === column);
    return field === undefined ? [] : [{ ...field, name: as }];
  });
  const columns = columnsOf(kind, input, right);
  const fingerprint = dataFingerprintOf({ ...rest, input });
  return { operatorId, name, kind, fingerprint, keys, ...(columns !== null && { columns }) };
}

/** Of rows that are kept as they came, by part; null where an operator keeps none. */
function columnsOf(
  kind: OperatorSpec['kind'],
  input: readonly Field[],
  right: readonly Field[],
): Readonly<Record<string, readonly Field[]>> | null {
  switch (kind) {
    case 'intervalJoin':
    case 'regularJoin':
      return { left: input, right };
    case 'asOfJoin':
      return { waiting: input, versions: right };
    case 'pattern':
      return { waiting: input };
    case 'orderedWindow':
    case 'windowFunction':
    case 'runningTop':
      return { rows: input };
    default:
      return null;
  }
}

/** By what columns of its input an operator keeps its state, and what they are called. */
function keysOf(spec: OperatorSpec): readonly { readonly name: string; readonly column: string }[] {
  if (!('keys' in spec)) return [];
  return spec.keys.map((key) => (typeof key === 'string' ? { name: key, column: key } : key));
}
