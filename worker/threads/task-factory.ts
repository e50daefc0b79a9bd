/**
 * Makes a task from its deployment: opens this thread's ends of the rings and gives the task what it
 * needs of the slot.
 *
 * Before: worker/threads/slot-program.ts. After: engine/task/task.ts.
 */
import type { Clock } from '../../base/env/clock.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import type { Timers } from '../../base/env/timers.ts';
import type { SnapshotFiles } from '../../engine/checkpoint/snapshot-files.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { RingReader, RingWriter } from '../../engine/memory/ring.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { Task } from '../../engine/task/task.ts';
import type { TaskOptions } from '../../engine/task/task-parts.ts';
import { TaskSnapshotFiles } from '../snapshot/task-snapshot-files.ts';
import { taskFolderOf } from '../spill-folder.ts';
import type { FunctionLookup } from './job-functions.ts';
import type { TaskDeployment } from './slot-messages.ts';

/** What a slot gives to its tasks. */
export interface SlotResources {
  readonly memory: SlotMemory;
  readonly kernels: Kernels;
  readonly disk: SyncDisk;
  readonly clock: Clock;
  readonly bellOf: (index: number) => Doorbell;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly functions: FunctionLookup;
  /** Of the job attempt. */
  readonly spillFolder: string;
  /** Of the job. */
  readonly slotCount: number;
  readonly timers: Pick<Timers, 'after'>;
  /** Makes the slot's tasks run again. */
  readonly ring: () => void;
}

export type TaskMaker = (options: TaskOptions, deployment: TaskDeployment) => Task;

export function buildTask(
  deployment: TaskDeployment,
  resources: SlotResources,
  makeTask: TaskMaker = (options) => new Task(options),
): Task {
  const { taskId, taskIndex, attempt, vertex, inputs, outputs, programRings } = deployment;
  const { metrics, latency, pace, alignment, channelRefs } = deployment;
  const { bellOf, spillFolder, slotCount, ...slot } = resources;
  const { budgetBytes } = slot.memory;
  const options: TaskOptions = {
    ...slot,
    id: taskId,
    taskIndex,
    attempt,
    vertex,
    ...{ metrics, latency, pace, alignment, channelRefs },
    memoryShare: new MemoryShare({ budgetBytes, weight: deployment.slotWeight, slotCount }),
    snapshots: snapshotFilesOf(deployment, resources),
    preparedSink: preparedSinkOf(deployment),
    spillFolder: taskFolderOf(spillFolder, deployment),
    programRings: new Map(
      Object.entries(programRings).map(([id, ring]) => [
        id,
        { ring, wakeProgram: () => bellOf(ring.writerBell).ring() },
      ]),
    ),
    inputs: inputs.map(({ rings, ...edge }) => ({
      ...edge,
      rings: rings.map((ring) => new RingReader(ring, () => bellOf(ring.writerBell).ring())),
    })),
    outputs: outputs.map(({ rings, ...edge }) => ({
      ...edge,
      rings: rings.map((ring) => new RingWriter(ring, () => bellOf(ring.readerBell).ring())),
    })),
  };
  return makeTask(options, deployment);
}

function snapshotFilesOf(
  { taskId, taskIndex, attempt, vertex, checkpoints }: TaskDeployment,
  { memory, kernels, disk, clock }: SlotResources,
): SnapshotFiles | null {
  if (checkpoints === null) return null;
  const scope = memory.scope(`${vertex.name}: snapshots`);
  const task = { taskId, taskIndex, attempt, parallelism: vertex.parallelism };
  return new TaskSnapshotFiles({ ...task, ...checkpoints, scope, kernels, disk, clock });
}

/** What the committer prepared for the sink at the end of the chain, if there is one. */
function preparedSinkOf({ vertex, prepared }: TaskDeployment): Json {
  const last = vertex.chain.at(-1);
  return last?.kind === 'sink' ? (prepared[last.id] ?? null) : null;
}
