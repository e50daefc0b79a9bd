/** Writers on a namespace, with datanodes that a test moves by hand: who has reported what, who is there, which recovery is the newest. */
import { codeOf } from '../../base/typed-error.ts';
import { defaultLeaseLimits, LeaseManager } from '../../dfs/namenode/leases/lease-manager.ts';
import { applyEdit } from '../../dfs/namenode/namespace/apply-edit.ts';
import type { Edit } from '../../dfs/namenode/namespace/edit.ts';
import { getBlockLocations } from '../../dfs/namenode/operations/locations.ts';
import type { Plan } from '../../dfs/namenode/operations/operation.ts';
import { addBlock, complete } from '../../dfs/namenode/operations/write.ts';
import type {
  BlockEffect,
  BlockVersion,
  ReplicaView,
  WriteContext,
} from '../../dfs/namenode/operations/write-operation.ts';
import type { ExtendedBlock, LocatedBlock, ReplicaLocation } from '../../dfs/protocol/block.ts';
import { NamespaceScene } from './namespace-scene.ts';

type WriteOperation<Request, Answer> = (
  context: WriteContext,
  request: Request,
) => Plan<Answer> & { readonly effects?: readonly BlockEffect[] };

export function locationOf(name: string): ReplicaLocation {
  const addresses = { transferAddress: `${name}:1`, rpcAddress: `${name}:2`, httpAddress: null };
  const datanode = { datanodeId: name, host: name, networkLocation: '/rack', ...addresses };
  return { datanode, storageId: `${name}-1` };
}

export class WriterScene extends NamespaceScene implements ReplicaView {
  readonly leases = new LeaseManager(defaultLeaseLimits, 0);
  monoMs = 0;
  /** Those that can take a block. */
  datanodes: readonly string[] = ['a', 'b', 'c'];
  readonly locations = new Map<number, readonly ReplicaLocation[]>();
  /** Versions that datanodes have finalized, as text. */
  readonly reported = new Set<string>();
  readonly recoveries = new Map<number, number>();
  /** All edits so far. */
  readonly edits: Edit[] = [];
  /** Of the last call. */
  effects: readonly BlockEffect[] = [];

  write<Request extends object, Answer>(
    operation: WriteOperation<Request, Answer>,
    request: Omit<Request, 'user'>,
    user = 'hdfs',
  ): Answer {
    const { leases, monoMs } = this;
    const context = {
      ...this.contextOf(user),
      blockPoolId: 'pool',
      replicas: this,
      leases,
      monoMs,
    };
    const plan = operation(context, { user, ...request } as unknown as Request);
    for (const edit of plan.edits) applyEdit(this.namespace, edit);
    this.edits.push(...plan.edits);
    this.effects = plan.effects ?? [];
    for (const effect of this.effects) {
      if (effect.kind === 'expect') this.locations.set(effect.blockId, effect.locations);
      if (effect.kind === 'recover') this.recoveries.set(effect.block.blockId, effect.recoveryId);
      if (effect.kind === 'recovered') this.report(effect.block);
    }
    return plan.answer();
  }

  /** The answer, or the code of the error. */
  attempt<Request extends object, Answer>(
    operation: WriteOperation<Request, Answer>,
    request: Omit<Request, 'user'>,
    user = 'hdfs',
  ): unknown {
    try {
      return this.write(operation, request, user);
    } catch (error) {
      const code = codeOf(error);
      if (code === null) throw error;
      return code;
    }
  }

  /** A datanode says that it has this version. */
  report({ blockId, generationStamp, lengthBytes }: BlockVersion): void {
    this.reported.add(`${blockId} ${generationStamp} ${lengthBytes}`);
  }

  /** Writes and closes a file with blocks of these lengths. */
  written(path: string, lengths: readonly number[]): { fileId: number; blocks: ExtendedBlock[] } {
    const { fileId } = this.file(path);
    const writer = { path, clientName: 'writer', fileId };
    const blocks: ExtendedBlock[] = [];
    for (const lengthBytes of lengths) {
      const previous = blocks.at(-1) ?? null;
      const { block } = this.write(addBlock, { ...writer, previous, ...anywhere }).block;
      blocks.push({ ...block, lengthBytes });
      this.report({ ...block, lengthBytes });
    }
    this.write(complete, { ...writer, last: blocks.at(-1) ?? null });
    return { fileId, blocks };
  }

  blocksOf(path: string): readonly LocatedBlock[] {
    const range = { offsetBytes: 0, lengthBytes: Number.MAX_SAFE_INTEGER - 1, clientHost: null };
    return this.write(getBlockLocations, { path, ...range }).blocks;
  }

  isReported({ blockId, generationStamp, lengthBytes }: BlockVersion): boolean {
    return this.reported.has(`${blockId} ${generationStamp} ${lengthBytes}`);
  }

  locationsOf(blockId: number): readonly ReplicaLocation[] {
    return this.locations.get(blockId) ?? [];
  }

  isCorrupt(): boolean {
    return false;
  }

  chooseTargets(request: Parameters<ReplicaView['chooseTargets']>[0]): readonly ReplicaLocation[] {
    const { count, existing, excludedDatanodeIds } = request;
    const taken = [...existing.map(({ datanode }) => datanode.datanodeId), ...excludedDatanodeIds];
    const free = this.datanodes.filter((name) => !taken.includes(name));
    return free.slice(0, count).map(locationOf);
  }

  recoveryIdOf(blockId: number): number | null {
    return this.recoveries.get(blockId) ?? null;
  }
}

export const anywhere = { excludedDatanodeIds: [], clientHost: null };
