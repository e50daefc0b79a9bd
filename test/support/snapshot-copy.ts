/**
 * Snapshots in memory, for tests: what an operator hands out becomes bytes of nobody's slot, and rows of another slot
 * again, as they do on their way through files.
 *
 *     operator ─▶ SnapshotTaker ──take(n)──▶ TaskCopy: a note as JSON, bodies by part ─▶ SnapshotCopies ─▶ operator
 *
 * Contract of operators, asserted here: a note is given once and is small, each part is given once and has rows of its
 * schema; nothing is told by a call of `snapshot` that answers false; `restore` reads each part to its end.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { decodeBody, encodedSizeOf, encodeRows } from '../../engine/batch/wire.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type {
  KeyGroupRange,
  SnapshotReader,
  SnapshotRows,
  SnapshotWriter,
} from '../../engine/contracts/snapshot.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type MemoryScope } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';

/** "A few KiB at most." */
const noteLengthMax = 16 * 1024;

/** Whose memory rows are copied from, and to. */
export interface CopyPlace {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
}

interface PartCopy {
  readonly schema: Schema;
  readonly bodies: Uint8Array[];
}

/** What a task had at a barrier. */
export interface TaskCopy {
  readonly note: Json;
  readonly parts: ReadonlyMap<string, PartCopy>;
  readonly keyGroups: KeyGroupRange;
}

/** Takes what one operator hands out; its rows when the test says so. */
export class SnapshotTaker implements SnapshotWriter {
  readonly checkpointId: number;
  readonly #place: CopyPlace;
  readonly #keyGroups: KeyGroupRange;
  readonly #given = new Map<string, { readonly rows: SnapshotRows; isOpen: boolean }>();
  readonly #parts = new Map<string, PartCopy>();
  #note: string | null = null;

  constructor(place: CopyPlace, keyGroups: KeyGroupRange, checkpointId: number) {
    this.#place = place;
    this.#keyGroups = keyGroups;
    this.checkpointId = checkpointId;
  }

  /** Whether the operator has told nothing so far. */
  get isEmpty(): boolean {
    return this.#note === null && this.#given.size === 0;
  }

  note(note: Json): void {
    assert(this.#note === null, 'an operator notes once');
    this.#note = JSON.stringify(note);
    assert(this.#note.length <= noteLengthMax, 'a note is small');
  }

  rows(part: string, schema: Schema, rows: SnapshotRows): void {
    assert(!this.#given.has(part), 'each part is given once');
    this.#given.set(part, { rows, isOpen: true });
    this.#parts.set(part, { schema, bodies: [] });
  }

  /** Takes batches, one of each part in turn; answers whether there may be more. */
  take(batches: number): boolean {
    for (let taken = 0; taken < batches; taken++) {
      if ([...this.#given.keys()].map((part) => this.#takeOne(part)).every((more) => !more)) {
        return false;
      }
    }
    return true;
  }

  /** Nothing more is taken. */
  close(): void {
    for (const given of this.#given.values()) {
      if (given.isOpen) given.rows.close();
      given.isOpen = false;
    }
  }

  /** What was taken so far. */
  get copy(): TaskCopy {
    const note = JSON.parse(this.#note ?? 'null') as Json;
    return { note, parts: this.#parts, keyGroups: this.#keyGroups };
  }

  #takeOne(part: string): boolean {
    const given = this.#given.get(part);
    const copy = this.#parts.get(part);
    assert(given !== undefined && copy !== undefined, 'a part that was given');
    if (!given.isOpen) return false;
    const batch = given.rows.next();
    if (batch === null) {
      given.isOpen = false;
      given.rows.close();
      return false;
    }
    assert(batch.rowCount > 0, 'a batch of a snapshot has rows');
    expectSchema(batch.schema, copy.schema);
    copy.bodies.push(bytesOf(this.#place, batch));
    batch.release();
    return true;
  }
}

/** Gives a task of the next attempt what all tasks of the last one had. */
export class SnapshotCopies implements SnapshotReader {
  readonly keyGroups: KeyGroupRange;
  readonly notes: readonly Json[];
  readonly #place: CopyPlace;
  readonly #copies: readonly TaskCopy[];
  /** Bodies of a part that are not read yet; null in place of the end. */
  readonly #unread = new Map<string, { schema: Schema; bytes: Uint8Array }[] | null>();

  constructor(place: CopyPlace, copies: readonly TaskCopy[], keyGroups: KeyGroupRange) {
    this.#place = place;
    this.keyGroups = keyGroups;
    this.notes = copies.map(({ note }) => structuredClone(note));
    this.#copies = copies.filter(({ keyGroups: { start, end } }) => {
      return start < keyGroups.end && keyGroups.start < end;
    });
    for (const { parts } of this.#copies) {
      for (const [part, { schema, bodies }] of parts) {
        const unread = this.#unread.get(part) ?? [];
        this.#unread.set(part, [...unread, ...bodies.map((bytes) => ({ schema, bytes }))]);
      }
    }
  }

  read(part: string): Batch | null {
    const unread = this.#unread.get(part);
    if (unread === undefined || unread === null) return null;
    const next = unread.shift();
    if (next === undefined) {
      this.#unread.set(part, null);
      return null;
    }
    return batchOfBytes(this.#place, next.schema, next.bytes);
  }

  /** Parts that have rows which nobody has read. */
  get forgotten(): readonly string[] {
    return [...this.#unread].filter(([, rest]) => rest !== null).map(([part]) => part);
  }
}

function bytesOf({ scope, kernels }: CopyPlace, batch: Batch): Uint8Array {
  const size = encodedSizeOf(kernels, batch, 0, batch.rowCount);
  const block = scope.allocate(size);
  try {
    encodeRows(kernels, batch, 0, batch.rowCount, addressOf(block));
    return scope.memory.bytes.slice(addressOf(block), addressOf(block) + size);
  } finally {
    scope.memory.release(block);
  }
}

function batchOfBytes({ scope, kernels }: CopyPlace, schema: Schema, bytes: Uint8Array): Batch {
  const block = scope.allocate(bytes.length);
  scope.memory.bytes.set(bytes, addressOf(block));
  return decodeBody(kernels, scope, schema, { block, sizeBytes: bytes.length });
}

/** Names, types and nullability of a part's rows are those that it was given with. */
function expectSchema(found: Schema, promised: Schema): void {
  const textOf = ({ fields }: Schema) => JSON.stringify(fields);
  assert(textOf(found) === textOf(promised), 'the rows of a part have its schema');
}
