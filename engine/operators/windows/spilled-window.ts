/**
 * Spilled window: the groups of a window with panes on disk. All parts of its panes, from runs and from tables,
 * are merged within the share: what does not fit goes to disk again, by partitions of the keys.
 *
 *     runs of a pane ─┐
 *     its table ──────┴─▶ parts ─▶ SpilledGroups ─▶ results
 *
 * Runs stay where they are, for later windows have the same panes; tables are read and rewound.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Schema } from '../../schema/schema.ts';
import type { SpillReader } from '../../spill/spill-reader.ts';
import type { SpillRun } from '../../spill/spill-writer.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';
import { SpilledGroups } from '../spilled-groups.ts';
import type { Pane } from './open-panes.ts';
import type { PaneDisk } from './pane-disk.ts';

export interface SpilledWindowOptions {
  readonly disk: PaneDisk;
  readonly panes: readonly Pane[];
  readonly keys: readonly string[];
  /** Keys and parts. */
  readonly parts: Schema;
  readonly output: Schema;
  /** Of the panes' tables. */
  readonly plan: AggregatePlan;
  /** Over the parts. */
  readonly mergePlan: AggregatePlan;
}

export class SpilledWindow {
  readonly #options: SpilledWindowOptions;
  readonly #groups: SpilledGroups;
  /** What has not been read to its end, in order. */
  readonly #sources: (SpillRun | AggregateTable)[];
  #reader: SpillReader | null = null;
  #batch: Batch | null = null;
  #row = 0;

  constructor(context: OperatorContext, options: SpilledWindowOptions) {
    const { disk, panes, keys, parts: schema, output, mergePlan: plan } = options;
    const { files, size } = disk;
    this.#options = options;
    this.#groups = new SpilledGroups(context, { files, size, schema, keys, plan, output });
    this.#sources = panes.flatMap(({ runs, table }) => (table === null ? runs : [...runs, table]));
  }

  /** The next results; null when this slice has none. */
  next(): Batch | null | 'end' {
    if (this.#batch !== null) this.#add(this.#batch);
    else if (this.#sources[0] !== undefined) this.#read(this.#sources[0]);
    else return this.#groups.next();
    return null;
  }

  /** Releases what it has of memory; files are left to their owner. */
  close(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#reader?.close();
    this.#reader = null;
    this.#groups.close();
  }

  #add(batch: Batch): void {
    this.#row = this.#groups.add(batch, this.#row);
    if (this.#row < batch.rowCount) return;
    batch.release();
    this.#batch = null;
  }

  #read(source: SpillRun | AggregateTable): void {
    assert(this.#batch === null, 'one batch is merged at a time');
    this.#row = 0;
    if (source instanceof AggregateTable) {
      if (!source.settle()) return;
      if (!source.isReadOut) {
        this.#batch = source.next(this.#options.plan.parts, this.#options.parts);
        return;
      }
      source.rewind();
      this.#sources.shift();
      return;
    }
    this.#reader ??= this.#options.disk.open(source);
    const batch = this.#reader.read();
    if (batch !== 'end') {
      this.#batch = batch;
      return;
    }
    this.#reader.close();
    this.#reader = null;
    this.#sources.shift();
  }
}
