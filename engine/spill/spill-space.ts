/**
 * The spill space: what one operator of a task is given to put rows on disk, and how much of the slot's
 * memory it may hold before it does.
 *
 *     <spill dir>/<run of a process>/<job>-<attempt>/<task>/<operator>-<file>.spill
 *     └─ --spill-dir ┘└─ worker/spill-folder.ts ─────┘└─ made by the first file of the task
 *
 * Before: worker/threads/task-factory.ts. After: engine/spill/spill-files.ts.
 */
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryShare } from '../memory/memory-share.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';

export interface SpillSpace {
  readonly disk: SyncDisk;
  /** The folder of the task; made on first use, removed when the job attempt ends. */
  readonly folder: string;
  /** What names of files begin with: unique among those who share the folder. */
  readonly prefix: string;
  /** What the operator may hold of the slot's memory. */
  readonly share: MemoryShare;
  /** Is told the bytes of every block that is written. */
  readonly onWritten: (bytes: number) => void;
}

/** What an operator's context has for spilling. */
export interface SpillContext {
  /** The operator's name, for errors. */
  readonly name: string;
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly spill: SpillSpace;
}
