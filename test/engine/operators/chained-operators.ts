/** Operators one behind the other as one, as a task has them, for tests of phases. */
import type { Batch } from '../../../engine/batch/batch.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import type {
  SnapshotReader,
  SnapshotRows,
  SnapshotWriter,
} from '../../../engine/contracts/snapshot.ts';
import type { Operator } from '../../../engine/operators/operator.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { ChainedOutbox, type Outbox } from '../../../engine/stream/outbox.ts';

export class ChainedOperators implements Operator {
  readonly #first: Operator;
  readonly #second: Operator;
  /** What the first has given out and the second has not finished. */
  readonly #between: ChainedOutbox;
  #outbox: Outbox | null = null;
  #isFirstDone = false;
  /** To the time that the second is told of next. */
  #isFirstAdvanced = false;

  #ofFirst: HandedOut | null = null;
  #isFirstRestored = false;

  constructor([first, second]: readonly [Operator, Operator]) {
    this.#first = first;
    this.#second = second;
    this.#between = new ChainedOutbox((batch, row) =>
      this.#outbox === null ? row : second.process(batch, row, this.#outbox),
    );
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    this.#outbox = outbox;
    if (!this.#between.pump()) return fromRow;
    return this.#first.process(batch, fromRow, this.#between);
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    this.#outbox = outbox;
    if (!this.#between.pump()) return false;
    this.#isFirstAdvanced ||= this.#first.advance?.(timeMs, this.#between) ?? true;
    if (!this.#isFirstAdvanced || !this.#between.pump()) return false;
    if (this.#second.advance?.(timeMs, outbox) === false) return false;
    this.#isFirstAdvanced = false;
    return true;
  }

  /** The barrier goes through one behind the other; what both hand out stands beside each other. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    this.#outbox = outbox;
    if (!this.#between.pump()) return false;
    if (this.#ofFirst === null) {
      const taken = new HandedOut(writer.checkpointId);
      if (this.#first.snapshot?.(taken, this.#between) === false) return false;
      this.#ofFirst = taken;
    }
    if (!this.#between.pump()) return false;
    const ofSecond = new HandedOut(writer.checkpointId);
    if (this.#second.snapshot?.(ofSecond, outbox) === false) return false;
    const both = [this.#ofFirst, ofSecond];
    this.#ofFirst = null;
    writer.note(both.map(({ noted }) => noted));
    for (const [place, { parts }] of both.entries()) {
      for (const [part, schema, rows] of parts) writer.rows(`${place} ${part}`, schema, rows);
    }
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    const of = (place: number): SnapshotReader => ({
      keyGroups: reader.keyGroups,
      notes: reader.notes.map((note) => (note as readonly Json[])[place] ?? null),
      read: (part) => reader.read(`${place} ${part}`),
    });
    this.#isFirstRestored ||= this.#first.restore?.(of(0)) ?? true;
    return this.#isFirstRestored && (this.#second.restore?.(of(1)) ?? true);
  }

  finish(outbox: Outbox): boolean {
    this.#outbox = outbox;
    if (!this.#between.pump()) return false;
    this.#isFirstDone ||= this.#first.finish(this.#between);
    if (!this.#isFirstDone || !this.#between.pump()) return false;
    return this.#second.finish(outbox);
  }

  close(): void {
    this.#between.close();
    this.#first.close();
    this.#second.close();
  }
}

/** What one of them has handed out. */
class HandedOut implements SnapshotWriter {
  readonly checkpointId: number;
  readonly parts: (readonly [part: string, schema: Schema, rows: SnapshotRows])[] = [];
  noted: Json = null;

  constructor(checkpointId: number) {
    this.checkpointId = checkpointId;
  }

  note(note: Json): void {
    this.noted = note;
  }

  rows(part: string, schema: Schema, rows: SnapshotRows): void {
    this.parts.push([part, schema, rows]);
  }
}
