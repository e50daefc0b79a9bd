/**
 * Carries out what the namenode wishes of a datanode. Wishes are forgotten when the process ends: the namenode, which looks only at
 * reports, says them again; each is safe to do twice, and a copy that is under way is not begun again.
 *
 * Before: dfs/datanode/reporting/namenode-link.ts. After: dfs/datanode/block-copier.ts, dfs/datanode/block-recovery.ts.
 */
import { assertNever } from '../../../base/assert.ts';
import type { Env } from '../../../base/env/env.ts';
import type { DatanodeCommand } from '../../protocol/datanode-protocol.ts';
import type { Replica } from '../replicas/replica.ts';
import type { ReplicaStore } from '../replicas/replica-store.ts';

export interface CommandOptions {
  readonly store: ReplicaStore;
  readonly blockPoolId: string;
  copy(command: Extract<DatanodeCommand, { kind: 'replicate' }>): Promise<void>;
  recover(command: Extract<DatanodeCommand, { kind: 'recover' }>): Promise<void>;
  readonly onDeleted: (replica: Replica) => void;
  readonly reportSoon: (storageId: string) => void;
}

/** Copies at once; more are dropped, and wished again. */
const copiesMax = 4;
const deletesMax = 1_000;

export class Commands {
  readonly #env: Pick<Env, 'observe'>;
  readonly #options: CommandOptions;
  /** Blocks with a copy or a recovery under way. */
  readonly #busy = new Set<number>();
  #copyCount = 0;

  constructor(env: Pick<Env, 'observe'>, options: CommandOptions) {
    this.#env = env;
    this.#options = options;
  }

  get copyCount(): number {
    return this.#copyCount;
  }

  /** Begins to carry it out; what fails is noted, and the namenode sees that it was not done. */
  take(command: DatanodeCommand): void {
    this.#carryOut(command).catch((error: unknown) => {
      this.#env.observe.event('datanode.command-failed', {
        kind: command.kind,
        error: String(error),
      });
    });
  }

  async #carryOut(command: DatanodeCommand): Promise<void> {
    switch (command.kind) {
      case 'replicate':
        return await this.#copy(command);
      case 'delete':
        if (command.blockPoolId === this.#options.blockPoolId) await this.#delete(command.blocks);
        return;
      case 'recover':
        return await this.#once(command.block.blockId, () => this.#options.recover(command));
      case 'report':
        this.#options.reportSoon(command.storageId);
        return;
      default:
        return assertNever(command);
    }
  }

  async #copy(command: Extract<DatanodeCommand, { kind: 'replicate' }>): Promise<void> {
    if (this.#copyCount >= copiesMax || command.block.blockPoolId !== this.#options.blockPoolId)
      return;
    await this.#once(command.block.blockId, async () => {
      this.#copyCount++;
      try {
        await this.#options.copy(command);
      } finally {
        this.#copyCount--;
      }
    });
  }

  async #delete(blocks: readonly { blockId: number; generationStamp: number }[]): Promise<void> {
    for (const { blockId, generationStamp } of blocks.slice(0, deletesMax)) {
      const deleted = await this.#options.store.delete(blockId, generationStamp);
      if (deleted !== null) this.#options.onDeleted(deleted);
    }
  }

  async #once(blockId: number, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(blockId)) return;
    this.#busy.add(blockId);
    try {
      await work();
    } finally {
      this.#busy.delete(blockId);
    }
  }
}
