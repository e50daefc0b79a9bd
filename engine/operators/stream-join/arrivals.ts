/**
 * Arrivals: when the rows of a batch came, all at once, as the times that segments are made of; and rows that came longer
 * ago than they are kept, dropped.
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { JoinSide } from '../../plan/join-type.ts';
import type { OperatorContext } from '../operator.ts';
import type { JoinSides, ListedRows } from './join-sides.ts';
import { timeMax } from './stream-side.ts';

/** Rows of a batch that came at one time, listed in the bands. */
export interface ArrivedRows {
  /** When they came. */
  readonly timeMs: number;
  /** Rows with a key, and without. */
  readonly count: number;
  readonly aloneCount: number;
}

const sideNames = ['left', 'right'] as const;
const highUnit = 2 ** 32;

export class Arrivals {
  readonly #context: OperatorContext;
  readonly #sides: JoinSides;
  /** By stored row. */
  readonly #times: BlockHandle;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, sides: JoinSides) {
    this.#context = context;
    this.#sides = sides;
    this.#times = context.scope.allocate(batchRowsMax * 8);
  }

  /** Lists the rows of a batch that come now, those without a key by themselves. */
  list(side: JoinSide, batch: Batch): ArrivedRows {
    const { uint32 } = this.#context.scope.memory;
    const { bands } = this.#sides;
    const timeMs = this.nowMs;
    this.#stamp(timeMs, batch.storedRows);
    const count = this.#list(side, batch);
    bands.clearBits();
    return { timeMs, count, aloneCount: uint32[bands.counts >>> 2] ?? 0 };
  }

  /**
   * Lists the rows of a batch that came before, those without a key left out.
   *
   * @param heldMs - How long ago, by stored row: the address of int64; 0: they came now.
   */
  listHeld(side: JoinSide, batch: Batch, heldMs: number): ListedRows {
    const { float64, int32, uint32 } = this.#context.scope.memory;
    const { nowMs } = this;
    if (heldMs === 0) this.#stamp(nowMs, batch.storedRows);
    else {
      const at = addressOf(this.#times) >>> 2;
      for (let row = 0; row < batch.storedRows; row++) {
        const word = (heldMs >>> 2) + row * 2;
        const timeMs = nowMs - ((int32[word + 1] ?? 0) * highUnit + (uint32[word] ?? 0));
        uint32[at + row * 2] = timeMs >>> 0;
        uint32[at + row * 2 + 1] = Math.floor(timeMs / highUnit) >>> 0;
      }
    }
    const count = this.#list(side, batch);
    const place = (this.#sides.bands.counts >>> 3) + 1;
    const [least = 0, most = 0] = float64.subarray(place, place + 2);
    return { batch, side, count, least, most };
  }

  /** Lists all rows of a batch without a selection, which came at that time and have keys. */
  listAt({ rowCount }: Batch, timeMs: number): void {
    const { bytes, uint32 } = this.#context.scope.memory;
    const { rows, times } = this.#sides.bands;
    this.#stamp(timeMs, rowCount);
    const from = addressOf(this.#times);
    bytes.copyWithin(times, from, from + rowCount * 8);
    for (let row = 0; row < rowCount; row++) uint32[(rows >>> 2) + row] = row;
    this.#sides.bands.clearBits();
  }

  /** Drops rows that came before. @param onDropped - Is told of each segment. @defaultValue nobody is told */
  drop(
    beforeMs: number,
    onDropped: (segment: JoinSides['left']['segments'][number]) => void = () => undefined,
  ): void {
    for (const side of sideNames) {
      const stream = this.#sides[side];
      for (let old = stream.expired(beforeMs); old !== null; old = stream.expired(beforeMs)) {
        onDropped(old);
        stream.remove(old);
      }
    }
  }

  /** The clock, in whole milliseconds. */
  get nowMs(): number {
    return Math.floor(this.#context.nowMs?.() ?? 0);
  }

  /** When the oldest rows came that are kept; infinity where there are none. */
  get oldestMs(): number {
    const all = sideNames.flatMap((side) => this.#sides[side].segments.map(({ most }) => most));
    return Math.min(...all);
  }

  close(): void {
    this.#context.scope.memory.release(this.#times);
  }

  /** Lists the rows that have a key, with the times that are there by stored row; answers how many. */
  #list(side: JoinSide, batch: Batch): number {
    const { rows, times, alone, counts } = this.#sides.bands;
    const stream = this.#sides[side];
    const keys = stream.readKeys(batch);
    return this.#context.kernels.timedRows(
      ...([addressOf(this.#times), 0, batch.selection, batch.rowCount, 1, -timeMax] as const),
      ...([keys.validity, Number(stream.areKeysByPlace), rows, times, alone, counts] as const),
    );
  }

  /** A time before 1970 does not come from a clock. */
  #stamp(timeMs: number, count: number): void {
    const { uint32 } = this.#context.scope.memory;
    const [low, high] = [timeMs % highUnit, Math.floor(timeMs / highUnit)];
    const at = addressOf(this.#times) >>> 2;
    for (let row = 0; row < count; row++) {
      uint32[at + row * 2] = low;
      uint32[at + row * 2 + 1] = high;
    }
  }
}
