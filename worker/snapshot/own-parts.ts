/**
 * Own parts: what the first snapshots of a new task may come on top of. An operator that goes on with just the key groups that
 * one task had before it has all rows of that task's parts, and no others, so what it changes is all that there is to write.
 *
 *     before   t0: groups 0..63   t1: groups 64..127
 *     after    t0: groups 0..63   ── the same: parts of the old t0, and what has changed since
 *              at another parallelism: a part has rows of several new tasks; each of these would name it, and who takes over
 *              from two of them would read older rows behind newer ones. All rows are written anew.
 *
 * Before: worker/snapshot/task-snapshot-files.ts. After: worker/snapshot/part-chain.ts.
 */
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import { restoredCheckpointId } from '../../engine/contracts/snapshot.ts';
import { PartChain } from './part-chain.ts';
import type { OperatorParts } from './snapshot-file-writer.ts';

/** The key groups of a task, by its place. */
interface TaskPlace {
  readonly taskIndex: number;
  readonly parallelism: number;
}

/** Of all operators that the task before had. */
export function ownPartsIn(
  tasks: readonly TaskSnapshot[],
  { taskIndex, parallelism }: TaskPlace,
): OperatorParts[] {
  const same = tasks.filter(
    (one) => one.taskIndex === taskIndex && one.parallelism === parallelism,
  );
  return same.flatMap(({ operators }) =>
    operators.map(({ operatorId, kind, note, parts }) => {
      const byName = Map.groupBy(parts, ({ part }) => part);
      const chains = [...byName].map(([name, own]) => {
        return [name, PartChain.of(restoredCheckpointId, own)] as const;
      });
      return { operatorId, kind, note, chains: new Map(chains) };
    }),
  );
}
