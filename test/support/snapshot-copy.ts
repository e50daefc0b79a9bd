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
  WrittenPart,
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
  /** What its rows come behind. */
  readonly onTopOf: PartCopy | null;
}

/** What a task had at a barrier. */
export interface TaskCopy {
  readonly checkpointId: number;
  readonly note: Json;
  readonly parts: ReadonlyMap<string, PartCopy>;
  readonly keyGroups: KeyGroupRange;
}

/** Takes what one operator hands out; its rows when the test says so. */
export class SnapshotTaker implements SnapshotWriter {
  readonly checkpointId: number;
  readonly #place: CopyPlace;
  readonly #keyGroups: KeyGroupRange;
  readonly #before: TaskCopy | null;
  readonly #given = new Map<string, { readonly rows: SnapshotRows; isOpen: boolean }>();
  readonly #parts = new Map<string, PartCopy>();
  #note: string | null = null;

  /** @param before - The task's last snapshot that is on disk. @defaultValue null: there is none */
  constructor(
    place: CopyPlace,
    keyGroups: KeyGroupRange,
    checkpointId: number,
    before: TaskCopy | null = null,
  ) {
    this.#place = place;
    this.#before = before;
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

  rows(part: string, schema: Schema, rows: SnapshotRows, isAdded = false): void {
    assert(!this.#given.has(part), 'each part is given once');
    const onTopOf = isAdded ? (this.#before?.parts.get(part) ?? null) : null;
    assert(!isAdded || onTopOf !== null, 'rows are added to a part that is written');
    this.#given.set(part, { rows, isOpen: true });
    this.#parts.set(part, { schema, bodies: [], onTopOf });
  }

  written(part: string): WrittenPart | null {
    const before = this.#before?.parts.get(part);
    if (this.#before === null || before === undefined) return null;
    const [first, ...added] = snapshotsOf(before);
    return {
      ...{ checkpointId: this.#before.checkpointId, snapshotCount: added.length + 1 },
      firstBytes: sizeOf(first),
      addedBytes: added.reduce((sum, one) => sum + sizeOf(one), 0),
    };
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
    const { checkpointId } = this;
    return { checkpointId, note, parts: this.#parts, keyGroups: this.#keyGroups };
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
      for (const [part, copy] of parts) {
        const bodies = bodiesOf(copy);
        const unread = this.#unread.get(part) ?? [];
        const { schema } = copy;
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

  /** As `read`, of the first task; those of others are read by that. */
  readOne(part: string): Batch | null {
    const unread = this.#unread.get(part);
    const [first] = this.#copies;
    if (unread === undefined || unread === null) return null;
    const others = this.#copies.slice(1).reduce((sum, { parts }) => {
      return sum + bodiesOf(parts.get(part) ?? null).length;
    }, 0);
    if (first === undefined || unread.length > others) return this.read(part);
    this.#unread.set(part, null);
    return null;
  }

  /** Parts that have rows which nobody has read. */
  get forgotten(): readonly string[] {
    return [...this.#unread].filter(([, rest]) => rest !== null).map(([part]) => part);
  }
}

/** A part's snapshots, one on top of the other. */
function snapshotsOf(part: PartCopy | null): readonly PartCopy[] {
  return part === null ? [] : [...snapshotsOf(part.onTopOf), part];
}

function bodiesOf(part: PartCopy | null): readonly Uint8Array[] {
  return snapshotsOf(part).flatMap(({ bodies }) => bodies);
}

function sizeOf(part: PartCopy | undefined): number {
  return part?.bodies.reduce((sum, { length }) => sum + length, 0) ?? 0;
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
