/**
 * What each slot is given to run: the tasks of one attempt of a region, with the rings and the files that
 * they meet others in.
 *
 * A map output is named by its edge, task and attempt, so that attempts never write to the same file, and
 * a reader gets just what the coordinator chose.
 *
 * Before: worker/executor.ts. After: worker/threads/slot-program.ts.
 */
import { assert } from '../base/assert.ts';
import { type DeployRequest, taskIdOf } from '../coordinator/protocol.ts';
import type { OperatorSnapshot } from '../engine/checkpoint/task-snapshot.ts';
import { channelRefsOf, type EdgeChannels, edgeChannelsOf } from '../engine/plan/channel-ref.ts';
import { partitionCountOf, readOf } from '../engine/plan/channels.ts';
import type { OperatorRef } from '../engine/plan/kept-as.ts';
import { keptAs } from '../engine/plan/kept-as.ts';
import type { Span } from '../engine/plan/map-output-read.ts';
import type { Edge, PhysicalGraph, Vertex } from '../engine/plan/physical-graph.ts';
import type { MapOutputFile } from '../engine/shuffle/map-output.ts';
import { taskLatencyBytes } from '../engine/task/task-latency.ts';
import { taskMetricsBytes } from '../engine/task/task-metrics.ts';
import { makeRings } from './exchange-rings.ts';
import type { RemoteRings } from './remote-ends.ts';
import { partOfRate, type SharedSources } from './shared-sources.ts';
import { jobFolderOf, shuffleFolderOf } from './spill-folder.ts';
import type { EdgeEnd, RingDescriptor, TaskDeployment } from './threads/slot-messages.ts';

export interface DeploymentOptions {
  readonly exchangeBytes: number | undefined;
  readonly programRings: Readonly<Record<string, RingDescriptor>>;
  /** Where map outputs of the job go. */
  readonly folder: string;
  readonly sources: SharedSources;
  /** Takes the channels to tasks in other processes. */
  readonly remote: RemoteRings | null;
}

/** By slot. */
export function deploymentsOf(
  request: DeployRequest,
  { exchangeBytes, programRings, folder, sources, remote }: DeploymentOptions,
): ReadonlyMap<number, readonly TaskDeployment[]> {
  const { graph, slots, slotWeights, attempt, inputs, inputFolders = {}, prepared } = request;
  const slotOf = (vertexId: string, index: number) => slots[taskIdOf(vertexId, index)];
  const rings = makeRings(graph, slotOf, exchangeBytes, remote);
  const refs = channelRefsOf(graph);
  const channels = edgeChannelsOf(graph);
  const fileOf = (edge: Edge, index: number, ofAttempt: number, below = folder): MapOutputFile => ({
    taskId: taskIdOf(edge.from, index),
    attempt: ofAttempt,
    path: `${below}/${edge.id}-${index}-${ofAttempt}.map`,
  });
  const writtenBelow = (edge: Edge, index: number): string => {
    const other = inputFolders[taskIdOf(edge.from, index)];
    return other === undefined ? folder : shuffleFolderOf(jobFolderOf(other, request));
  };
  const deployments = new Map<number, TaskDeployment[]>();
  // A job has all of its tasks in this process, or the request says which of them are not.
  const isWhole = request.elsewhere === undefined;
  const isElsewhere = (taskId: string) => !isWhole && slots[taskId] === undefined;
  for (const planned of graph.vertices) {
    const all = indexesOf({ from: 0, to: planned.parallelism });
    const own = all.filter((index) => slotOf(planned.id, index) !== undefined);
    const part = isWhole ? null : partOfRate(planned, own.length);
    const { vertex, pace } = part ?? { vertex: planned, pace: sources.paceOf(planned) };
    for (const taskIndex of own) {
      const slotIndex = slotOf(vertex.id, taskIndex);
      assert(slotIndex !== undefined, 'tasks of this process have their slots');
      const deployment: TaskDeployment = {
        taskId: taskIdOf(vertex.id, taskIndex),
        ...{ attempt, taskIndex, vertex, prepared, programRings },
        inputs: graph.edges
          .filter((edge) => edge.to === vertex.id)
          .map((edge) => ({
            ...endOf(channels, edge, rings.get(edge.id)?.ofReceiver(taskIndex) ?? []),
            files: edge.isBlocking
              ? indexesOf(readOf(graph, edge, taskIndex).senders).map((sender) => {
                  const ofAttempt = inputs[taskIdOf(edge.from, sender)];
                  assert(ofAttempt !== undefined, 'the coordinator names the attempt to be read');
                  return fileOf(edge, sender, ofAttempt, writtenBelow(edge, sender));
                })
              : [],
            partitions: readOf(graph, edge, taskIndex).partitions,
          })),
        outputs: graph.edges
          .filter((edge) => edge.from === vertex.id)
          .map((edge) => ({
            ...endOf(channels, edge, rings.get(edge.id)?.ofSender(taskIndex) ?? []),
            edgeId: edge.id,
            file: edge.isBlocking ? fileOf(edge, taskIndex, attempt) : null,
            partitionCount: partitionCountOf(graph, edge),
          })),
        metrics: new SharedArrayBuffer(taskMetricsBytes(vertex.chain.length)),
        latency: latencyPlace(graph, vertex),
        checkpoints: checkpointPlace(request, vertex, refs.get(vertex.id) ?? []),
        channelRefs: refs.get(vertex.id) ?? [],
        pace,
        alignment: sources.alignmentOf(graph, { vertex, taskIndex }, isElsewhere),
        slotWeight: slotWeights[taskIdOf(vertex.id, taskIndex)] ?? 0,
      };
      const others = deployments.get(slotIndex);
      if (others === undefined) deployments.set(slotIndex, [deployment]);
      else others.push(deployment);
    }
  }
  return deployments;
}

function checkpointPlace(
  { checkpoints, epoch }: DeployRequest,
  { chain }: Vertex,
  refs: readonly OperatorRef[],
) {
  if (checkpoints === null) return null;
  const isHere = ({ operatorId, kind }: OperatorSnapshot) =>
    chain.some((spec) => spec.id === operatorId && keptAs(spec) === kind) ||
    refs.some((ref) => ref.id === operatorId && ref.kind === kind);
  const restored = checkpoints.restored.filter(({ operators }) => operators.some(isHere));
  return { ...checkpoints, epoch, restored };
}

function latencyPlace({ latencyIntervalMs }: PhysicalGraph, { chain }: Vertex) {
  if (latencyIntervalMs === undefined) return null;
  const buffer = new SharedArrayBuffer(taskLatencyBytes(chain.length));
  return { buffer, intervalMs: latencyIntervalMs };
}

function indexesOf({ from, to }: Span): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

function endOf(
  channels: ReadonlyMap<string, EdgeChannels>,
  { id, output, port, exchange, schema }: Edge,
  rings: readonly RingDescriptor[],
): EdgeEnd {
  return { output, port, exchange, schema, channels: channels.get(id), rings };
}
