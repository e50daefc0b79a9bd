/**
 * Full reports of volumes, part by part, among changes that datanodes report by themselves.
 *
 *     part 0 ─▶ part 1 ─▶ change: block 7 is gone ─▶ part 2 names block 7 ─▶ last part
 *                              newer than the report: 7 stays gone              └ what no part has named is gone
 *
 * A report under way is a bit per block. So that a restart of the cluster does not need that of all volumes together, only
 * `reportsMax` are taken at once; the others are asked for again (HDFS: leases of block reports). One that is silent makes room.
 *
 * Contract: between taking what is on a volume and sending part 0 a datanode sends no change (not checked: nobody else could know).
 *
 * A part that is repeated, because its answer was lost, changes nothing; one that is missing voids the report. Times are monotonic.
 * Sessions are the caller's: he refuses what is of an earlier life, and forgets a datanode when it registers.
 *
 * Before: dfs/namenode/blocks/replica-map.ts. @see Apache Hadoop HDFS, `BlockReportLeaseManager`, `BlockManager.reportDiff`
 */
import { replicaStates } from '../../protocol/block.ts';
import type { BlockReportRequest, ReceivedOrDeleted } from '../../protocol/datanode-protocol.ts';
import type { Namespace } from '../namespace/namespace.ts';
import type { ReplicaMap, ReplicaPlace } from './replica-map.ts';
import type { ReportedReplica } from './report-verdict.ts';

export interface ReportLimits {
  readonly reportsMax: number;
  readonly silentMsMax: number;
}

const defaultReportLimits: ReportLimits = { reportsMax: 6, silentMsMax: 60_000 };

/** `again`: a part is missing; `later`: too many report now. The volume is to be asked for a report, at once or when there is room. */
export type PartOutcome = 'taken' | 'complete' | 'again' | 'later';

interface UnderWay {
  readonly place: ReplicaPlace;
  readonly reportId: number;
  nextPart: number;
  heardAtMs: number;
  /** A bit per row. */
  named: Uint8Array;
  /** Blocks of which something newer was said since it began. */
  readonly newer: Set<number>;
}

export class VolumeReports {
  readonly #namespace: Pick<Namespace, 'blocks'>;
  readonly #map: ReplicaMap;
  readonly #limits: ReportLimits;
  readonly #underWay = new Map<string, UnderWay>();
  /** By volume: the newest report that counts. */
  readonly #complete = new Map<
    string,
    { readonly datanodeId: string; readonly reportId: number }
  >();

  constructor(
    namespace: Pick<Namespace, 'blocks'>,
    map: ReplicaMap,
    limits: ReportLimits = defaultReportLimits,
  ) {
    this.#namespace = namespace;
    this.#map = map;
    this.#limits = limits;
  }

  /** Whether all that it has is known: it has reported in this life of its datanode. */
  isComplete(place: ReplicaPlace): boolean {
    return this.#complete.has(nameOf(place));
  }

  part(request: BlockReportRequest, nowMs: number): PartOutcome {
    const name = nameOf(request);
    if (request.reportId <= (this.#complete.get(name)?.reportId ?? -1)) return 'taken';
    const report = request.part === 0 ? this.#begin(request, nowMs) : this.#underWay.get(name);
    if (report === null) return 'later';
    if (report?.reportId !== request.reportId || request.part > report.nextPart) {
      this.#underWay.delete(name);
      return 'again';
    }
    report.heardAtMs = nowMs;
    if (request.part < report.nextPart) return 'taken';
    report.nextPart++;
    this.#take(report, request.replicas);
    if (!request.isLast) return 'taken';
    this.#underWay.delete(name);
    this.#complete.set(name, request);
    this.#map.sweep(report.place, (row) =>
      isNamed(report, row, this.#namespace.blocks.id.get(row)),
    );
    return 'complete';
  }

  /** What a datanode says by itself, oldest first. */
  changes(datanodeId: string, changes: readonly ReceivedOrDeleted[]): void {
    for (const { block, storageId, status } of changes) {
      const place = { datanodeId, storageId };
      this.#underWay.get(nameOf(place))?.newer.add(block.blockId);
      if (status === 'deleted') this.#map.removed(place, block.blockId);
      else {
        const state = status === 'received' ? 'finalized' : 'being-written';
        this.#map.report(place, { ...block, state });
      }
    }
  }

  /** It is dead, or begins a new life: what it reports from now on has numbers of its own. */
  forgetDatanode(datanodeId: string): void {
    for (const [name, { place }] of this.#underWay) {
      if (place.datanodeId === datanodeId) this.#underWay.delete(name);
    }
    for (const [name, volume] of this.#complete) {
      if (volume.datanodeId === datanodeId) this.#complete.delete(name);
    }
  }

  /** Null when there is no room. A repeat goes on with what is there. */
  #begin({ datanodeId, storageId, reportId }: BlockReportRequest, nowMs: number): UnderWay | null {
    const place = { datanodeId, storageId };
    const name = nameOf(place);
    const known = this.#underWay.get(name);
    if (known?.reportId === reportId) return known;
    this.#underWay.delete(name);
    for (const [other, { heardAtMs }] of this.#underWay) {
      if (nowMs - heardAtMs >= this.#limits.silentMsMax) this.#underWay.delete(other);
    }
    if (this.#underWay.size >= this.#limits.reportsMax) return null;
    const named = new Uint8Array((this.#namespace.blocks.rowCount >>> 3) + 1);
    const bits = { named, newer: new Set<number>() };
    const report: UnderWay = { place, reportId, nextPart: 0, heardAtMs: nowMs, ...bits };
    this.#underWay.set(name, report);
    return report;
  }

  #take(report: UnderWay, numbers: readonly number[]): void {
    for (let at = 0; at + 3 < numbers.length; at += 4) {
      const replica = replicaAt(numbers, at);
      if (replica === null || report.newer.has(replica.blockId)) continue;
      const row = this.#namespace.blocks.find(replica.blockId);
      if (row >= 0) name(report, row);
      this.#map.report(report.place, replica);
    }
  }
}

/** Null when its state is of a later version of the protocol: it is as if it were not named. */
function replicaAt(numbers: readonly number[], at: number): ReportedReplica | null {
  const [blockId = 0, generationStamp = 0, lengthBytes = 0, code = -1] = numbers.slice(at, at + 4);
  const state = replicaStates[code];
  return state === undefined ? null : { blockId, generationStamp, lengthBytes, state };
}

function name(report: UnderWay, row: number): void {
  if (row >>> 3 >= report.named.length) {
    const grown = new Uint8Array(Math.max((row >>> 3) + 1, report.named.length * 2));
    grown.set(report.named);
    report.named = grown;
  }
  report.named[row >>> 3] = (report.named[row >>> 3] ?? 0) | (1 << (row & 7));
}

function isNamed({ named, newer }: UnderWay, row: number, blockId: number): boolean {
  return newer.has(blockId) || ((named[row >>> 3] ?? 0) & (1 << (row & 7))) !== 0;
}

function nameOf({ datanodeId, storageId }: ReplicaPlace): string {
  return JSON.stringify([datanodeId, storageId]);
}
