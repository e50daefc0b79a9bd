/**
 * Part chain: the parts of one name in the order in which they are read: those of a snapshot that has all rows, and of
 * snapshots that came on top of it, in files of their own.
 */
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';
import type { WrittenPart } from '../../engine/contracts/snapshot.ts';

export class PartChain implements WrittenPart {
  readonly checkpointId: number;
  readonly snapshotCount: number;
  firstBytes: number;
  addedBytes: number;
  readonly #isFirst: boolean;
  readonly #parts: SnapshotPart[];

  /** @param before - What the new parts come on top of; null: they have all rows. */
  constructor(checkpointId: number, before: PartChain | null) {
    this.checkpointId = checkpointId;
    this.#isFirst = before === null;
    this.snapshotCount = (before?.snapshotCount ?? 0) + 1;
    this.firstBytes = before?.firstBytes ?? 0;
    this.addedBytes = before?.addedBytes ?? 0;
    this.#parts = before === null ? [] : [...before.parts];
  }

  /** What was written of one part, as a manifest has it: each snapshot put what it added into a file of its own. */
  static of(checkpointId: number, parts: readonly SnapshotPart[]): PartChain {
    let chain: PartChain | null = null;
    for (const own of Map.groupBy(parts, ({ path }) => path).values()) {
      chain = new PartChain(checkpointId, chain);
      for (const part of own) chain.add(part);
    }
    return chain ?? new PartChain(checkpointId, null);
  }

  get parts(): readonly SnapshotPart[] {
    return this.#parts;
  }

  add(part: SnapshotPart): void {
    if (this.#isFirst) this.firstBytes += part.sizeBytes;
    else this.addedBytes += part.sizeBytes;
    this.#parts.push(part);
  }
}
