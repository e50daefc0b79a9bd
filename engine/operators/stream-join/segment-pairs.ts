/**
 * The pairs that a batch's rows make with the rows of a segment: by key, by time, and by the join's condition.
 *
 *     begin ─▶ next ─▶ next … until isDone         up to 8,192 pairs a call, at `probe` and `build` of the scratch
 *
 * Before: engine/operators/stream-join/interval-join-operator.ts · After: engine/kernels/band-kernels.ts
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { type JoinCondition, keepPairs } from '../join-condition.ts';
import type { OperatorContext } from '../operator.ts';
import type { BandScratch } from './band-scratch.ts';
import type { JoinSegment } from './join-segment.ts';
import type { StreamSide } from './stream-side.ts';

export interface ProbedRows {
  readonly batch: Batch;
  /** The side that they are of. */
  readonly side: StreamSide;
  /** Count of the rows at `rows` of the scratch, and times at `times`. */
  readonly count: number;
  /** From where to where partners are in time, counted from a row. */
  readonly low: number;
  readonly high: number;
}

export class SegmentPairs {
  readonly #context: OperatorContext;
  readonly #bands: BandScratch;
  readonly #condition: JoinCondition | null;
  #hasHeads = false;

  constructor(context: OperatorContext, bands: BandScratch, condition: JoinCondition | null) {
    this.#context = context;
    this.#bands = bands;
    this.#condition = condition;
  }

  /** The next pairs; `isDone` when there are no more with this segment: the next call is of another. */
  next(
    probed: ProbedRows,
    segment: JoinSegment,
  ): { readonly count: number; readonly isDone: boolean } {
    const { kernels, scope } = this.#context;
    const { rows, times, heads, probe, build, state } = this.#bands;
    const { count, low, high } = probed;
    if (!this.#hasHeads) this.#findHeads(probed, segment);
    this.#hasHeads = true;
    const made = kernels.joinPairsWithin(
      ...([state, heads, rows, count, segment.table.next, times, segment.times] as const),
      ...([low, high, probe, build, batchRowsMax] as const),
    );
    const isDone = scope.memory.uint32[state >>> 2] === count;
    if (isDone) this.#hasHeads = false;
    return { count: this.#filtered(probed.batch, segment, made), isDone };
  }

  #findHeads({ side, batch, count }: ProbedRows, segment: JoinSegment): void {
    const { rows, heads } = this.#bands;
    const keyed = batch.derive({ rowCount: count, selection: rows });
    const keys = side.readKeys(keyed);
    segment.table.find(keys, count, heads);
    keyed.release();
    this.#bands.clearState();
  }

  /** Leaves the pairs for which the condition is true; answers how many. */
  #filtered(batch: Batch, { pairs }: JoinSegment, made: number): number {
    const condition = this.#condition;
    if (condition === null || pairs === null || made === 0) return made;
    const { probe, build } = this.#bands;
    const seen = pairs.make({ count: made, probe: { batch, rows: probe }, numbers: build });
    try {
      return keepPairs(this.#context, { condition, pairs: seen, lists: [probe, build] });
    } finally {
      seen.release();
    }
  }
}
