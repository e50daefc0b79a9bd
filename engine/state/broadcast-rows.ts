/**
 * Broadcast rows: the entries of a broadcast state as rows of a snapshot, and back: a column `key`, a column `value`, in the
 * order in which keys came. All tasks have the same, if not at the same time, and each hands it out, so that each new task reads it
 * somewhere: from one of them, whose channels of control rows it goes on with (engine/task/channel-route.ts).
 *
 * Before: engine/operators/process-operator.ts. After: engine/state/broadcast-state.ts.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import { readRow } from '../batch/row-reader.ts';
import type { SnapshotReader, SnapshotRows, SnapshotWriter } from '../contracts/snapshot.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { BroadcastSpec } from '../plan/state-spec.ts';
import type { ValueChange } from '../plan/user-functions.ts';
import { isSameType } from '../schema/field-type.ts';
import { type Schema, schemaText } from '../schema/schema.ts';
import type { BroadcastStates } from './broadcast-state.ts';
import { type ChangedValues, changedValues } from './value-change.ts';

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

export interface BroadcastRestore {
  readonly operator: string;
  readonly states: BroadcastStates;
  readonly specs: readonly BroadcastSpec[];
  /** How values of states have changed, by name. */
  readonly changes: Readonly<Record<string, ValueChange>>;
}

/** Before the first call. @throws STATE_CHANGED, BROADCAST_STATE_TOO_LARGE, and what functions of the job throw. */
export function restoreBroadcast(reader: SnapshotReader, into: BroadcastRestore): void {
  for (const spec of into.specs) {
    // Under its own name, or else under the one that it had.
    if (restorePart(reader, partOf(spec), spec, into) || spec.was === undefined) continue;
    restorePart(reader, partOf({ name: spec.was }), spec, into);
  }
}

/** False where there are no rows of the part. */
function restorePart(
  reader: SnapshotReader,
  part: string,
  spec: BroadcastSpec,
  { operator, states, changes }: BroadcastRestore,
): boolean {
  let hasRows = false;
  const next = () => (reader.readOne ? reader.readOne(part) : reader.read(part));
  for (let batch = next(); batch !== null; batch = next()) {
    hasRows = true;
    try {
      const values = changesOf(operator, spec, batch.schema, changes[spec.name]);
      if (values === null) states.restore(spec.name, entriesOf(batch));
      else states.restore(spec.name, changedEntries(batch, values));
    } finally {
      batch.release();
    }
  }
  return hasRows;
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

function partOf({ name }: Pick<BroadcastSpec, 'name'>): string {
  return `broadcast-${name}`;
}

/** Null: values are as they were. @throws STATE_CHANGED */
function changesOf(
  operator: string,
  spec: BroadcastSpec,
  was: Schema,
  given: ValueChange | undefined,
): ChangedValues | null {
  const [key, value] = was.fields;
  assert(key !== undefined && value !== undefined, 'rows of broadcast states have two columns');
  const isSameKey = key.nullable === spec.key.nullable && isSameType(key.type, spec.key.type);
  const found = isSameKey ? changedValues(value, spec, given) : 'its keys are of another type';
  if (typeof found !== 'string') return found;
  const { name } = spec;
  const message = `broadcast state "${name}" of operator "${operator}" was ${schemaText(was)} and is now ${schemaText(schemaOf(spec))}: ${found}`;
  throw typedError('STATE_CHANGED', message, {
    hint: 'Declare the state as it was when the checkpoint was taken, or say how its values change: migrate: { from, with }.',
    details: { operator, state: name },
  });
}

/** Entries with the values that they have now. */
function* changedEntries(
  batch: Batch,
  { from, change }: ChangedValues,
): Iterable<readonly [unknown, unknown]> {
  const [keyField, valueField] = batch.schema.fields;
  const [keys, values] = batch.columns;
  assert(keyField !== undefined && valueField !== undefined, 'rows have a key and a value');
  assert(keys !== undefined && values !== undefined, 'a batch has the columns of its schema');
  // Read as the job says that it was: what JavaScript makes of an int64 is not on disk.
  const read = batch.derive({
    schema: { fields: [keyField, { ...from, name: 'value' }] },
    columns: [keys, { ...values, type: from.type }],
  });
  try {
    for (const [key, value] of entriesOf(read)) yield [key, change(value)];
  } finally {
    read.release();
  }
}
