/**
 * Placement: which datanodes get the replicas of a block.
 *
 *     first    where the writer runs, if a datanode is there; else anywhere
 *     second   on another rack than the first: a rack that burns takes one replica with it
 *     third    on the rack of the second: two racks are enough, and bytes cross between them once
 *     more     anywhere, spread over racks
 *
 * For re-replication those that are there count as the first ones. What is wished gives way step by step: first the load, then the
 * rack; never the rules that keep a block whole: one replica per datanode, room for all of it, nobody who is silent, leaving or left out.
 *
 * Of two drawn at random the one with less to do is taken, which keeps load even without everybody choosing the same idle one.
 * @see Apache Hadoop HDFS, `BlockPlacementPolicyDefault`; Mitzenmacher 2001, the power of two choices
 */
import type { Rng } from '../../../base/env/rng.ts';
import type { DatanodeAddress, ReplicaLocation } from '../../protocol/block.ts';
import type { TargetRequest } from '../operations/write-operation.ts';

/** A datanode as placement sees it. */
export interface Candidate {
  readonly datanode: DatanodeAddress;
  /** Live, heard lately, and neither leaving nor in maintenance. */
  readonly isWritable: boolean;
  /** Volumes that work, with what is free for blocks that are not yet promised. */
  readonly storages: readonly { readonly storageId: string; readonly freeBytes: number }[];
  readonly transferCount: number;
}

/** Busier than so many times the mean is too busy, if others will do. As in HDFS. */
const loadFactor = 2;

/** Fewer than asked for where there are no more. */
export function chooseTargets(
  request: TargetRequest,
  candidates: readonly Candidate[],
  rng: Rng,
): readonly ReplicaLocation[] {
  return new Placement(request, candidates, rng).choose();
}

class Placement {
  readonly #request: TargetRequest;
  readonly #rng: Rng;
  readonly #loadMax: number;
  /** Those that may get a replica, and have none yet. */
  #free: Candidate[];
  readonly #racks: string[];
  readonly #chosen: ReplicaLocation[] = [];

  constructor(request: TargetRequest, candidates: readonly Candidate[], rng: Rng) {
    const { existing, excludedDatanodeIds, sizeBytes } = request;
    const taken = new Set(existing.map(({ datanode }) => datanode.datanodeId));
    for (const datanodeId of excludedDatanodeIds) taken.add(datanodeId);
    const writable = candidates.filter(({ isWritable }) => isWritable);
    const transfers = writable.reduce((sum, { transferCount }) => sum + transferCount, 0);
    this.#request = request;
    this.#rng = rng;
    this.#loadMax = (loadFactor * transfers) / Math.max(writable.length, 1);
    this.#racks = existing.map(({ datanode }) => datanode.networkLocation);
    this.#free = writable.filter(({ datanode, storages }) => {
      const hasRoom = storages.some(({ freeBytes }) => freeBytes >= sizeBytes);
      return hasRoom && !taken.has(datanode.datanodeId);
    });
  }

  choose(): readonly ReplicaLocation[] {
    while (this.#chosen.length < this.#request.count) {
      const next = this.#next();
      if (next === null) break;
      this.#take(next);
    }
    return this.#chosen;
  }

  #next(): Candidate | null {
    const place = this.#racks.length;
    const local = place === 0 ? this.#free.filter((one) => this.#isLocal(one)) : [];
    const wished = this.#free.filter((one) => this.#isWishedRack(one, place));
    // In the order in which wishes are given up.
    return (
      this.#draw(local) ??
      this.#draw(wished.filter((one) => this.#isIdle(one))) ??
      this.#draw(wished) ??
      this.#draw(this.#free.filter((one) => this.#isIdle(one))) ??
      this.#draw(this.#free)
    );
  }

  #isLocal({ datanode }: Candidate): boolean {
    return datanode.host === this.#request.clientHost;
  }

  #isIdle({ transferCount }: Candidate): boolean {
    return transferCount <= this.#loadMax;
  }

  #isWishedRack({ datanode }: Candidate, place: number): boolean {
    const rack = datanode.networkLocation;
    const racks = new Set(this.#racks);
    if (place === 0) return true;
    // While all are on one rack, another one; then the newest's, so that two of three share one.
    if (racks.size === 1) return !racks.has(rack);
    if (place === 2) return rack === this.#racks.at(-1);
    return this.#racks.filter((one) => one === rack).length < this.#perRackMax();
  }

  /** No rack has so many that the loss of it leaves too few. As in HDFS. */
  #perRackMax(): number {
    const racks = new Set([
      ...this.#racks,
      ...this.#free.map((one) => one.datanode.networkLocation),
    ]);
    const total = this.#request.existing.length + this.#request.count;
    return Math.floor((total - 1) / Math.max(racks.size, 1)) + 2;
  }

  #draw(group: readonly Candidate[]): Candidate | null {
    if (group.length === 0) return null;
    const [one, other] = [0, 0].map(() => group[this.#rng.int(0, group.length)]);
    if (one === undefined || other === undefined) return one ?? null;
    return other.transferCount < one.transferCount ? other : one;
  }

  #take(next: Candidate): void {
    const { datanode, storages } = next;
    const roomiest = storages.reduce((best, one) => (one.freeBytes > best.freeBytes ? one : best));
    this.#chosen.push({ datanode, storageId: roomiest.storageId });
    this.#racks.push(datanode.networkLocation);
    this.#free = this.#free.filter((one) => one !== next);
  }
}
