/**
 * Broadcast rows: the entries of a broadcast state as rows of a snapshot, and back: a column `key`, a column `value`, in the
 * order in which keys came. All tasks have the same and each hands it out, so that each new task reads it somewhere.
 *
 * Before: engine/operators/process-operator.ts. After: engine/state/broadcast-state.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import { readRow } from '../batch/row-reader.ts';
import type { SnapshotReader, SnapshotRows, SnapshotWriter } from '../contracts/snapshot.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { BroadcastSpec } from '../plan/state-spec.ts';
import { isSameType } from '../schema/field-type.ts';
import { type Schema, schemaText } from '../schema/schema.ts';
import type { BroadcastStates } from './broadcast-state.ts';

/** Between calls. */
export function snapshotBroadcast(
  writer: SnapshotWriter,
  scope: MemoryScope,
  states: BroadcastStates,
  specs: readonly BroadcastSpec[],
): void {
  for (const spec of specs) {
    const schema = schemaOf(spec);
    writer.rows(partOf(spec), schema, new EntryList(scope, schema, states.entries(spec.name)));
  }
}

/** Before the first call. @throws STATE_CHANGED, BROADCAST_STATE_TOO_LARGE */
export function restoreBroadcast(
  reader: SnapshotReader,
  operator: string,
  states: BroadcastStates,
  specs: readonly BroadcastSpec[],
): void {
  for (const spec of specs) {
    const part = partOf(spec);
    for (let batch = reader.read(part); batch !== null; batch = reader.read(part)) {
      try {
        check(operator, spec, batch.schema);
        states.restore(spec.name, entriesOf(batch));
      } finally {
        batch.release();
      }
    }
  }
}

/** Entries that do not change: a list is made anew when its state does. */
class EntryList implements SnapshotRows {
  readonly #scope: MemoryScope;
  readonly #schema: Schema;
  readonly #entries: readonly (readonly [unknown, unknown])[];
  #next = 0;

  constructor(
    scope: MemoryScope,
    schema: Schema,
    entries: readonly (readonly [unknown, unknown])[],
  ) {
    this.#scope = scope;
    this.#schema = schema;
    this.#entries = entries;
  }

  next(): Batch | null {
    if (this.#next === this.#entries.length) return null;
    const builder = new BatchBuilder(this.#scope, this.#schema);
    try {
      do builder.appendRow(this.#entries[this.#next++]!);
      while (!builder.isFull && this.#next < this.#entries.length);
      return builder.build();
    } catch (error) {
      builder.discard();
      throw error;
    }
  }

  close(): void {
    // It holds nothing of the memory between two batches.
  }
}

function* entriesOf(batch: Batch): Iterable<readonly [unknown, unknown]> {
  for (let row = 0; row < batch.rowCount; row++) {
    const { key, value } = readRow(batch, row);
    yield [key, value];
  }
}

function schemaOf({ key, value }: BroadcastSpec): Schema {
  return {
    fields: [
      { ...key, name: 'key' },
      { ...value, name: 'value' },
    ],
  };
}

function partOf({ name }: BroadcastSpec): string {
  return `broadcast-${name}`;
}

function check(operator: string, spec: BroadcastSpec, was: Schema): void {
  const now = schemaOf(spec);
  const isSame = now.fields.every(({ type, nullable }, at) => {
    const old = was.fields[at];
    return old !== undefined && old.nullable === nullable && isSameType(old.type, type);
  });
  if (isSame) return;
  const { name } = spec;
  const message = `broadcast state "${name}" of operator "${operator}" was ${schemaText(was)} and is now ${schemaText(now)}`;
  throw typedError('STATE_CHANGED', message, {
    hint: 'Declare the state as it was when the checkpoint was taken, or start the job without the checkpoint.',
    details: { operator, state: name },
  });
}
