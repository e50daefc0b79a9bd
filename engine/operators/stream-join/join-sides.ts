/**
 * The two sides of a join of streams, and what pairs their rows: of each side the rows that are kept, and rows of its
 * batches alone; the condition; the lists of the batch at hand.
 *
 * Which rows are kept for how long, and what is given out of pairs, is the operator's to say.
 * After: engine/operators/stream-join/stream-side.ts
 */
import { closeAll } from '../../../base/close-all.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Expr } from '../../expr/expr.ts';
import { isOuter, type JoinSide, type JoinType } from '../../plan/join-type.ts';
import type { Schema } from '../../schema/schema.ts';
import { OwnedRows } from '../../stream/owned-rows.ts';
import { type JoinCondition, joinConditionOf } from '../join-condition.ts';
import { JoinOutput } from '../join-output.ts';
import type { OperatorContext } from '../operator.ts';
import { BandScratch } from './band-scratch.ts';
import { type JoinStream, otherSide } from './interval-join-options.ts';
import { SegmentPairs } from './segment-pairs.ts';
import { StreamSide } from './stream-side.ts';

export interface JoinSidesOptions {
  readonly type: JoinType;
  readonly left: Omit<JoinStream, 'time'>;
  readonly right: Omit<JoinStream, 'time'>;
  /** A condition over columns of both. */
  readonly condition: Expr | null;
  /** Of pairs. */
  readonly output: Schema;
  /** Rows whose times are in one slice of this length are kept together. */
  readonly slice: number;
}

/** Rows of a batch, which are listed in the bands with their times. */
export interface ListedRows {
  readonly batch: Batch;
  readonly side: JoinSide;
  readonly count: number;
  readonly least: number;
  readonly most: number;
}

export class JoinSides {
  readonly bands: BandScratch;
  readonly pairs: SegmentPairs;
  readonly left: StreamSide;
  readonly right: StreamSide;
  /** Rows of a side's batch alone. */
  readonly alone: { readonly [Side in JoinSide]: JoinOutput };
  readonly #context: OperatorContext;
  readonly #options: JoinSidesOptions;
  readonly #condition: JoinCondition | null;
  readonly #parts: ({ close(): void } | null)[] = [];

  /** @throws MEMORY_EXHAUSTED; nothing is kept then. */
  constructor(context: OperatorContext, options: JoinSidesOptions) {
    const { left, right, condition } = options;
    this.#context = context;
    this.#options = options;
    try {
      this.bands = this.#part(new BandScratch(context.scope));
      const schemas = { probe: left.schema, build: right.schema };
      this.#condition = joinConditionOf(context, { ...schemas, condition });
      this.#part(this.#condition?.filter ?? null);
      this.pairs = new SegmentPairs(context, this.bands, this.#condition);
      this.left = this.#sideOf('left');
      this.right = this.#sideOf('right');
      this.alone = { left: this.#aloneOf('left'), right: this.#aloneOf('right') };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether it matters which rows of a side have had a partner. */
  hasMarks(side: JoinSide): boolean {
    const { type } = this.#options;
    return isOuter(type, side) || (side === 'left' && type === 'semi');
  }

  /** Keeps rows that may have partners later. */
  keep({ batch, side, count, least, most }: ListedRows): void {
    if (count === 0) return;
    const { rows, times } = this.bands;
    const others = this[otherSide(side)].sizeBytes;
    const room = this.#context.spill.share.bytes - others - this.bands.sizeBytes;
    this[side].put({ batch, rows, times, count, least, most }, room);
  }

  close(): void {
    closeAll(this.#parts.splice(0).reverse());
  }

  #sideOf(side: JoinSide): StreamSide {
    const { output, slice } = this.#options;
    const { schema, keys } = this.#options[side];
    const other = this.#options[otherSide(side)].schema;
    const conditionColumns = this.#condition?.columns ?? null;
    const common = { schema, keys, other, output, conditionColumns, bands: this.bands };
    const hasMarks = this.hasMarks(side);
    return this.#part(
      new StreamSide(this.#context, { ...common, scratch: this.bands.table, hasMarks, slice }),
    );
  }

  #aloneOf(side: JoinSide): JoinOutput {
    const { scope, kernels } = this.#context;
    const { output } = this.#options;
    const [probe, build] = [this.#options[side].schema, this.#options[otherSide(side)].schema];
    const none = this.#part(new OwnedRows({ scope, kernels, schema: build, isSmallAtFirst: true }));
    const sides = { probe, build, mayBeNull: false };
    return this.#part(new JoinOutput(this.#context, none, { ...sides, output }));
  }

  #part<T extends { close(): void } | null>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
