/**
 * Which datanode has which block, as reports say it: the facts that re-replication, deletions and readers go by.
 *
 *     live    finalized, of the block's stamp and length, not known as damaged     a list of volumes per block, 4 bytes each
 *     odd     all others: being written, cut short, an old stamp, damaged          objects, few at a time
 *
 * A block that changes (append, commit, recovery) makes its live replicas odd, with the version that they have, and all are judged
 * anew: so what was reported before its writer was done counts once he is.
 *
 * Invariants:
 * - Of a datanode a block has one replica; what it says last counts.
 * - Damaged stays damaged, over lives of the datanode too, until that replica is gone: a disk that rots reads well now and then.
 * - Nothing that was only expected (a pipeline) counts as a replica.
 *
 * Before: dfs/namenode/blocks/report-verdict.ts. After: dfs/namenode/blocks/volume-reports.ts.
 */
import type { Block } from '../../protocol/block.ts';
import type { Namespace } from '../namespace/namespace.ts';
import { ListEntries, NumberLists } from '../table/number-lists.ts';
import { judgeReplica, type ReportedReplica, type ReportVerdict } from './report-verdict.ts';

/** A volume of a datanode. */
export interface ReplicaPlace {
  readonly datanodeId: string;
  readonly storageId: string;
}

/** A replica that is not live. */
export interface OddReplica {
  readonly place: ReplicaPlace;
  readonly replica: ReportedReplica;
  readonly isDamaged: boolean;
}

export interface ReplicaListener {
  /** Others have the block, or it has another version. */
  changed(blockRow: number): void;
  /** The block is gone; its row may be another's next. */
  removed(blockRow: number): void;
  /** A replica of a block that no file has. */
  orphaned(place: ReplicaPlace, block: Block): void;
}

interface NumberedReplica {
  readonly storage: number;
  readonly replica: ReportedReplica;
}

export class ReplicaMap {
  readonly #namespace: Namespace;
  readonly #listener: ReplicaListener;
  readonly #live = new NumberLists(new ListEntries());
  readonly #odd = new Map<number, readonly NumberedReplica[]>();
  /** By row of the block: volumes. */
  readonly #damaged = new Map<number, Set<number>>();
  readonly #places: ReplicaPlace[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(namespace: Namespace, listener: ReplicaListener) {
    this.#namespace = namespace;
    this.#listener = listener;
    namespace.onBlockRemoved = (row) => this.#orphan(row);
    namespace.onBlockChanged = (row, before) => this.#judgeAgain(row, before);
  }

  liveCountOf(row: number): number {
    this.#reserve();
    return this.#live.count.get(row);
  }

  liveOf(row: number): ReplicaPlace[] {
    return this.#numbersOf(row).map((storage) => this.#place(storage));
  }

  oddOf(row: number): OddReplica[] {
    return (this.#odd.get(row) ?? []).map(({ storage, replica }) => ({
      place: this.#place(storage),
      replica,
      isDamaged: this.#isDamaged(row, storage),
    }));
  }

  /** What a datanode says that it has. Nothing of another version than the namespace's is ever live. */
  report(place: ReplicaPlace, replica: ReportedReplica): ReportVerdict {
    const verdict = judgeReplica(this.#namespace, replica);
    const row = this.#namespace.blocks.find(replica.blockId);
    if (verdict === 'unneeded') this.#listener.orphaned(place, replica);
    if (row < 0 || verdict === 'unready') return verdict;
    this.#reserve();
    const storage = this.#numberOf(place);
    const isLive = verdict === 'live' && !this.#isDamaged(row, storage);
    if (isLive && this.#live.indexOf(row, storage) >= 0) return verdict;
    this.#drop(row, (other) => this.#place(other).datanodeId === place.datanodeId);
    if (isLive) this.#live.push(row, storage);
    else if (verdict !== 'future') this.#addOdd(row, { storage, replica });
    this.#listener.changed(row);
    return verdict;
  }

  /** A datanode says that it has removed it. */
  removed(place: ReplicaPlace, blockId: number): void {
    const row = this.#namespace.blocks.find(blockId);
    const storage = this.#numberOf(place);
    if (row < 0) return;
    this.#reserve();
    this.#forgetDamage(row, storage);
    if (this.#drop(row, (other) => other === storage)) this.#listener.changed(row);
  }

  /** Its checksums are wrong. Of one that is not there now it is remembered, too: its datanode may be away. */
  damaged(place: ReplicaPlace, blockId: number): void {
    const row = this.#namespace.blocks.find(blockId);
    if (row < 0) return;
    this.#reserve();
    const storage = this.#numberOf(place);
    const volumes = this.#damaged.get(row) ?? new Set();
    this.#damaged.set(row, volumes.add(storage));
    const at = this.#live.indexOf(row, storage);
    if (at >= 0) {
      this.#live.remove(row, at);
      const replica = { ...this.#versionOf(row), state: 'finalized' } as const;
      this.#addOdd(row, { storage, replica });
    }
    this.#listener.changed(row);
  }

  /** The end of a full report of a volume: what it has not named is not there, damaged or not. */
  sweep(place: ReplicaPlace, isNamed: (blockRow: number) => boolean): void {
    this.#reserve();
    const storage = this.#numberOf(place);
    for (const row of this.#damaged.keys()) if (!isNamed(row)) this.#forgetDamage(row, storage);
    this.#dropAll(
      (other) => other === storage,
      (row) => !isNamed(row),
    );
  }

  /** A volume that is taken out. */
  forgetStorage(place: ReplicaPlace): void {
    const storage = this.#numberOf(place);
    this.#dropAll((other) => other === storage);
  }

  /** A datanode that is dead, or begins a new life. */
  forgetDatanode(datanodeId: string): void {
    this.#dropAll((storage) => this.#place(storage).datanodeId === datanodeId);
  }

  #dropAll(isIt: (storage: number) => boolean, isRow: (row: number) => boolean = () => true): void {
    this.#reserve();
    const { rowCount } = this.#namespace.blocks;
    for (let row = 0; row < rowCount; row++) {
      const hasAny = this.#live.count.get(row) > 0 || this.#odd.has(row);
      if (hasAny && isRow(row) && this.#drop(row, isIt)) this.#listener.changed(row);
    }
  }

  /** Whether one was there. */
  #drop(row: number, isIt: (storage: number) => boolean): boolean {
    const before = this.#live.count.get(row);
    for (let at = before - 1; at >= 0; at--) {
      if (isIt(this.#live.at(row, at))) this.#live.remove(row, at);
    }
    const odd = this.#odd.get(row) ?? [];
    const others = odd.filter(({ storage }) => !isIt(storage));
    if (others.length < odd.length) this.#setOdd(row, others);
    return this.#live.count.get(row) < before || others.length < odd.length;
  }

  #judgeAgain(row: number, before: Block): void {
    this.#reserve();
    const isAny = this.#live.count.get(row) > 0 || this.#odd.has(row);
    if (isAny) {
      const all = [...(this.#odd.get(row) ?? []), ...this.#unpack(row, before)];
      this.#setOdd(row, []);
      for (const one of all) {
        const isLive = judgeReplica(this.#namespace, one.replica) === 'live';
        if (isLive && !this.#isDamaged(row, one.storage)) this.#live.push(row, one.storage);
        else this.#addOdd(row, one);
      }
    }
    // A block without replicas needs them from the moment on in which it is closed.
    this.#listener.changed(row);
  }

  /** Takes out the live ones, as what they are. */
  #unpack(row: number, { blockId, generationStamp, lengthBytes }: Block): NumberedReplica[] {
    const version = { blockId, generationStamp, lengthBytes, state: 'finalized' } as const;
    const live = this.#numbersOf(row).map((storage) => ({ storage, replica: version }));
    this.#live.clear(row);
    return live;
  }

  #orphan(row: number): void {
    this.#reserve();
    const all = [...(this.#odd.get(row) ?? []), ...this.#unpack(row, this.#versionOf(row))];
    this.#setOdd(row, []);
    this.#damaged.delete(row);
    this.#listener.removed(row);
    for (const { storage, replica } of all) {
      this.#listener.orphaned(this.#place(storage), replica);
    }
  }

  #versionOf(row: number): Block {
    const { id, generationStamp, lengthBytes } = this.#namespace.blocks;
    return {
      blockId: id.get(row),
      generationStamp: generationStamp.get(row),
      lengthBytes: lengthBytes.get(row),
    };
  }

  #numbersOf(row: number): number[] {
    this.#reserve();
    const length = this.#live.count.get(row);
    return Array.from({ length }, (_, at) => this.#live.at(row, at));
  }

  #addOdd(row: number, one: NumberedReplica): void {
    this.#setOdd(row, [...(this.#odd.get(row) ?? []), one]);
  }

  #setOdd(row: number, all: readonly NumberedReplica[]): void {
    if (all.length === 0) this.#odd.delete(row);
    else this.#odd.set(row, all);
  }

  #isDamaged(row: number, storage: number): boolean {
    return this.#damaged.get(row)?.has(storage) ?? false;
  }

  #forgetDamage(row: number, storage: number): void {
    const volumes = this.#damaged.get(row);
    volumes?.delete(storage);
    if (volumes?.size === 0) this.#damaged.delete(row);
  }

  #place(storage: number): ReplicaPlace {
    const place = this.#places[storage];
    if (place === undefined) throw new RangeError(`no volume has the number ${storage}`);
    return place;
  }

  #numberOf({ datanodeId, storageId }: ReplicaPlace): number {
    const name = JSON.stringify([datanodeId, storageId]);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#places.length);
    return this.#places.push({ datanodeId, storageId }) - 1;
  }

  #reserve(): void {
    this.#live.reserve(this.#namespace.blocks.rowCount);
  }
}
