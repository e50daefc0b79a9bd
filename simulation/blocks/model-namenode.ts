/**
 * The little that a write pipeline needs of a namenode, as a model without files: blocks, who has them, their stamps. It stays up and
 * forgets nothing: what its own crashes do is for the namenode's own simulation.
 */
import type { Env } from '../../base/env/env.ts';
import type { Rng } from '../../base/env/rng.ts';
import { createRpcServer } from '../../base/rpc/server.ts';

export interface ModelBlock {
  readonly blockId: number;
  generationStamp: number;
  nodes: readonly string[];
  /** Acknowledged, as the writer has said. */
  lengthBytes: number;
  isComplete: boolean;
}

export const namenodeAddress = 'namenode:8020';

export class ModelNamenode {
  readonly blocks = new Map<number, ModelBlock>();
  readonly #datanodes: readonly string[];
  readonly #chance: Rng;
  #stamp = 1_000;

  constructor(datanodes: readonly string[], chance: Rng) {
    this.#datanodes = datanodes;
    this.#chance = chance;
  }

  async serve(env: Env): Promise<void> {
    const server = createRpcServer(env);
    server.handle('add-block', (body) => ({ ...this.#addBlock(body as readonly string[]) }));
    server.handle('renew', () => this.nextStamp());
    server.handle('update', (body) => this.#update(body as unknown as ModelBlock));
    server.handle('complete', (body) => this.#complete(body as unknown as ModelBlock));
    await server.listen(namenodeAddress);
  }

  nextStamp(): number {
    return ++this.#stamp;
  }

  #addBlock(excluded: readonly string[]): Omit<ModelBlock, 'isComplete'> & { nodes: string[] } {
    const free = this.#datanodes.filter((node) => !excluded.includes(node));
    const nodes = free.length > 0 ? free : [...this.#datanodes];
    while (nodes.length > 3) nodes.splice(this.#chance.int(0, nodes.length), 1);
    if (this.#chance.int(0, 2) === 0) nodes.reverse();
    const blockId = this.blocks.size + 1;
    const block = { blockId, generationStamp: ++this.#stamp, nodes, lengthBytes: 0 };
    this.blocks.set(blockId, { ...block, isComplete: false });
    return block;
  }

  /** An older stamp than the newest is a repeat that came late. */
  #update({ blockId, generationStamp, nodes, lengthBytes }: ModelBlock): boolean {
    const block = this.blocks.get(blockId);
    if (block === undefined || block.isComplete || generationStamp < block.generationStamp)
      return false;
    Object.assign(block, { generationStamp, nodes, lengthBytes });
    return true;
  }

  #complete({ blockId, lengthBytes }: ModelBlock): boolean {
    const block = this.blocks.get(blockId);
    if (block === undefined) return false;
    Object.assign(block, { lengthBytes, isComplete: true });
    return true;
  }
}
