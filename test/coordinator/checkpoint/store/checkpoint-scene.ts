/** Checkpoints as tasks and coordinator would make them, small ones: each task has a file with two parts. */
import { crc32c } from '../../../../base/checksum.ts';
import type { Disk } from '../../../../base/env/disk.ts';
import type { CheckpointManifest } from '../../../../coordinator/checkpoint/checkpoint-manifest.ts';
import type { CheckpointKind } from '../../../../coordinator/checkpoint/pending-checkpoint.ts';
import type { AttemptStore } from '../../../../coordinator/checkpoint/store/checkpoint-store.ts';
import type { SnapshotPart, TaskSnapshot } from '../../../../engine/checkpoint/task-snapshot.ts';
import { utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';

export interface Made {
  readonly kind?: CheckpointKind;
  /** Parts of older checkpoints that this one is built on. */
  readonly shared?: readonly SnapshotPart[];
}

/** Writes what a task keeps, and says so. */
export async function taskSnapshot(
  disk: Disk,
  attempt: Pick<AttemptStore, 'root' | 'folderOf'>,
  { id, shared = [] }: { id: number; shared?: readonly SnapshotPart[] },
): Promise<TaskSnapshot> {
  const folder = attempt.folderOf(id);
  const path = `${folder}/count[0].arrow`;
  await disk.makeDir(`${attempt.root}/${folder}`);
  const bytes = new TextEncoder().encode(`base of ${id};delta of ${id}`);
  const file = await disk.open(`${attempt.root}/${path}`, 'createNew');
  await disk.write(file, bytes, 0);
  await disk.fsync(file);
  await disk.close(file);
  await disk.syncDir(`${attempt.root}/${folder}`);
  const cut = bytes.indexOf(0x3b) + 1;
  const partOf = (part: string, byteOffset: number, end: number): SnapshotPart => ({
    ...{ part, path, byteOffset, sizeBytes: end - byteOffset, rowCount: 1 },
    checksum: crc32c(bytes.subarray(byteOffset, end)),
  });
  const parts = [...shared, partOf('base', 0, cut), partOf('delta', cut, bytes.length)];
  return {
    ...{ taskId: 'count[0]', vertexId: 'count', taskIndex: 0, parallelism: 1, prepared: null },
    operators: [{ operatorId: 'counts', kind: 'runningAggregate', note: null, parts }],
    source: {
      operatorId: 'source',
      finished: ['a.txt'],
      open: [{ splitId: 'b.txt', position: 4 * id }],
    },
    statistics: { alignmentMs: 1, syncMs: 2, asyncMs: 3, sizeBytes: bytes.length },
  };
}

export function manifestWith(
  task: TaskSnapshot,
  { epoch, id, kind = 'checkpoint' }: { epoch: number; id: number; kind?: CheckpointKind },
): CheckpointManifest {
  const write = { checkpointId: id, taskId: 'count[0]', vertexId: 'count', write: `rows of ${id}` };
  const { sizeBytes } = task.statistics;
  const statistics = { ...task.statistics, taskId: 'count[0]', durationMs: 5 };
  return {
    ...{ writtenBy: '0.0.1', jobName: 'count it', jobFingerprint: '00ff', epoch, kind },
    operators: [
      {
        ...{ operatorId: 'counts', name: 'count', kind: 'runningAggregate', fingerprint: 'aa11' },
        keys: [fieldOf('word', utf8Type)],
      },
    ],
    ...{ checkpointId: id, createdMs: 1_000 * id, keyGroupCount: 128, parallelism: { count: 1 } },
    tasks: [task],
    splits: { lines: ['a.txt', 'b.txt', 'c.txt'] },
    writes: { count: [write] },
    statistics: {
      ...{ checkpointId: id, kind, durationMs: 7, sizeBytes, missing: [], tasks: [statistics] },
    },
    pathsFrom: 'job',
  };
}

/** One whole checkpoint, from the files of its task to the removal of what it makes unneeded. */
export async function checkpoint(
  disk: Disk,
  attempt: AttemptStore,
  id: number,
  { kind = 'checkpoint', shared = [] }: Made = {},
): Promise<CheckpointManifest> {
  const task = await taskSnapshot(disk, attempt, { id, shared });
  const manifest = manifestWith(task, { epoch: attempt.epoch, id, kind });
  await attempt.complete(await attempt.writeManifest(manifest));
  await attempt.removeUnneeded();
  return manifest;
}

/** Parts of one operator. */
export function partsIn({ tasks }: CheckpointManifest): readonly SnapshotPart[] {
  return tasks[0]?.operators[0]?.parts ?? [];
}
