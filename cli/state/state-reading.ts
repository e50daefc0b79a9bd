/**
 * Reading the state of an operator out of a checkpoint: the parts that its tasks wrote, checked, as batches.
 *
 * Before: cli/commands/state-read.ts. After: worker/snapshot/snapshot-part-reader.ts, cli/state/state-text.ts.
 */
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { typedError } from '../../base/typed-error.ts';
import type {
  CheckpointManifest,
  OperatorDescription,
} from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { readValue } from '../../engine/batch/row-reader.ts';
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { isChannelKind } from '../../engine/plan/channel-ref.ts';
import { fieldIndexOf, type Schema } from '../../engine/schema/schema.ts';
import { selectedBatch } from '../../engine/stream/selected-batch.ts';
import type { SnapshotContext } from '../../worker/snapshot/snapshot-output.ts';
import { SnapshotPartReader } from '../../worker/snapshot/snapshot-part-reader.ts';
import { EntryTable, hasEntries, type NotedState, notedStates } from './entry-table.ts';
import { type NotedPart, notedParts } from './noted-parts.ts';

/** What all tasks have of a part. */
export interface KeptPart {
  readonly name: string;
  readonly parts: readonly SnapshotPart[];
  /** Of keyed state: the state that it has; null for other parts. */
  readonly state: NotedState | null;
  /** Of what is in the manifest: its rows. @defaultValue they are in `parts` */
  readonly noted?: NotedPart;
}

/** The parts of an operator that have rows, in the order of their names and tasks; then what is noted of it. */
export function keptParts(manifest: CheckpointManifest, operatorId: string): KeptPart[] {
  const noted = notedParts(manifest, operatorId).map((one) => ({
    ...{ name: one.name, parts: [], state: null, noted: one },
  }));
  return [...rowParts(manifest, operatorId), ...noted];
}

function rowParts({ tasks }: CheckpointManifest, operatorId: string): KeptPart[] {
  const ordered = tasks.toSorted((left, right) => left.taskIndex - right.taskIndex);
  const own = ordered.flatMap(({ operators }) =>
    operators.filter((one) => one.operatorId === operatorId && !isChannelKind(one.kind)),
  );
  const states = own.flatMap(({ note }) => notedStates(note));
  const byName = Map.groupBy(
    own.flatMap(({ parts }) => parts),
    ({ part }) => part,
  );
  return [...byName]
    .map(([name, parts]) => ({
      name,
      parts: parts.filter(({ rowCount }) => rowCount > 0),
      state: states.find((one) => `state-${one.name}` === name) ?? null,
    }))
    .filter(({ parts }) => parts.length > 0)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Takes the batches of a part; they are the reading's. */
export interface BatchTaker {
  /** Called once, before the first batch. */
  begin(schema: Schema): void;
  take(batch: Batch): void;
}

/** 256 MiB: a batch, and what it is written with; state is read a batch at a time. */
const memoryBytes = 256 << 20;

export class StateReading {
  readonly context: SnapshotContext;
  readonly #operator: OperatorDescription;
  /** A text for each column of the key, null for a null; null: all keys. */
  readonly #wanted: readonly (string | null)[] | null;

  /**
   * @param root - Where paths of parts begin.
   * @param key - Only rows of it.
   * @throws STATE_KEY_INVALID
   */
  constructor(root: string, operator: OperatorDescription, key: string | null) {
    const memory = new SlotMemory({ budgetBytes: memoryBytes });
    this.#operator = operator;
    this.#wanted = key === null ? null : keyTexts(key, operator);
    this.context = {
      disk: createRealSyncDisk(),
      scope: memory.scope('state read'),
      kernels: instantiateKernels(memory.memory),
      folder: root,
    };
  }

  /** @throws SNAPSHOT_DAMAGED, STATE_KEY_INVALID, and errors of the disk. */
  read(kept: KeptPart, taker: BatchTaker): void {
    if (kept.noted !== undefined) {
      this.#readNoted(kept.noted, taker);
      return;
    }
    let entries: EntryTable | null = null;
    let hasBegun = false;
    for (const part of kept.parts) {
      const reader = new SnapshotPartReader(this.context, part);
      try {
        if (hasEntries(reader.schema)) {
          entries ??= this.#entryTable(kept);
          for (const batch of batchesOf(reader)) entries.add(batch);
          continue;
        }
        const indexes = this.#keyIndexes(reader.schema, kept.name);
        if (!hasBegun) taker.begin(reader.schema);
        hasBegun = true;
        for (const batch of batchesOf(reader)) this.#give(batch, indexes, taker);
      } finally {
        reader.close();
      }
    }
    if (entries !== null) giveEntries(entries, taker);
  }

  #readNoted({ name, schema, rows }: NotedPart, taker: BatchTaker): void {
    this.#keyIndexes(schema, name); // Asked for one key, they have none.
    taker.begin(schema);
    const builder = new BatchBuilder(this.context.scope, schema);
    const give = () => {
      const batch = builder.build();
      taker.take(batch);
      batch.release();
    };
    try {
      for (const row of rows) {
        builder.appendRow(row);
        if (builder.isFull) give();
      }
      if (builder.rowCount > 0) give();
    } finally {
      builder.discard();
    }
  }

  #entryTable({ state }: KeptPart): EntryTable {
    const { keys } = this.#operator;
    const isWanted = (key: Readonly<Record<string, unknown>>) =>
      this.#wanted === null ||
      keys.every(({ name }, at) => textOf(key[name]) === this.#wanted?.[at]);
    return new EntryTable({ scope: this.context.scope, keys, state, isWanted });
  }

  #give(batch: Batch, indexes: readonly number[], taker: BatchTaker): void {
    const kept = this.#wanted === null ? batch.retain() : this.#ofKey(batch, indexes);
    try {
      if (kept !== null) taker.take(kept);
    } finally {
      kept?.release();
    }
  }

  #ofKey(batch: Batch, indexes: readonly number[]): Batch | null {
    const { scope } = this.context;
    const selection = scope.allocate(Math.max(4, batch.rowCount * 4));
    const { uint32 } = scope.memory;
    const rows = addressOf(selection) >>> 2;
    let rowCount = 0;
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      if (this.#isOfKey(batch, { indexes, row })) uint32[rows + rowCount++] = row;
    }
    return selectedBatch(this.context, batch, { selection, rowCount });
  }

  #isOfKey(
    batch: Batch,
    { indexes, row }: { readonly indexes: readonly number[]; readonly row: number },
  ): boolean {
    return indexes.every((index, at) => {
      const column = batch.columns[index];
      if (column === undefined) return false;
      return textOf(readValue(batch.memory, column, row, '')) === this.#wanted?.[at];
    });
  }

  #keyIndexes(schema: Schema, part: string): number[] {
    if (this.#wanted === null) return [];
    const { keys, operatorId } = this.#operator;
    const indexes = keys.map(({ name }) => fieldIndexOf(schema, name));
    if (indexes.length > 0 && indexes.every((index) => index >= 0)) return indexes;
    const message = `part "${part}" of operator "${operatorId}" has no columns of a key`;
    throw typedError('STATE_KEY_INVALID', message, {
      hint: 'Leave --key out, or choose another part with --part.',
    });
  }
}

/** The batches of a part, each released when the next one is asked for. */
function* batchesOf(reader: SnapshotPartReader): Generator<Batch> {
  for (let batch = reader.read(); batch !== null; batch = reader.read()) {
    try {
      yield batch;
    } finally {
      batch.release();
    }
  }
}

function giveEntries(entries: EntryTable, taker: BatchTaker): void {
  taker.begin(entries.schema);
  for (const batch of entries.batches()) {
    try {
      taker.take(batch);
    } finally {
      batch.release();
    }
  }
}

function keyTexts(key: string, { keys, operatorId }: OperatorDescription): (string | null)[] {
  const given = keys.length === 1 && !key.startsWith('[') ? [key] : listOf(key);
  if (given !== null && given.length === keys.length) return given.map(textOf);
  const names = keys.map(({ name }) => `"${name}"`).join(', ');
  const message = `"${key}" is no key of operator "${operatorId}"`;
  throw typedError('STATE_KEY_INVALID', message, {
    hint:
      keys.length === 0
        ? 'The operator keeps no state by one key: leave --key out.'
        : `Write a JSON list with a value for each of ${names}.`,
  });
}

function listOf(text: string): unknown[] | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null; // Not JSON: the caller says so.
  }
}

/** Texts as they are, all else as JSON would have it, integers with all digits. */
function textOf(value: unknown): string | null {
  if (value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
