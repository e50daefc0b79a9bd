/**
 * Rank stage: row_number, rank and dense_rank. They need no other row than the ones before, of which three
 * numbers are kept.
 */
import type { Column } from '../../batch/batch.ts';
import { rankStateBytes } from '../../kernels/segment-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { RankFunction } from '../../plan/analytic-functions.ts';
import { int64Type } from '../../schema/field-type.ts';
import type { Schema } from '../../schema/schema.ts';
import type { OperatorContext } from '../operator.ts';
import type { Rooms } from '../result-column.ts';
import { type RowStage, widened } from './row-stage.ts';
import type { SortedBatch } from './segment-marks.ts';

export interface RankStageOptions {
  /** One for each of the columns behind those of the input. */
  readonly functions: readonly RankFunction[];
  readonly output: Schema;
}

export class RankStage implements RowStage {
  readonly #context: OperatorContext;
  readonly #before: RowStage;
  readonly #options: RankStageOptions;
  readonly #state: BlockHandle;

  constructor(context: OperatorContext, before: RowStage, options: RankStageOptions) {
    const { scope } = context;
    this.#context = context;
    this.#before = before;
    this.#options = options;
    this.#state = scope.allocate(rankStateBytes);
    const state = addressOf(this.#state);
    scope.memory.bytes.fill(0, state, state + rankStateBytes);
  }

  next(): SortedBatch | 'more' | 'end' {
    const rows = this.#before.next();
    if (rows === 'more' || rows === 'end') return rows;
    const make = (rooms: Rooms) => this.#columns(rows, rooms);
    return widened(this.#context.scope, rows, { schema: this.#options.output, make });
  }

  close(): void {
    this.#context.scope.memory.release(this.#state);
  }

  #columns({ batch, partitions, peers }: SortedBatch, rooms: Rooms): Column[] {
    const { functions } = this.#options;
    const { rowCount } = batch;
    const out = new Map<RankFunction, number>();
    for (const kind of functions) if (!out.has(kind)) out.set(kind, rooms.room(rowCount * 8));
    const of = (kind: RankFunction) => out.get(kind) ?? 0;
    this.#context.kernels.rankRows(
      partitions,
      peers,
      rowCount,
      addressOf(this.#state),
      of('rowNumber'),
      of('rank'),
      of('denseRank'),
    );
    return functions.map((kind) => ({ type: int64Type, validity: 0, values: of(kind) }));
  }
}
