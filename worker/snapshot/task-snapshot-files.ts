/**
 * Where the snapshots of one task go to and come from: a file per checkpoint, named by who wrote it, so that no two
 * attempts ever write to the same one.
 *
 *     chk-<checkpoint>-<epoch>/<task>-<attempt>.snap     below the folder of the job's checkpoints
 *
 * Before: engine/checkpoint/snapshot-files.ts. After: worker/snapshot/snapshot-file-writer.ts, snapshot-file-reader.ts.
 */
import type {
  RestoredOperator,
  SnapshotFiles,
  SnapshotRun,
} from '../../engine/checkpoint/snapshot-files.ts';
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { OperatorRef } from '../../engine/plan/kept-as.ts';
import { ownPartsIn } from './own-parts.ts';
import { SnapshotFileReader } from './snapshot-file-reader.ts';
import { SnapshotFileWriter, type WrittenSnapshot } from './snapshot-file-writer.ts';
import type { SnapshotContext } from './snapshot-output.ts';

export interface TaskSnapshotFilesOptions extends SnapshotContext {
  readonly clock: { mono(): number };
  readonly taskId: string;
  readonly taskIndex: number;
  readonly parallelism: number;
  readonly epoch: number;
  readonly attempt: number;
  /** Where the paths of its parts begin. */
  readonly restoredFrom: string;
  /** Of tasks of the checkpoint that the job goes on from which had an operator of this one. */
  readonly restored: readonly TaskSnapshot[];
}

export class TaskSnapshotFiles implements SnapshotFiles {
  readonly #options: TaskSnapshotFilesOptions;
  /** What the next snapshots may come on top of. */
  readonly #written: WrittenSnapshot;

  constructor(options: TaskSnapshotFilesOptions) {
    this.#options = options;
    const { restored, restoredFrom, folder } = options;
    // What is elsewhere, in a savepoint, is not the job's to build on: it may be gone tomorrow.
    this.#written = { operators: restoredFrom === folder ? ownPartsIn(restored, options) : [] };
  }

  begin(checkpointId: number): SnapshotRun {
    const { taskId, epoch, attempt } = this.#options;
    const writer = new SnapshotFileWriter(this.#options, this.#written);
    writer.begin(checkpointId, `chk-${checkpointId}-${epoch}/${taskId}-${attempt}.snap`);
    return {
      writerOf: ({ id, kind }) => writer.writerOf(id, kind),
      step: () => writer.step(),
      finish: () => writer.finish(),
      abort: () => writer.abort(),
    };
  }

  readerOf({ id: operatorId, kind }: OperatorRef, readsAll = false): RestoredOperator | null {
    const { restored: tasks, restoredFrom: folder } = this.#options;
    const isKept = tasks.some(({ operators }) =>
      operators.some((one) => one.operatorId === operatorId && one.kind === kind),
    );
    if (!isKept) return null;
    const isOwn = this.#written.operators.some(
      (one) => one.operatorId === operatorId && one.kind === kind,
    );
    const given = { ...this.#options, folder, operatorId, kind, tasks };
    return new SnapshotFileReader({ ...given, isOwn, readsAll });
  }
}
