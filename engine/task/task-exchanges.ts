/**
 * The two ends of exchanges as a plan describes them: a gate that a task reads from, and a channel
 * writer that it gives its output to.
 */
import { assert, assertNever } from '../../base/assert.ts';
import { partitionDriver } from '../compile/partition-driver.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { RingReader, RingWriter } from '../memory/ring.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { Exchange } from '../plan/physical-graph.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { ChannelOutput } from '../shuffle/channel-output.ts';
import { ChannelReader } from '../shuffle/channel-reader.ts';
import { ChannelWriter } from '../shuffle/channel-writer.ts';
import {
  BroadcastPartitioner,
  FunctionPartitioner,
  HashPartitioner,
  type Partitioner,
  type PartitionerOptions,
  RebalancePartitioner,
} from '../shuffle/partitioner.ts';
import { InputGate } from '../stream/input-gate.ts';
import { MergingGate } from '../stream/merging-gate.ts';
import type { ElementReader } from '../stream/stream-element.ts';
import { functionsOf } from './build-operator.ts';

/** Text from which a message goes out, unless the output says otherwise. */
const messageBytesUsual = 256 * 1024;

/** The receiving end of an edge. */
export interface TaskInput {
  /** As an edge's. @defaultValue `vertexPorts.rows` */
  readonly port?: number;
  readonly exchange: Exchange;
  readonly schema: Schema;
  /** One per sending task. */
  readonly rings: readonly RingReader[];
}

/** The sending end of an edge. */
export interface TaskOutput {
  /** Which output of the vertex goes this way. */
  readonly output: number;
  readonly exchange: Exchange;
  /** What travels: columns of the output. */
  readonly schema: Schema;
  /** One per receiving task. */
  readonly rings: readonly RingWriter[];
  /** Text from which a message goes out; what a slot of the rings carries. @defaultValue 256 KiB */
  readonly messageBytes?: number;
}

export interface ExchangeContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
}

/** One gate over all channels of all edges: what reads a union reads several. */
export function buildGate(inputs: readonly TaskInput[], context: ExchangeContext): ElementReader {
  const channels = inputs.flatMap(({ schema, rings }) =>
    rings.map((ring) => new ChannelReader({ ...context, schema, ring })),
  );
  const [only] = channels;
  if (only !== undefined && channels.length === 1) return only;
  const merges = inputs.flatMap(({ exchange }) => (exchange.kind === 'merge' ? [exchange] : []));
  const [input, [merge]] = [inputs[0], merges];
  if (input === undefined || merge === undefined) return new InputGate(channels);
  assert(merges.length === inputs.length, 'edges are merged all, or none of them');
  return new MergingGate({ ...context, schema: input.schema, channels, order: merge.order });
}

export interface WriterContext extends ExchangeContext {
  readonly mono: () => number;
  readonly functions: ReadonlyMap<string, UserFunctions>;
}

export function buildChannelWriter(output: TaskOutput, context: WriterContext): ChannelWriter {
  const { schema, rings, messageBytes = messageBytesUsual } = output;
  const { scope, kernels, mono } = context;
  const channels = rings.map(
    (ring) => new ChannelOutput({ scope, kernels, schema, ring, messageBytes }),
  );
  return new ChannelWriter({ partitioner: buildPartitioner(output, context), channels, mono });
}

function buildPartitioner({ exchange, schema, rings }: TaskOutput, context: WriterContext) {
  const { scope, kernels } = context;
  const channelCount = rings.length;
  if (channelCount === 1) return new RebalancePartitioner(1);
  const options: PartitionerOptions = { scope, kernels, schema, channelCount };
  switch (exchange.kind) {
    case 'hash':
      return new HashPartitioner(options, exchange.columns);
    case 'partition':
      return functionPartitioner(exchange, options, context);
    case 'rebalance':
      return new RebalancePartitioner(channelCount);
    case 'broadcast':
      return new BroadcastPartitioner(channelCount);
    case 'forward':
    case 'gather':
    case 'merge':
      throw new Error(`assertion failed: a ${exchange.kind} exchange has one receiver`);
    default:
      return assertNever(exchange);
  }
}

function functionPartitioner(
  { id, column }: Exchange & { kind: 'partition' },
  options: PartitionerOptions,
  { functions }: WriterContext,
): Partitioner {
  const { scope, schema, channelCount } = options;
  const { partition } = functionsOf(functions, id, 'mapReduce');
  const keyIndex = fieldIndexOf(schema, column);
  const key = schema.fields[keyIndex];
  assert(partition !== undefined, 'a partition exchange has a function');
  assert(key !== undefined, 'the key of a partition exchange is in its schema');
  const channelOf = partitionDriver({
    operator: scope.owner,
    memory: scope.memory,
    key,
    keyIndex,
    channelCount,
    partition,
  });
  return new FunctionPartitioner(options, channelOf);
}
