/**
 * The two ends of exchanges as a plan describes them: a gate that a task reads from, and a channel
 * writer that it gives its output to.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import { partitionDriver } from '../compile/partition-driver.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { RingReader, RingWriter } from '../memory/ring.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { EdgeChannels } from '../plan/channel-ref.ts';
import type { Span } from '../plan/map-output-read.ts';
import { type Exchange, vertexPorts } from '../plan/physical-graph.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { ChannelOutput } from '../shuffle/channel-output.ts';
import { ChannelReader } from '../shuffle/channel-reader.ts';
import { ChannelWriter } from '../shuffle/channel-writer.ts';
import { blockHeadroomBytes, type MapOutputFile, MapOutputWriter } from '../shuffle/map-output.ts';
import { MapOutputReader } from '../shuffle/map-output-reader.ts';
import {
  BroadcastPartitioner,
  FunctionPartitioner,
  HashPartitioner,
  type Partitioner,
  type PartitionerOptions,
  RebalancePartitioner,
} from '../shuffle/partitioner.ts';
import { RangePartitioner, type Sender } from '../shuffle/range-partitioner.ts';
import type { SpillBlocks } from '../spill/spill-blocks.ts';
import { InputGate } from '../stream/input-gate.ts';
import { MergingGate } from '../stream/merging-gate.ts';
import type { ElementReader } from '../stream/stream-element.ts';
import { functionsOf } from './build-function-operators.ts';

/** Rows that a file's reader gets in a row. */
const rowsPerTurn = 1024;
/** Text from which a message goes out, unless the output says otherwise. */
const messageBytesUsual = 256 * 1024;

/** What a barrier that overtakes rows may push out where there is no room, of one exchange: as much as its rings hold. */
const overdraftBytesMax = 32 << 20;

const firstPartition: Span = { from: 0, to: 1 };

/** The receiving end of an edge. */
export interface TaskInput {
  /** As an edge's. @defaultValue `vertexPorts.rows` */
  readonly port?: number;
  readonly exchange: Exchange;
  readonly schema: Schema;
  /** One per sending task. */
  readonly rings: readonly RingReader[];
  /** Of a blocking edge: what its senders have written. @defaultValue none */
  readonly files?: readonly MapOutputFile[];
  /** The partitions of these that are read. @defaultValue the first */
  readonly partitions?: Span;
  /** Whether it has no say in how far event time has come. @defaultValue it has */
  readonly isTimeless?: boolean;
  /** As checkpoints name its channels. @defaultValue there are no checkpoints */
  readonly channels?: EdgeChannels | undefined;
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
  /** Of the edge, where it has a file. @defaultValue none */
  readonly edgeId?: string;
  /** Text from which a message goes out; what a slot of the rings carries. @defaultValue 256 KiB */
  readonly messageBytes?: number;
  /** Of a blocking edge: where rows go, in place of rings. @defaultValue null */
  readonly file?: MapOutputFile | null;
  /** Partitions of that file. @defaultValue 1 */
  readonly partitionCount?: number;
  /** As checkpoints name its channels. @defaultValue there are no checkpoints */
  readonly channels?: EdgeChannels | undefined;
}

export interface ExchangeContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly disk: SyncDisk;
  readonly mono: () => number;
  /** Packs and unpacks the blocks of map outputs. */
  readonly blocks: () => SpillBlocks;
  /** Whether barriers come, for which also one channel has a gate. @defaultValue false */
  readonly hasCheckpoints?: boolean;
}

/** One gate over all channels of all edges: what reads a union reads several. */
export function buildGate(inputs: readonly TaskInput[], context: ExchangeContext): ElementReader {
  const perInput = inputs.map((input) => channelsOf(input, context));
  const channels = perInput.flat();
  const [only] = channels;
  const isAlone = channels.length === 1 && context.hasCheckpoints !== true;
  if (only !== undefined && isAlone) return only;
  const merges = inputs.flatMap(({ exchange }) => (exchange.kind === 'merge' ? [exchange] : []));
  const [input, [merge]] = [inputs[0], merges];
  if (input === undefined || merge === undefined) {
    const places = perInput.flatMap((readers, at) => {
      const { port = vertexPorts.rows, isTimeless = false } = inputs[at] ?? {};
      return readers.map(() => ({ port, isTimeless }));
    });
    return new InputGate(channels, places, context.mono);
  }
  assert(merges.length === inputs.length, 'edges are merged all, or none of them');
  return new MergingGate({ ...context, schema: input.schema, channels, order: merge.order });
}

/**
 * Files are read one after the other, which keeps an order that does not depend on time; sorted ones are
 * read side by side.
 */
function channelsOf(input: TaskInput, context: ExchangeContext): ElementReader[] {
  const { schema, rings, exchange, files = [], partitions = firstPartition } = input;
  const rest = rings.map((ring) => new ChannelReader({ ...context, schema, ring }));
  if (files.length === 0) return rest;
  const parts = exchange.kind === 'merge' ? files.map((file) => [file]) : [files];
  const blocks = context.blocks();
  return parts.map((part) => {
    return new MapOutputReader({ ...context, blocks, schema, files: part, partitions });
  });
}

export interface WriterContext extends ExchangeContext {
  /** Is told the bytes that go to map outputs. */
  readonly onWritten: (bytes: number) => void;
  readonly functions: ReadonlyMap<string, UserFunctions>;
  readonly sender: Sender;
  /** Is told of what needs boundaries before its first row. */
  readonly onRange: (partitioner: RangePartitioner) => void;
}

export function buildChannelWriter(output: TaskOutput, context: WriterContext): ChannelWriter {
  const { schema, messageBytes = messageBytesUsual } = output;
  const { scope, kernels, mono } = context;
  const file = mapOutputOf(output, context);
  const headroomBytes = file === null ? 0 : blockHeadroomBytes;
  const writers = file === null ? output.rings : file.partitions();
  const overdraft = { usedBytes: 0, maxBytes: overdraftBytesMax };
  const given = { scope, kernels, schema, messageBytes, headroomBytes, overdraft };
  const channels = writers.map((writer) => new ChannelOutput({ ...given, writer }));
  const partitioner = buildPartitioner(output, channels.length, context);
  return new ChannelWriter({ partitioner, channels, mono, file });
}

function mapOutputOf(
  { file = null, partitionCount = 1 }: TaskOutput,
  { disk, scope, blocks, onWritten }: WriterContext,
): MapOutputWriter | null {
  if (file === null) return null;
  const options = { file, partitionCount, disk, scope, blocks: blocks(), onWritten };
  return new MapOutputWriter(options);
}

function buildPartitioner(
  { exchange, schema, file = null }: TaskOutput,
  channelCount: number,
  context: WriterContext,
): Partitioner {
  const { scope, kernels } = context;
  if (channelCount === 1) return new RebalancePartitioner(1);
  const options: PartitionerOptions = { scope, kernels, schema, channelCount };
  switch (exchange.kind) {
    case 'hash':
      return new HashPartitioner(options, exchange.columns);
    case 'partition':
      return functionPartitioner(exchange, options, context);
    case 'range': {
      const partitioner = new RangePartitioner(options, exchange.order, context.sender);
      context.onRange(partitioner);
      return partitioner;
    }
    case 'rebalance':
      if (file !== null) return rowsInTurn(options);
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

/** By the number of the row, so that it does not matter how rows were cut into batches. */
function rowsInTurn(options: PartitionerOptions): Partitioner {
  let row = 0;
  return new FunctionPartitioner(options, () => {
    return Math.floor(row++ / rowsPerTurn) % options.channelCount;
  });
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
