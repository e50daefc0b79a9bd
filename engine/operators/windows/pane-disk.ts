/**
 * Panes on disk: when the tables of open panes have what they may have of the operator's share, whole panes go to
 * disk as parts, those first that come out last, and their tables are given back.
 *
 *     tables > a third of the share ─▶ last pane ─▶ its groups as parts ─▶ a run of its own ─▶ no table
 *
 * A row that comes for such a pane begins a new table, which may go to disk as well: a pane is all of its runs and
 * its table. The pane that rows go into now is taken last, for it would come back at once. The other thirds are
 * for the table that a window is merged in (`SpilledWindow`), and for one that grows.
 *
 * Invariants:
 * - One file is open at a time, and only while a pane is written.
 * - While a pane is half written no window begins (`settle`).
 */
import { codeOf } from '../../../base/typed-error.ts';
import { batchRowsMax } from '../../batch/batch.ts';
import type { Schema } from '../../schema/schema.ts';
import { SpillFiles } from '../../spill/spill-files.ts';
import type { SpillReader } from '../../spill/spill-reader.ts';
import type { SpillRun, SpillWriter } from '../../spill/spill-writer.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { memoryTooSmall } from '../memory-too-small.ts';
import type { OperatorContext } from '../operator.ts';
import { type PartitionSize, partitionSizeOf } from '../partition-size.ts';
import type { OpenPanes, Pane } from './open-panes.ts';

export interface PaneDiskOptions {
  /** Of groups on disk: keys and parts. */
  readonly parts: Schema;
  /** What windows give out. */
  readonly output: Schema;
  /** Of the panes' tables. */
  readonly plan: AggregatePlan;
  /** What the tables of panes may have together. @defaultValue a third of what the share has for tables */
  readonly tableBytes?: number;
}

/** Tables, or their like: those of panes, the one of a window, and what one of them takes while it grows. */
const tableCount = 3;
/** What keys and inputs of a batch take, widened. */
const scratchBytes = batchRowsMax * 24;

export class PaneDisk {
  readonly size: PartitionSize;
  readonly files: SpillFiles;
  readonly #context: OperatorContext;
  readonly #options: PaneDiskOptions;
  /** The pane that is being written. */
  #pane: Pane | null = null;
  #writer: SpillWriter | null = null;
  /** How many read a run besides, and which of those have no pane any more. */
  readonly #holds = new Map<SpillRun, number>();
  readonly #forgotten = new Set<SpillRun>();
  #isClosed = false;
  /** Whether panes are written until half of the room is free. */
  #isMakingRoom = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: PaneDiskOptions) {
    const { parts, output } = options;
    this.#context = context;
    this.#options = options;
    const needs = { batches: [parts, parts, output], writers: 1, tables: tableCount, scratchBytes };
    const size = partitionSizeOf(needs, context.spill.share.bytes);
    this.size = { ...size, tableBytes: options.tableBytes ?? size.tableBytes };
    this.files = new SpillFiles(context, this.size);
  }

  /** What the tables of panes may have together; no limit where the share is too small to spill. */
  get limitBytes(): number {
    return this.size.canSpill ? this.size.tableBytes : Number.POSITIVE_INFINITY;
  }

  /** Whether rows may not go on into the pane before others, or it, are on disk. */
  isFull(open: OpenPanes, start: number): boolean {
    if (!this.size.canSpill) return false;
    if (this.#isMakingRoom || open.heldBytes > this.limitBytes) return true;
    return open.latest?.start === start && open.latest.table?.groups.isFull === true;
  }

  /** Puts panes on disk until there is room for rows of the one that starts there; false when the slice ended before. */
  makeRoom(open: OpenPanes, start: number): boolean {
    if (!this.settle()) return false;
    this.#isMakingRoom = true;
    open.closeSpare();
    for (;;) {
      this.#pane = this.#next(open, start);
      if (this.#pane === null) break;
      if (!this.settle()) return false;
    }
    this.#isMakingRoom = false;
    return true;
  }

  /** Writes the pane that was begun to its end; false when the slice ended before. */
  settle(): boolean {
    const pane = this.#pane;
    if (pane === null) return true;
    if (!this.#write(pane)) return false;
    this.#pane = null;
    return true;
  }

  open(run: SpillRun): SpillReader {
    return this.files.open(run, this.#options.parts);
  }

  /** Keeps a run, whatever becomes of its pane, for who reads it until `close`. */
  hold(run: SpillRun): { readonly open: () => SpillReader; readonly close: () => void } {
    this.#holds.set(run, (this.#holds.get(run) ?? 0) + 1);
    return { open: () => this.open(run), close: () => this.#letGo(run) };
  }

  /** Removes the files of a pane; those that are held, later. */
  forget(pane: Pane): void {
    for (const run of pane.runs.splice(0)) {
      if (this.#holds.has(run)) this.#forgotten.add(run);
      else this.files.remove(run);
    }
  }

  /** What the job ends with when there is no memory. */
  explained(error: unknown): unknown {
    if (codeOf(error) !== 'MEMORY_EXHAUSTED' || this.size.canSpill) return error;
    const { leastBytes } = this.size;
    return memoryTooSmall(this.#context, { verb: 'group', leastBytes, cause: error });
  }

  close(): void {
    this.#writer = null; // The files close it.
    this.#pane = null;
    this.#isClosed = true;
    this.files.close();
  }

  #letGo(run: SpillRun): void {
    const holds = (this.#holds.get(run) ?? 0) - 1;
    if (holds > 0) {
      this.#holds.set(run, holds);
      return;
    }
    this.#holds.delete(run);
    if (!this.#isClosed && this.#forgotten.delete(run)) this.files.remove(run);
  }

  /** The pane that goes to disk next; null when there is room. */
  #next(open: OpenPanes, start: number): Pane | null {
    const current = open.latest?.start === start ? open.latest : null;
    if (current?.table?.groups.isFull) return current;
    if (open.count() <= this.limitBytes / 2) return null;
    const last = open.all.findLast((pane) => pane.table !== null && pane !== current);
    if (last !== undefined) return last;
    return current?.table === null ? null : current;
  }

  #write(pane: Pane): boolean {
    const { table } = pane;
    const { plan, parts } = this.#options;
    if (table === null) return true;
    if (!table.settle()) return false;
    while (!table.isReadOut) {
      this.#writer ??= this.files.create();
      const batch = table.next(plan.parts, parts);
      try {
        if (batch !== null) this.#writer.append(batch);
      } finally {
        batch?.release();
      }
      if (this.#context.shouldYield()) return false;
    }
    if (this.#writer !== null) pane.runs.push(this.#writer.finish());
    this.#writer = null;
    table.close();
    pane.table = null;
    return true;
  }
}
