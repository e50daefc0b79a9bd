/**
 * What the tasks of a stage read, once all that they read from is there: a list of readers, each with its
 * partitions, and where a partition is skewed with its part of the senders of one side.
 *
 *     partition   0    1    2         3            probe side of 2 split by its senders
 *     probe       1    1    40        2
 *     build       1    1    1         1            readers: 0–1 │ 2, senders 0–1 │ 2, senders 2–3 │ 3
 *
 * Where both sides of a partition are skewed, each part of the one meets each part of the other.
 *
 * Before: coordinator/adaptive/partition-groups.ts. After: coordinator/adaptive/adapted-graph.ts.
 */
import type { AdaptableStage } from '../../engine/plan/adaptable.ts';
import { spanOf } from '../../engine/plan/channels.ts';
import type { MapOutputRead, Span } from '../../engine/plan/map-output-read.ts';
import type { Edge } from '../../engine/plan/physical-graph.ts';
import type { AdaptiveOptions } from './adaptive-options.ts';
import { groupsOf, partBytesOf, skewedOf, sumOf, taskBytesOf } from './partition-groups.ts';

/** Bytes of an edge's map outputs: by sender, then by partition. */
export type EdgeBytes = readonly (readonly number[])[];

/** One task of the stage as it will be. */
export interface StageReader {
  readonly partitions: Span;
  /** By edge: the senders that it reads from; all of those that are not named. */
  readonly senders: ReadonlyMap<string, Span>;
}

/** A partition that several tasks read. */
export interface SplitPartition {
  readonly partition: number;
  readonly taskCount: number;
}

export interface StageReads {
  readonly readers: readonly StageReader[];
  readonly splits: readonly SplitPartition[];
}

export interface StageSizes {
  readonly slotCount: number;
  readonly options: AdaptiveOptions;
  readonly bytesOf: (edgeId: string) => EdgeBytes;
}

/** Null: as planned. */
export function stageReads(stage: AdaptableStage, sizes: StageSizes): StageReads | null {
  const bytes = partitionBytes(stage, stage.edges, sizes);
  const parts = splitParts(stage, sizes);
  const groupBytes = taskBytesOf(sumOf(bytes), sizes.slotCount, sizes.options);
  const readers: StageReader[] = [];
  const splits: SplitPartition[] = [];
  let from = 0;
  const joinUpTo = (to: number) => {
    const groups = groupsOf(bytes.slice(from, to), groupBytes);
    for (const span of groups) {
      const partitions = { from: from + span.from, to: from + span.to };
      readers.push({ partitions, senders: new Map() });
    }
    from = to;
  };
  for (const [partition, own] of [...parts].sort(([a], [b]) => a - b)) {
    joinUpTo(partition);
    readers.push(...own.map((senders) => ({ partitions: spanOf(partition), senders })));
    splits.push({ partition, taskCount: own.length });
    from = partition + 1;
  }
  joinUpTo(bytes.length);
  const isAsPlanned = splits.length === 0 && readers.length === stage.taskCount;
  return isAsPlanned ? null : { readers, splits };
}

/** What the reader reads of an edge. */
export function readOfEdge(
  { partitions, senders }: StageReader,
  { id }: Edge,
  senderCount: number,
): MapOutputRead {
  return { partitions, senders: senders.get(id) ?? { from: 0, to: senderCount } };
}

/** By partition: what all senders of these edges have put into it. */
function partitionBytes(
  { taskCount }: AdaptableStage,
  edges: readonly Edge[],
  { bytesOf }: StageSizes,
): number[] {
  const outputs = edges.flatMap(({ id }) => bytesOf(id));
  return Array.from({ length: taskCount }, (_, partition) =>
    sumOf(outputs.map((sizes) => sizes[partition] ?? 0)),
  );
}

type Senders = ReadonlyMap<string, Span>;

/** By skewed partition: what each of its tasks reads. */
function splitParts(stage: AdaptableStage, sizes: StageSizes): ReadonlyMap<number, Senders[]> {
  const { join } = stage;
  const found = new Map<number, Senders[]>();
  if (join === null) return found;
  const probe = join.maySplitProbe ? sideParts(stage, join.probe, sizes) : new Map();
  const build = join.maySplitBuild ? sideParts(stage, join.build, sizes) : new Map();
  const whole: Senders[] = [new Map()];
  for (const partition of new Set<number>([...probe.keys(), ...build.keys()])) {
    const ofProbe: Senders[] = probe.get(partition) ?? whole;
    const ofBuild: Senders[] = build.get(partition) ?? whole;
    const pairs = ofProbe.flatMap((one) => ofBuild.map((other) => new Map([...one, ...other])));
    found.set(partition, pairs);
  }
  return found;
}

/** By partition of one side that is skewed and has several senders: the senders of each part. */
function sideParts(
  stage: AdaptableStage,
  edges: readonly Edge[],
  sizes: StageSizes,
): Map<number, Senders[]> {
  const { options, bytesOf } = sizes;
  const bytes = partitionBytes(stage, edges, sizes);
  const skewed = skewedOf(bytes, options);
  const partBytes = partBytesOf(bytes, skewed, options);
  const found = new Map<number, Senders[]>();
  for (const partition of skewed) {
    const counts = edges.map(({ id }) => bytesOf(id).length);
    const bySender = edges.flatMap(({ id }) => bytesOf(id).map((one) => one[partition] ?? 0));
    const spans = groupsOf(bySender, partBytes);
    if (spans.length < 2) continue;
    found.set(
      partition,
      spans.map((span) => sendersOf(span, edges, counts)),
    );
  }
  return found;
}

/** A span over the senders of several edges, one after the other, as a span of each of them. */
function sendersOf({ from, to }: Span, edges: readonly Edge[], counts: readonly number[]): Senders {
  let before = 0;
  return new Map(
    edges.map(({ id }, at) => {
      const count = counts[at] ?? 0;
      const within = (index: number) => Math.min(count, Math.max(0, index - before));
      const span = { from: within(from), to: within(to) };
      before += count;
      return [id, span];
    }),
  );
}
