/**
 * The files of a folder that a job with checkpoints adds to, by name. What is hidden becomes visible by losing its dot:
 *
 *     out/.part-00002-7-ledger-1a2b3c4d-2-1.csv     written by task 2 behind checkpoint 7
 *     out/part-00002-7-ledger-1a2b3c4d-2-1.csv      committed
 *                    │ └────────────────┘ └ which try of the task
 *                    │   the job's attempt, which no other has, at whatever parallelism
 *                    └ the last checkpoint before its rows; 0 for the attempt's first ones
 *
 * So no name is given twice, and names tell what is left of an attempt that died.
 */
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { pathIn } from './file-path.ts';
import type { WrittenFile } from './output-file.ts';
import type { SinkTarget } from './sink-target.ts';

/** What a writer answers with at a barrier, and `commit` is given. */
export type PartWrite = WrittenFile & { readonly name: string };

export interface PartPlace extends Pick<SlotContext, 'taskIndex' | 'attempt'> {
  /** The last checkpoint before its rows. */
  readonly checkpointId: number;
  readonly ending: string;
}

export function partNameOf({ attemptId }: SinkTarget, place: PartPlace): string {
  const { taskIndex, attempt, checkpointId, ending } = place;
  const number = String(taskIndex).padStart(5, '0');
  return `part-${number}-${checkpointId}-${attemptId}-${attempt}${ending}`;
}

/** Where a part is that nobody looks at yet. */
export function hiddenPathOf({ path }: SinkTarget, name: string): string {
  return pathIn(path, `.${name}`);
}

/** Who wrote a part. */
export interface PartWriter {
  readonly attemptId: string;
  readonly taskIndex: number;
}

/** Who wrote a hidden part; null of names that are none. */
export function writerOfHidden(name: string): PartWriter | null {
  const [, index, attemptId] = /^\.part-(\d{5,})-\d+-([\w-]+)-\d+\./.exec(name) ?? [];
  if (index === undefined || attemptId === undefined) return null;
  return { attemptId, taskIndex: Number(index) };
}

/** What writers have prepared, without those that had nothing. */
export function partsOfWrites(writes: readonly Json[]): readonly PartWrite[] {
  return writes.filter((write) => write !== null) as unknown as readonly PartWrite[];
}
