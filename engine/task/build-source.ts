/**
 * Plan → the source of a task: a reader of the connector, or one per lane where rows are read in the order of time; at
 * a rate, where the plan has one.
 *
 * Before: engine/task/task-parts.ts. After: engine/operators/source-operator.ts, engine/operators/merged-source-operator.ts.
 */
import { assert } from '../../base/assert.ts';
import type { SplitReader } from '../contracts/source.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import { MergedSourceOperator } from '../operators/merged-source-operator.ts';
import { noPace, PacedReader } from '../operators/paced-reader.ts';
import { SampleReader } from '../operators/sample-reader.ts';
import { SourceOperator, type TaskSource } from '../operators/source-operator.ts';
import { alignmentOf } from '../plan/alignment.ts';
import type { OperatorSpec, Vertex } from '../plan/physical-graph.ts';
import { RowPace, rowPaceBytes } from '../time/row-pace.ts';
import { type AlignmentPlace, SourceAlignment } from '../time/source-alignment.ts';
import { SplitTimes } from '../time/split-times.ts';
import { connectorOf, type TaskConnectors, waitingParts } from './task-connectors.ts';

export type SourceSpecOf = OperatorSpec & { readonly kind: 'source' };

export interface BuildSourceOptions extends TaskConnectors {
  /** Of the source. */
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly clock: { mono(): number };
  readonly hasDeadLetters: boolean;
  /** Of its lanes; null where it reads one split behind the other. */
  readonly times: SplitTimes | null;
  readonly vertex: Vertex;
  /** As in `TaskOptions`. */
  readonly pace?: ArrayBufferLike | null;
  readonly alignment?: AlignmentPlace | null;
  readonly snapshots?: object | null;
}

export function buildSource(spec: SourceSpecOf, options: BuildSourceOptions): TaskSource {
  const mono = () => options.clock.mono();
  const newReader = readersOf(spec, options);
  if (spec.isSample) return new SourceOperator(new SampleReader(newReader));
  const paced = pacedReaders(spec, { ...options, newReader, mono });
  const { times } = options;
  if (times === null) return new SourceOperator(paced());
  const alignment = alignmentIn(options);
  return new MergedSourceOperator({ newReader: paced, times, mono, alignment });
}

function alignmentIn({ vertex, alignment: place = null }: BuildSourceOptions) {
  const spec = alignmentOf(vertex);
  return spec && place && new SourceAlignment({ ...place, driftMs: spec.driftMs });
}

/** How far event time has come in the lanes of a chain's source, as the chain's `eventTime` wants it. */
export function splitTimesOf({ chain }: Vertex): SplitTimes {
  const spec = chain.find((one) => one.kind === 'eventTime');
  return new SplitTimes(spec ?? { outOfOrdernessMs: 0, idleAfterMs: null });
}

function readersOf(spec: SourceSpecOf, options: BuildSourceOptions): () => SplitReader {
  const { connectors, programRings, disk, scope, kernels, clock, taskIndex, attempt } = options;
  const { source, output: schema } = spec;
  const { reader } = connectorOf(connectors, source.connector);
  assert(reader !== undefined, 'the connector of a source can read');
  const slot = {
    ...{ disk, scope, kernels, schema, clock, taskIndex, attempt },
    hasDeadLetters: options.hasDeadLetters,
    predicate: source.predicate ?? null,
    programRing: programRings?.get(spec.id) ?? null,
    ...waitingParts(options),
  };
  return () => reader(source.options, slot);
}

interface ReaderMaking extends BuildSourceOptions {
  readonly newReader: () => SplitReader;
  readonly mono: () => number;
}

/** The same readers, which have the source's rate together; of a job with checkpoints with places in what they have read. */
function pacedReaders({ source: { rate } }: SourceSpecOf, making: ReaderMaking): () => SplitReader {
  const { newReader, mono, scope, kernels, snapshots = null } = making;
  if (rate === undefined && snapshots === null) return newReader;
  const pace =
    rate === undefined
      ? noPace
      : new RowPace({ rate, buffer: making.pace ?? new ArrayBuffer(rowPaceBytes) });
  return () => new PacedReader({ reader: newReader(), pace, mono, scope, kernels });
}
