/**
 * Process with a control stream, whose rows go to every task and change what rows are looked at with. How the two streams
 * meet is the plan's choice, and one class each, for a task asks an operator which inputs it has:
 *
 *     control has an end    ProcessAfterControl    build side:  all control rows, then the first row
 *     control has none      ProcessBesideControl   second stream:  rows of both as they come
 *
 * Before: engine/task/build-function-operators.ts. After: engine/operators/process-operator.ts.
 * @see Apache Flink, `KeyedBroadcastProcessFunction`: the second of the two, in any job.
 */
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader } from '../contracts/snapshot.ts';
import type { JoinOperator } from './operator.ts';
import { ProcessOperator } from './process-operator.ts';

export class ProcessAfterControl extends ProcessOperator implements JoinOperator {
  /** A snapshot has all that control rows have done: what comes behind it is of operators that see no rows any more. */
  #isRestored = false;

  build(batch: Batch, fromRow: number): number {
    return this.#isRestored ? batch.rowCount : this.control(batch, fromRow);
  }

  override restore(reader: SnapshotReader): boolean {
    this.#isRestored = super.restore(reader);
    return this.#isRestored;
  }

  buildEnded(): boolean {
    return true;
  }
}

export class ProcessBesideControl extends ProcessOperator {
  processRight(batch: Batch, fromRow: number): number {
    return this.control(batch, fromRow);
  }
}
