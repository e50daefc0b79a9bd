/**
 * The outputs of a task: the channel writers of its edges, joined per output of the vertex.
 *
 *     chain ──▶ output 0 ──┬─▶ edge: columns that its reader needs ─▶ channel writer ─▶ rings
 *                          └─▶ edge: …
 *     source, functions ─▶ output 1 ────▶ edge: dead letters
 *
 * An edge that carries fewer columns than come out gets a batch that shares the others' memory.
 * Before: engine/task/operator-chain.ts. After: engine/shuffle/channel-writer.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { Message } from '../checkpoint/channel-recording.ts';
import type { PartitionBytes } from '../plan/map-output-read.ts';
import { vertexOutputs } from '../plan/physical-graph.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { ChannelWriter } from '../shuffle/channel-writer.ts';
import { FanOutOutbox } from '../stream/fan-out-outbox.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { StreamMark } from '../stream/stream-element.ts';
import { buildChannelWriter, type TaskOutput, type WriterContext } from './task-exchanges.ts';
import type { FullOutput } from './task-report.ts';

/** What a barrier has overtaken of an edge: by channel the messages that had not gone out. */
export interface OvertakenOutput {
  readonly output: TaskOutput;
  readonly channels: readonly (readonly Message[])[];
}

export class TaskOutputs {
  readonly #writers: ChannelWriter[] = [];
  /** Of each writer, the edge. */
  readonly #outputs = new Map<ChannelWriter, TaskOutput>();
  /** Of each writer the place of its edge among all that leave the vertex. */
  readonly #edges: number[] = [];
  readonly #unfinished = new Set<ChannelWriter>();
  readonly #fans: FanOutOutbox[] = [];
  /** By edge: those that write a file. */
  readonly #files = new Map<string, ChannelWriter>();
  /** Those of the chain's rows: marks go behind these. */
  readonly #rowWriters: ChannelWriter[] = [];
  /** Writers that a mark has not gone to yet; null when there is none on its way. */
  #unmarked: readonly ChannelWriter[] | null = null;

  /**
   * Adds the edges that carry `output`, whose batches have the schema `given`; answers where they
   * go, or null when nobody reads that output. What it throws leaves the writers made so far here,
   * for `close`.
   */
  add(output: number, given: Schema, edges: readonly TaskOutput[], context: WriterContext) {
    const outboxes: Outbox[] = [];
    for (const [place, edge] of edges.entries()) {
      if (edge.output !== output) continue;
      const writer = buildChannelWriter(edge, context);
      this.#writers.push(writer);
      this.#outputs.set(writer, edge);
      this.#edges.push(place);
      this.#unfinished.add(writer);
      if (edge.edgeId !== undefined) this.#files.set(edge.edgeId, writer);
      if (output === vertexOutputs.rows) this.#rowWriters.push(writer);
      outboxes.push(withColumns(writer, given, edge.schema));
    }
    const [only = null] = outboxes;
    if (outboxes.length <= 1) return only;
    const fan = new FanOutOutbox(outboxes);
    this.#fans.push(fan);
    return fan;
  }

  get isEmpty(): boolean {
    return this.#writers.length === 0;
  }

  /** Bytes of each partition that was written to files, by edge. */
  get partitionBytes(): PartitionBytes {
    const found = [...this.#files].map(
      ([id, writer]) => [id, writer.partitionBytes ?? []] as const,
    );
    return Object.fromEntries(found);
  }

  /** Whether a ring is full and something waits for it. */
  get isBlocked(): boolean {
    return this.#writers.some((writer) => writer.isBlocked);
  }

  /** Channels without room, by edge, in the order of the edges that the task was given. */
  fullOutputs(): FullOutput[] {
    return this.#writers.flatMap((writer, place) => {
      const channels = writer.fullChannels();
      return channels.length === 0 ? [] : [{ edge: this.#edges[place] ?? 0, channels }];
    });
  }

  /**
   * Sends a mark behind all rows of the chain, a barrier behind all that goes out; false when a ring is full: call again
   * with the same.
   */
  mark(mark: StreamMark): boolean {
    if (!this.#fans.every((fan) => fan.pump())) return false;
    this.#unmarked ??= [...(mark.kind === 'barrier' ? this.#writers : this.#rowWriters)];
    this.#unmarked = this.#unmarked.filter((writer) => !writer.mark(mark));
    if (this.#unmarked.length > 0) return false;
    this.#unmarked = null;
    return true;
  }

  /** Whether outputs without room take rows and marks all the same, as long as the overdraft lasts. */
  setOverdraft(hasOverdraft: boolean): void {
    for (const writer of this.#writers) writer.setOverdraft(hasOverdraft);
  }

  /**
   * Sends a barrier ahead of all that has not gone out, and tells what that is, edge by edge; false when a ring is full: call
   * again with the same. An edge that has the barrier already, in its turn, has nothing in front of it.
   */
  overtake(barrier: Barrier, tell: (sent: OvertakenOutput) => void): boolean {
    if (!this.#fans.every((fan) => fan.pump())) return false;
    this.#unmarked ??= [...this.#writers];
    this.#unmarked = this.#unmarked.filter((writer) => {
      const channels = writer.overtake(barrier);
      const output = this.#outputs.get(writer);
      if (channels !== null && output !== undefined) tell({ output, channels });
      return channels === null;
    });
    if (this.#unmarked.length > 0) return false;
    this.#unmarked = null;
    return true;
  }

  /** Goes on with what waited for room. */
  pump(): void {
    for (const writer of this.#writers) writer.pump();
    for (const fan of this.#fans) fan.pump();
  }

  /** Sends gathered rows: all when `isIdle`, else those that have waited. */
  flush(isIdle: boolean): void {
    for (const writer of this.#unfinished) writer.flush(isIdle);
  }

  /** Sends all that is left and the end marks; false when a ring is full: call again. */
  finish(): boolean {
    if (!this.#fans.every((fan) => fan.pump())) return false;
    for (const writer of this.#unfinished) {
      if (writer.finish()) this.#unfinished.delete(writer);
    }
    return this.#unfinished.size === 0;
  }

  /** Marks the outputs that have not ended as failed. */
  fail(): void {
    for (const writer of this.#unfinished) writer.fail();
  }

  /** All parts that hold memory. */
  parts(): readonly { close(): void }[] {
    return [...this.#fans, ...this.#writers];
  }
}

/** The writer, given only the columns that its edge carries. */
function withColumns(writer: ChannelWriter, given: Schema, schema: Schema): Outbox {
  const indexes = schema.fields.map(({ name }) => fieldIndexOf(given, name));
  const isWhole = indexes.every((index, place) => index === place);
  if (isWhole && indexes.length === given.fields.length) return writer;
  assert(!indexes.includes(-1), 'an edge carries columns that come out');
  return {
    offer(batch: Batch): boolean {
      if (!writer.pump()) return false;
      const columns = indexes.flatMap((index) => batch.columns[index] ?? []);
      const fewer = batch.derive({ schema, columns });
      let isTaken = false;
      try {
        isTaken = writer.offer(fewer);
      } finally {
        if (!isTaken) fewer.release();
      }
      if (isTaken) batch.release();
      return isTaken;
    },
  };
}

/** A chain that ends with a sink gives nothing out. */
export const noOutput: Outbox = {
  offer: () => {
    throw new Error('assertion failed: the last operator of a chain without output is a sink');
  },
};
