/**
 * What the manifest of an unaligned checkpoint has of rows on their way, by where they were:
 *
 *     sender  ──▶ [ outbox ] ──▶ [ ring ] ──▶ receiver [ chain ]
 *                  in its part     in the receiver's part
 *
 * Before: engine/checkpoint/channel-state.ts. After: simulation/checkpoints/cut-oracle.ts.
 */
import type { CheckpointManifest } from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import { taskIdOf } from '../../coordinator/protocol.ts';
import type { ChannelNote, ChannelSection } from '../../engine/checkpoint/channel-state.ts';
import type { SnapshotPart, TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import { edgeChannelsOf, isChannelKind } from '../../engine/plan/channel-ref.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';

/** Rows of one place, in their order. */
export interface KeptRows {
  readonly rowCount: number;
  readonly parts: readonly SnapshotPart[];
}

export interface ChannelName {
  readonly edgeId: string;
  readonly sender: number;
  readonly receiver: number;
}

const none: KeptRows = { rowCount: 0, parts: [] };

export class ManifestRows {
  readonly #kept = new Map<string, KeptRows>();
  readonly #graph: PhysicalGraph;
  /** Of all places. */
  rowCount = 0;

  constructor(graph: PhysicalGraph, { tasks }: Pick<CheckpointManifest, 'tasks'>) {
    this.#graph = graph;
    for (const task of tasks) this.#note(task);
  }

  /** Of a channel: sent and not taken, as its receiver has recorded them. */
  inRing(channel: ChannelName): KeptRows {
    return this.#kept.get(this.#keyOf('ring', channel)) ?? none;
  }

  /** Of a channel: given out by the sender's chain and not sent. */
  inOutbox(channel: ChannelName): KeptRows {
    return this.#kept.get(this.#keyOf('outbox', channel)) ?? none;
  }

  /** In front of the first operator of a task. */
  inFront(vertexId: string, taskIndex: number): number {
    const vertex = this.#graph.vertices.find(({ id }) => id === vertexId);
    const task = `chain ${taskIdOf(vertexId, taskIndex)} ${vertex?.chain[0]?.id}`;
    return this.#kept.get(task)?.rowCount ?? 0;
  }

  #keyOf(place: string, { edgeId, sender, receiver }: ChannelName): string {
    const channels = edgeChannelsOf(this.#graph).get(edgeId);
    const { reader, from, port } = channels ?? {};
    return `${place} ${reader?.id} ${reader?.kind} ${from} ${port} ${sender} ${receiver}`;
  }

  #note({ taskId, operators }: TaskSnapshot): void {
    for (const { operatorId, kind, note, parts } of operators) {
      if (!isChannelKind(kind)) continue;
      for (const section of (note as unknown as ChannelNote).sections) {
        const { place, from, port, sender, receiver } = section;
        const key =
          place === 'chain'
            ? `chain ${taskId} ${operatorId}`
            : `${place} ${operatorId} ${kind} ${from} ${port} ${sender} ${receiver}`;
        this.#add(key, section, parts);
      }
    }
  }

  #add(key: string, { part, rowCount }: ChannelSection, parts: readonly SnapshotPart[]): void {
    const before = this.#kept.get(key) ?? none;
    const own = parts.filter((one) => one.part === part);
    this.rowCount += rowCount;
    this.#kept.set(key, {
      rowCount: before.rowCount + rowCount,
      parts: [...before.parts, ...own],
    });
  }
}
