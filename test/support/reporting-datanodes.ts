/** Datanodes that report to a replica map, and know themselves what they have: the slow reference of it. */

import { ReplicaMap, type ReplicaPlace } from '../../dfs/namenode/blocks/replica-map.ts';
import { judgeReplica, type ReportedReplica } from '../../dfs/namenode/blocks/report-verdict.ts';
import { type PartOutcome, VolumeReports } from '../../dfs/namenode/blocks/volume-reports.ts';
import { applyEdit } from '../../dfs/namenode/namespace/apply-edit.ts';
import { blockStates } from '../../dfs/namenode/namespace/block-table.ts';
import { remove } from '../../dfs/namenode/operations/remove.ts';
import { type Block, replicaStates } from '../../dfs/protocol/block.ts';
import { WriterScene } from './writer-scene.ts';

interface Report {
  readonly reportId: number;
  readonly parts: readonly (readonly number[])[];
  next: number;
}

interface Volume {
  readonly place: ReplicaPlace;
  readonly replicas: Map<number, ReportedReplica>;
  readonly damaged: Set<number>;
  /** The namenode was not told of all that it has. */
  isUntold: boolean;
  report: Report | null;
}

export class ReportingDatanodes {
  readonly scene = new WriterScene();
  readonly orphans: string[] = [];
  readonly changes: number[] = [];
  readonly map = new ReplicaMap(this.scene.namespace, {
    changed: (row) => this.changes.push(row),
    removed: () => undefined,
    orphaned: ({ storageId }, { blockId }) => this.orphans.push(`${storageId} ${blockId}`),
  });
  readonly reports = new VolumeReports(this.scene.namespace, this.map);
  readonly volumes: readonly Volume[] = [
    ['a', 'a1'],
    ['b', 'b1'],
    ['c', 'c1'],
    ['c', 'c2'],
  ].map(([datanodeId = '', storageId = '']) => ({
    ...{ place: { datanodeId, storageId }, replicas: new Map(), damaged: new Set<number>() },
    ...{ isUntold: false, report: null },
  }));
  #reportId = 0;

  /** A file of one block of 50 bytes. */
  file(name: string): Block {
    const [block] = this.scene.written(`/${name}`, [50]).blocks;
    if (block === undefined) throw new Error('a file that was written has a block');
    return block;
  }

  rowOf(blockId: number): number {
    return this.scene.namespace.blocks.find(blockId);
  }

  /** The block as the namespace has it. */
  versionOf(blockId: number): Block {
    const { blocks } = this.scene.namespace;
    const row = this.rowOf(blockId);
    const generationStamp = blocks.generationStamp.get(row);
    return { blockId, generationStamp, lengthBytes: blocks.lengthBytes.get(row) };
  }

  put(volume: Volume, replica: ReportedReplica, isTold = true): void {
    for (const other of this.volumes) {
      const isSame = other.place.datanodeId === volume.place.datanodeId && other !== volume;
      if (isSame && other.replicas.has(replica.blockId)) this.drop(other, replica.blockId, isTold);
    }
    volume.replicas.set(replica.blockId, replica);
    const status = replica.state === 'finalized' ? 'received' : 'receiving';
    this.#tell(volume, replica, status, isTold);
  }

  drop(volume: Volume, blockId: number, isTold = true): void {
    const replica = volume.replicas.get(blockId);
    if (replica === undefined) return;
    volume.replicas.delete(blockId);
    volume.damaged.delete(blockId);
    this.#tell(volume, replica, 'deleted', isTold);
  }

  damage(volume: Volume, blockId: number): void {
    if (!volume.replicas.has(blockId) || volume.isUntold || this.rowOf(blockId) < 0) return;
    volume.damaged.add(blockId);
    this.map.damaged(volume.place, blockId);
  }

  /** Takes what it has now, two replicas a part, and sends the first: nothing is told between these two. */
  begin(volume: Volume): PartOutcome | null {
    const replicas = [...volume.replicas.values()].map((one) => [
      ...[one.blockId, one.generationStamp, one.lengthBytes],
      replicaStates.indexOf(one.state),
    ]);
    const parts = [replicas.slice(0, 2).flat()];
    for (let at = 2; at < replicas.length; at += 2) parts.push(replicas.slice(at, at + 2).flat());
    volume.report = { reportId: ++this.#reportId, parts, next: 0 };
    return this.part(volume);
  }

  /** Sends the next part, or one beside it. */
  part(volume: Volume, beside = 0): PartOutcome | null {
    const { report, place } = volume;
    const part = (report?.next ?? 0) + beside;
    const replicas = report?.parts[part];
    if (report === null || replicas === undefined) return null;
    const { reportId } = report;
    const isLast = part === report.parts.length - 1;
    const request = { ...place, session: 1, reportId, part, isLast, replicas };
    const outcome = this.reports.part(request, 0);
    if (outcome === 'again') volume.report = null;
    if (beside === 0) report.next++;
    return outcome;
  }

  /** A full report without anything between. */
  reportAll(volume: Volume): void {
    let outcome = this.begin(volume);
    while (outcome === 'taken') outcome = this.part(volume);
    volume.report = null;
    volume.isUntold = false;
  }

  restart(datanodeId: string): void {
    this.map.forgetDatanode(datanodeId);
    this.reports.forgetDatanode(datanodeId);
    for (const volume of this.volumes) {
      if (volume.place.datanodeId !== datanodeId) continue;
      volume.isUntold = true;
      volume.report = null;
    }
  }

  /** An append, or its end. */
  change(blockId: number, lengthBytes: number): void {
    if (this.rowOf(blockId) < 0) return;
    const { nextGenerationStamp: generationStamp, blocks } = this.scene.namespace;
    const isOpen = blocks.state.get(this.rowOf(blockId)) === blockStates.underConstruction;
    const state = isOpen ? blockStates.committed : blockStates.underConstruction;
    const stamp = isOpen ? this.versionOf(blockId).generationStamp : generationStamp;
    const version = { blockId, generationStamp: stamp, lengthBytes };
    applyEdit(this.scene.namespace, { op: 'setBlock', ...version, state });
  }

  remove(name: string): void {
    this.scene.try(remove, { path: `/${name}`, isRecursive: false });
  }

  /** Storages with a live replica, by what datanodes have. */
  expectedLive(blockId: number): string[] {
    const live = this.volumes.filter(({ replicas, damaged }) => {
      const replica = replicas.get(blockId);
      if (replica === undefined || damaged.has(blockId)) return false;
      return judgeReplica(this.scene.namespace, replica) === 'live';
    });
    return live.map(({ place }) => place.storageId).sort();
  }

  live(blockId: number): string[] {
    return this.map
      .liveOf(this.rowOf(blockId))
      .map(({ storageId }) => storageId)
      .sort();
  }

  #tell(
    volume: Volume,
    block: Block,
    status: 'received' | 'receiving' | 'deleted',
    isTold: boolean,
  ) {
    const { datanodeId, storageId } = volume.place;
    if (isTold) this.reports.changes(datanodeId, [{ block, storageId, status }]);
    else volume.isUntold = true;
  }
}
