/**
 * Fetch and Produce with the bytes of records left as they are. The package's own parse every record into an
 * object, and encode every one from an object; sockets, framing and authentication are its.
 *
 * Versions that name topics, not their ids: Kafka has them from 2.8 on and still in 4.4.
 * @see https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import { createAPI, type Reader, Writer } from '@platformatic/kafka';
import type { AbortedTransaction, FetchedPartition, FetchRequest } from '../kafka-client.ts';

const fetchKey = 1;
const fetchVersion = 12;
const produceKey = 0;
const produceVersion = 9;
const isolations = { uncommitted: 0, committed: 1 } as const;
/** No fetch session: each request names all that it wants. */
const noSession = { id: 0, epoch: -1 } as const;

export interface FetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export const rawFetch = createAPI<[FetchRequest], FetchAnswer>(
  fetchKey,
  fetchVersion,
  fetchRequest,
  (_correlationId, _key, _version, reader) => fetchAnswer(reader),
);

function fetchRequest(request: FetchRequest): Writer {
  const { topic, partitions, isolation, waitMaxMs, partitionBytesMax, bytesMax } = request;
  return Writer.create()
    .appendInt32(-1) // A consumer, no replica.
    .appendInt32(waitMaxMs)
    .appendInt32(1) // Answers as soon as there is a byte.
    .appendInt32(bytesMax)
    .appendInt8(isolations[isolation])
    .appendInt32(noSession.id)
    .appendInt32(noSession.epoch)
    .appendArray([topic], (writer, name) => {
      writer.appendString(name).appendArray([...partitions], (inner, { partition, offset }) => {
        inner
          .appendInt32(partition)
          .appendInt32(-1) // Any epoch of the leader.
          .appendInt64(BigInt(offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(partitionBytesMax);
      });
    })
    .appendArray([], () => undefined)
    .appendString('')
    .appendTaggedFields();
}

function fetchAnswer(reader: Reader): FetchAnswer {
  reader.readInt32(); // How long the broker held it back.
  const errorCode = reader.readInt16();
  reader.readInt32();
  const topics = reader.readArray((topic) => {
    topic.readString();
    return topic.readArray(fetchedPartition);
  });
  return { errorCode, partitions: topics.flat() };
}

function fetchedPartition(reader: Reader): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const stableOffset = Number(reader.readInt64());
  reader.readInt64(); // The first offset that is still there.
  const aborted: AbortedTransaction[] = [];
  reader.readNullableArray((one) => {
    const producerId = Number(one.readInt64());
    aborted.push({ producerId, firstOffset: Number(one.readInt64()) });
  });
  reader.readInt32(); // A replica that is nearer.
  const size = reader.readUnsignedVarInt() - 1;
  const { position } = reader;
  const records = size > 0 ? reader.buffer.slice(position, position + size) : new Uint8Array(0);
  if (size > 0) reader.skip(size);
  // Without "committed" the broker gives no stable offset.
  const endOffset = stableOffset < 0 ? highWatermark : stableOffset;
  return { partition, errorCode, records, endOffset, aborted };
}

export interface ProduceRequest {
  readonly topic: string;
  readonly transactionalId: string | null;
  readonly timeoutMs: number;
  readonly batches: readonly { readonly partition: number; readonly bytes: Uint8Array }[];
}

export interface ProducedPartition {
  readonly partition: number;
  readonly errorCode: number;
}

export const rawProduce = createAPI<[ProduceRequest], readonly ProducedPartition[]>(
  produceKey,
  produceVersion,
  produceRequest,
  (_correlationId, _key, _version, reader) => produceAnswer(reader),
);

function produceRequest({ topic, transactionalId, timeoutMs, batches }: ProduceRequest): Writer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(-1) // All in-sync replicas.
    .appendInt32(timeoutMs)
    .appendArray([topic], (writer, name) => {
      writer.appendString(name).appendArray([...batches], (inner, { partition, bytes }) => {
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      });
    })
    .appendTaggedFields();
}

function produceAnswer(reader: Reader): ProducedPartition[] {
  const topics = reader.readArray((topic) => {
    topic.readString();
    return topic.readArray((one) => {
      const partition = one.readInt32();
      const errorCode = one.readInt16();
      for (let field = 0; field < 3; field++) one.readInt64(); // Offset, time, first offset.
      one.readArray((fault) => {
        fault.readInt32();
        fault.readNullableString();
      });
      one.readNullableString();
      return { partition, errorCode };
    });
  });
  return topics.flat();
}
