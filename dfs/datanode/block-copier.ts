/**
 * Copies a complete replica to other datanodes, for re-replication: read and verified here, written there as a pipeline writes it, and
 * invisible until it is whole. What is damaged here is found by the read and never sent.
 *
 * Before: dfs/datanode/block-sender.ts. After: dfs/datanode/pipeline/block-receiver.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import { typedError } from '../../base/typed-error.ts';
import type { ExtendedBlock } from '../protocol/block.ts';
import { FrameStream } from '../transfer/frame-stream.ts';
import { type PipelineTimes, waitForNodesMs } from '../transfer/pipeline-times.ts';
import { replicaStaleError, replicaStateError } from './replicas/replica-errors.ts';
import type { ReplicaReader } from './replicas/replica-reader.ts';
import type { ReplicaStore } from './replicas/replica-store.ts';

export interface CopyOptions {
  readonly store: ReplicaStore;
  readonly checksum: Checksum;
  readonly times: PipelineTimes;
  readonly block: ExtendedBlock;
  readonly token: string;
  /** Transfer addresses, a pipeline. */
  readonly targets: readonly string[];
  readonly bytesPerSecondMax: number;
}

type CopyEnv = Pick<Env, 'clock' | 'timers' | 'net'>;

const packetBytes = 256 * 1024;
/** Packets that are not acknowledged yet: 2 MiB. */
const packetsUnderWayMax = 8;

/** Answers when every target has the whole replica, durably. */
export async function copyBlock(env: CopyEnv, options: CopyOptions): Promise<void> {
  const { store, block } = options;
  const reader = await store.openReader(block);
  try {
    const { replica } = reader;
    if (replica.state !== 'finalized') {
      throw replicaStateError(block.blockId, replica.state, 'copied');
    }
    if (replica.generationStamp !== block.generationStamp) {
      throw replicaStaleError(block.blockId, `has generation stamp ${replica.generationStamp}`);
    }
    await store.noticingDamage(replica, () => sendCopy(env, options, reader));
  } finally {
    await reader.close();
  }
}

async function sendCopy(env: CopyEnv, options: CopyOptions, reader: ReplicaReader): Promise<void> {
  const { block, checksum, times, token } = options;
  const [first = '', ...targets] = options.targets;
  const stream = await FrameStream.connect(env, checksum, first);
  try {
    const limitMs = waitForNodesMs(times, options.targets.length);
    const { chunkBytes } = reader.replica;
    const { generationStamp } = block;
    const reserveBytes = reader.lengthBytes;
    await stream.send({
      ...{ kind: 'write', mode: 'copy', block, generationStamp, chunkBytes, reserveBytes },
      ...{ firstSequence: 1, targets, token },
    });
    await expectKind(stream, 'ready', limitMs);
    const acked = { sequence: 0 };
    const startedMs = env.clock.mono();
    const packetCount = Math.max(1, Math.ceil(reader.lengthBytes / packetBytes));
    for (let sequence = 1; sequence <= packetCount; sequence++) {
      const startBytes = (sequence - 1) * packetBytes;
      const lengthBytes = Math.min(packetBytes, reader.lengthBytes - startBytes);
      const { bytes, sums } = await reader.read(startBytes, lengthBytes);
      const isLast = sequence === packetCount;
      await stream.send({
        ...{ kind: 'packet', sequence, startBytes, bytes, sums, isSync: false, isLast },
      });
      const underWayMax = isLast ? 0 : packetsUnderWayMax;
      while (sequence - acked.sequence > underWayMax) {
        acked.sequence = await expectAck(stream, limitMs);
      }
      const dueMs = (1_000 * (startBytes + lengthBytes)) / options.bytesPerSecondMax;
      const earlyMs = startedMs + dueMs - env.clock.mono();
      if (earlyMs > 0 && !isLast) await env.timers.sleep(earlyMs);
    }
  } finally {
    stream.close();
  }
}

async function expectAck(stream: FrameStream, limitMs: number): Promise<number> {
  const { sequence } = await expectKind(stream, 'ack', limitMs);
  return sequence;
}

type Message = Awaited<ReturnType<FrameStream['next']>>;

async function expectKind<K extends Message['kind']>(
  stream: FrameStream,
  kind: K,
  limitMs: number,
): Promise<Extract<Message, { kind: K }>> {
  const message = await stream.next(limitMs);
  if (message.kind === kind) return message as Extract<Message, { kind: K }>;
  const reason =
    message.kind === 'failed'
      ? `target ${message.index}: ${message.reason}`
      : 'its answer was none';
  throw typedError('DFS_COPY_FAILED', `a block could not be copied: ${reason}`, {
    hint: 'The namenode sees that the copy is missing, and has another one made.',
    retryable: true,
    details: { reason },
  });
}
