/**
 * Channel route: which of the rows that were on their way to an operator go to this task, and with which columns.
 *
 * Before: engine/task/restored-channels.ts. After: engine/shuffle/partitioner.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch, Column } from '../batch/batch.ts';
import type { ChannelSection } from '../checkpoint/channel-state.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { keyGroupCount, keyGroupRangeOf } from '../keys/key-group.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Exchange, OperatorSpec } from '../plan/physical-graph.ts';
import { isSameType, valuesSizeOf } from '../schema/field-type.ts';
import { type Schema, schemaText } from '../schema/schema.ts';
import { HashPartitioner } from '../shuffle/partitioner.ts';
import { selectedBatch } from '../stream/selected-batch.ts';

export interface RouteContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly taskIndex: number;
  readonly parallelism: number;
  /** The operator. */
  readonly spec: OperatorSpec;
  /** Of what it reads. */
  readonly schema: Schema;
  /** How it is given rows; null: by a call. */
  readonly exchange: Exchange | null;
}

export class ChannelRoute {
  readonly #context: RouteContext;
  /** Null where all rows of a channel go the same way. */
  readonly #partitioner: HashPartitioner | null;

  constructor(context: RouteContext) {
    this.#context = context;
    const { parallelism: channelCount, scope, kernels, schema } = context;
    const columns = channelCount === 1 ? null : keyColumnsOf(context);
    this.#partitioner =
      columns && new HashPartitioner({ scope, kernels, schema, channelCount }, columns);
  }

  /** Whether rows of the section may be for this task. */
  takesOf({ exchange, receiver, receivers }: ChannelSection): boolean {
    const { taskIndex, parallelism } = this.#context;
    const isBroadcast = exchange === 'broadcast' || this.#context.exchange?.kind === 'broadcast';
    if (isBroadcast) return receiver === this.#firstOverlapping(receivers);
    if (parallelism === 1) return true;
    if (this.#partitioner === null) return receiver % parallelism === taskIndex;
    return exchange !== 'hash' || this.#overlaps(receiver, receivers);
  }

  /** The rows that are for this task, which the caller owns, with the columns of its input; null for none. Takes the batch over. */
  rowsOf(batch: Batch): Batch | null {
    try {
      const fitting = this.#fitted(batch);
      try {
        return this.#partitioner === null
          ? fitting.retain()
          : this.#own(fitting, this.#partitioner);
      } finally {
        fitting.release();
      }
    } finally {
      batch.release();
    }
  }

  close(): void {
    this.#partitioner?.close();
  }

  #own(batch: Batch, partitioner: HashPartitioner): Batch | null {
    const { scope, taskIndex } = this.#context;
    const { rows, starts, ends } = partitioner.partition(batch);
    const [start = 0, end = 0] = [starts[taskIndex], ends[taskIndex]];
    if (start === end) return null;
    const selection = scope.allocate((end - start) * 4);
    const { uint32 } = scope.memory;
    const from = (rows >>> 2) + start;
    uint32.copyWithin(addressOf(selection) >>> 2, from, from + end - start);
    return selectedBatch(this.#context, batch, { selection, rowCount: end - start });
  }

  #overlaps(receiver: number, receivers: number): boolean {
    const { taskIndex, parallelism } = this.#context;
    const old = keyGroupRangeOf(keyGroupCount, receivers, receiver);
    const own = keyGroupRangeOf(keyGroupCount, parallelism, taskIndex);
    return old.start < own.end && own.start < old.end;
  }

  /** The old task whose broadcast state a task takes (engine/state/broadcast-rows.ts). */
  #firstOverlapping(receivers: number): number {
    let receiver = 0;
    while (receiver < receivers - 1 && !this.#overlaps(receiver, receivers)) receiver++;
    return receiver;
  }

  /** The batch with the columns of the input. One that did not travel is not read: it is zeroes. */
  #fitted(batch: Batch): Batch {
    const { schema, scope, spec } = this.#context;
    const found = schema.fields.map(({ name }) => {
      return batch.schema.fields.findIndex((field) => field.name === name);
    });
    const isSame = found.every((index, at) => index === at);
    const hasAll = isSame && found.length === batch.schema.fields.length;
    const blocks: BlockHandle[] = [];
    const columns = schema.fields.map(({ type }, at): Column => {
      const column = batch.columns[found[at] ?? -1];
      if (column === undefined) {
        const bytes = valuesSizeOf(type, batch.storedRows);
        const block = scope.allocate(bytes);
        blocks.push(block);
        scope.memory.bytes.fill(0, addressOf(block), addressOf(block) + bytes);
        return { type, validity: 0, values: addressOf(block) };
      }
      if (!isSameType(column.type, type)) throw changed(spec, batch.schema, schema);
      return column;
    });
    return hasAll ? batch.retain() : batch.derive({ schema, columns, blocks });
  }
}

/** What rows are given to tasks by; null where that is not by key. */
function keyColumnsOf({ exchange, spec }: RouteContext): readonly string[] | null {
  if (exchange !== null) return exchange.kind === 'hash' ? exchange.columns : null;
  if (!('keys' in spec) || spec.keys.length === 0) return null;
  return spec.keys.map((key) => (typeof key === 'string' ? key : key.column));
}

function changed({ name }: OperatorSpec, was: Schema, is: Schema) {
  const message = `rows on their way to operator "${name}" were ${schemaText(was)}, and are ${schemaText(is)} now`;
  return typedError('STATE_CHANGED', message, {
    hint: 'Go on from a checkpoint that is aligned, or from a savepoint, with the job as it is now.',
    details: { operator: name },
  });
}
