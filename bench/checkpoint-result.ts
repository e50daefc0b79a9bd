/** What the checkpoint bench has measured. */

/** What is to be done by each. */
export interface CheckpointTask {
  /** The folder of keys. */
  readonly input: string;
  readonly keys: number;
  /** Keys of the window that rows are drawn from. */
  readonly changed: number;
  /** How long a stretch is measured. */
  readonly seconds: number;
}

/** Rows behind the last key before anything is measured. */
export const warmRows = 2_000_000;

/** A stretch of a job's work. */
export interface Stretch {
  readonly rows: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Checkpoints of one kind, medians. */
export interface CheckpointFigures {
  readonly count: number;
  readonly durationMs: number;
  readonly bytes: number;
}

export interface CheckpointMeasure {
  /** Without checkpoints, and with one each second. */
  readonly without: Stretch;
  readonly with: Stretch;
  readonly full: CheckpointFigures;
  readonly incremental: CheckpointFigures;
  /** Of the part of a checkpoint that a task stands still for, all tasks and checkpoints, 99 %; null where it is not told. */
  readonly syncP99Ms: number | null;
  /** From SIGKILL until the first row is summed up, and until a file is there; null where it is not measured. */
  readonly killToRowMs: number | null;
  readonly killToFileMs: number | null;
  /** From two tasks to four: the longest time without a row. */
  readonly rescalePauseMs: number | null;
}

/** Milliseconds from trigger to completion, medians. */
export interface BackpressureMeasure {
  readonly unloadedMs: number;
  readonly alignedMs: number;
  readonly unalignedMs: number;
}

export interface CheckpointResult {
  readonly contestant: string;
  readonly measured: CheckpointMeasure[];
  readonly backpressure: BackpressureMeasure[];
}
