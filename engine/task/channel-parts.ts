/**
 * Channel parts: what a task keeps of rows on their way when an unaligned barrier goes through it, as parts of its snapshot, each under the
 * operator that the rows are for.
 *
 *     in front of its operators   rests of batches                                chain
 *     in its channels in          messages, as recorded by the gate               ring
 *     in its outputs              messages that had no room; for other tasks      outbox
 *
 * Messages become batches one at a time, when they are written.
 * Before: engine/task/task-checkpoints.ts. After: engine/checkpoint/channel-state.ts.
 */
import type { Batch } from '../batch/batch.ts';
import { decodeBody } from '../batch/wire.ts';
import type { ChannelRecording, Message } from '../checkpoint/channel-recording.ts';
import type { ChannelSection } from '../checkpoint/channel-state.ts';
import type { Json } from '../contracts/json.ts';
import type { SnapshotRows, SnapshotWriter } from '../contracts/snapshot.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type MemoryScope } from '../memory/slot-memory.ts';
import { peerOf } from '../plan/channel-ref.ts';
import type { OperatorRef } from '../plan/kept-as.ts';
import type { Vertex } from '../plan/physical-graph.ts';
import type { Schema } from '../schema/schema.ts';
import { decodeMark, memoryOf, rowCountOf } from '../shuffle/mark-message.ts';
import type { WaitingRows } from '../stream/outbox.ts';
import { rowsFrom } from '../stream/selected-batch.ts';
import type { TaskInput } from './task-exchanges.ts';
import type { OvertakenOutput } from './task-outputs.ts';

export interface ChannelPartsContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly taskIndex: number;
  readonly vertex: Vertex;
  /** Under what the checkpoint keeps rows on their way to each operator of the chain. */
  readonly refs: readonly OperatorRef[];
  /** What the gate reads, in the order of its channels. */
  readonly inputs: readonly TaskInput[];
}

/** What is said of a section but for its rows and marks. */
type Channel = Omit<ChannelSection, 'part' | 'rowCount' | 'marks'>;

export class ChannelParts {
  readonly #context: ChannelPartsContext;
  readonly #writerOf: (ref: OperatorRef) => SnapshotWriter;
  /** By id and kind of the operator. */
  readonly #sections = new Map<string, { ref: OperatorRef; sections: ChannelSection[] }>();

  /** @param writerOf - Of the snapshot; each operator is given one note. */
  constructor(context: ChannelPartsContext, writerOf: (ref: OperatorRef) => SnapshotWriter) {
    this.#context = context;
    this.#writerOf = writerOf;
  }

  /** What waits in front of the operator at a place of the vertex's chain. */
  addWaiting(place: number, port: number, waiting: readonly WaitingRows[]): void {
    const { vertex, taskIndex, scope, kernels, inputs, refs } = this.#context;
    const { id: from, parallelism } = vertex;
    const ref = refs[place];
    const schema = waiting[0]?.batch.schema;
    if (ref === undefined || schema === undefined) return;
    const input = place === 0 ? inputs.find((one) => (one.port ?? 0) === port) : undefined;
    const exchange = input?.exchange.kind ?? 'chain';
    const tasks = { sender: taskIndex, senders: parallelism, receivers: parallelism };
    const channel: Channel = {
      ...{ place: 'chain', port, from, exchange, ...tasks, receiver: taskIndex },
      watermarkMs: null,
    };
    const rowCount = waiting.reduce((sum, one) => sum + one.batch.rowCount - one.fromRow, 0);
    const rows = new WaitingParts({ scope, kernels }, waiting);
    this.#add(ref, channel, { schema, rows, rowCount, marks: [] });
  }

  /** What had not gone out of an output. */
  addSent({ output, channels }: OvertakenOutput): void {
    const { taskIndex } = this.#context;
    const { exchange, schema } = output;
    if (output.channels === undefined) return;
    const { reader, from, senders, receivers } = output.channels;
    for (const [at, messages] of channels.entries()) {
      if (messages.length === 0) continue;
      const receiver = peerOf(exchange, taskIndex, at);
      const tasks = { sender: taskIndex, senders, receiver, receivers };
      const channel: Channel = {
        ...{ place: 'outbox', port: output.channels.port, from, exchange: exchange.kind, ...tasks },
        watermarkMs: null,
      };
      this.#addMessages(reader, channel, { schema, messages });
    }
  }

  /** What was in the channels in, once that is known. */
  addRecorded({ channels }: ChannelRecording): void {
    const places = this.#context.inputs.flatMap((input) => {
      return input.rings.map((_, at) => ({ input, at }));
    });
    for (const { channel: index, watermarkMs, messages } of channels) {
      const found = places[index];
      if (found?.input.channels === undefined) continue;
      const { input, at } = found;
      const { taskIndex } = this.#context;
      const { reader, port, from, senders, receivers } = found.input.channels;
      const sender = peerOf(input.exchange, taskIndex, at);
      const channel: Channel = {
        ...{ place: 'ring', port, from, exchange: input.exchange.kind },
        ...{ sender, senders, receiver: taskIndex, receivers },
        watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : null,
      };
      this.#addMessages(reader, channel, { schema: input.schema, messages });
    }
  }

  /** When all is added. */
  writeNotes(): void {
    for (const { ref, sections } of this.#sections.values()) {
      this.#writerOf(ref).note({ sections } as unknown as Json);
    }
  }

  #addMessages(
    ref: OperatorRef,
    channel: Channel,
    { schema, messages }: { schema: Schema; messages: readonly Message[] },
  ): void {
    const bodies: Message[] = [];
    const marks: [number, number][] = [];
    let rowCount = 0;
    for (const message of messages) {
      const mark = decodeMark(memoryOf(message), 0);
      if (mark === null) {
        rowCount += rowCountOf(message);
        bodies.push(message);
      } else if (mark.kind === 'watermark') marks.push([rowCount, mark.timeMs]);
    }
    const rows = new MessageRows(this.#context, schema, bodies);
    this.#add(ref, channel, { schema, rows, rowCount, marks });
  }

  #add(
    ref: OperatorRef,
    channel: Channel,
    {
      schema,
      rows,
      rowCount,
      marks,
    }: {
      readonly schema: Schema;
      readonly rows: SnapshotRows;
      readonly rowCount: number;
      readonly marks: ChannelSection['marks'];
    },
  ): void {
    const key = `${ref.id} ${ref.kind}`;
    const known = this.#sections.get(key) ?? { ref, sections: [] };
    this.#sections.set(key, known);
    const { vertex, taskIndex } = this.#context;
    // Tasks of several vertices may have rows for one operator: the name tells them apart.
    const part = rowCount === 0 ? null : `${vertex.id}-${taskIndex}-${known.sections.length}`;
    known.sections.push({ ...channel, part, rowCount, marks });
    if (part === null) rows.close();
    else this.#writerOf(ref).rows(part, schema, rows);
  }
}

/** Rests of batches, which stay where they are, too. */
class WaitingParts implements SnapshotRows {
  readonly #context: Pick<ChannelPartsContext, 'scope' | 'kernels'>;
  readonly #left: WaitingRows[];

  constructor(
    context: Pick<ChannelPartsContext, 'scope' | 'kernels'>,
    waiting: readonly WaitingRows[],
  ) {
    this.#context = context;
    this.#left = waiting.map(({ batch, fromRow }) => ({ batch: batch.retain(), fromRow }));
  }

  next(): Batch | null {
    const [first] = this.#left;
    if (first === undefined) return null;
    const { batch, fromRow } = first;
    const count = batch.rowCount - fromRow;
    if (fromRow > 0 && count > 0) {
      const rest = rowsFrom(this.#context, batch, { from: fromRow, count });
      this.#left.shift();
      batch.release();
      return rest;
    }
    this.#left.shift();
    return batch;
  }

  close(): void {
    for (const { batch } of this.#left.splice(0)) batch.release();
  }
}

/** Messages with rows, decoded one at a time. */
class MessageRows implements SnapshotRows {
  readonly #context: Pick<ChannelPartsContext, 'scope' | 'kernels'>;
  readonly #schema: Schema;
  readonly #left: Message[];

  constructor(
    context: Pick<ChannelPartsContext, 'scope' | 'kernels'>,
    schema: Schema,
    messages: readonly Message[],
  ) {
    this.#context = context;
    this.#schema = schema;
    this.#left = [...messages];
  }

  next(): Batch | null {
    const message = this.#left.shift();
    if (message === undefined) return null;
    const { scope, kernels } = this.#context;
    const block = scope.allocate(message.length);
    scope.memory.bytes.set(message, addressOf(block));
    return decodeBody(kernels, scope, this.#schema, { block, sizeBytes: message.length });
  }

  close(): void {
    this.#left.length = 0;
  }
}
