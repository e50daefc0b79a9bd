/**
 * Transactions as partitions have them: which are open, and the marker that ends one, written past its coordinator as
 * `kafka-transactions.sh abort` does it.
 *
 * WriteTxnMarkers, which the package does not have, in version 1: Kafka has it from 2.8 on and still in 4.4.
 * @see https://kafka.apache.org/protocol#The_Messages_WriteTxnMarkers
 *
 * Before: connectors/kafka/platformatic/platformatic-client.ts.
 */
import { createAPI, type describeProducersV0, type Reader, Writer } from '@platformatic/kafka';
import type { OpenTransaction } from '../kafka-client.ts';
import { kafkaCodes } from '../kafka-errors.ts';

const writeMarkersKey = 27;
const writeMarkersVersion = 1;

export interface MarkerRequest {
  readonly topic: string;
  readonly open: OpenTransaction;
  readonly outcome: 'commit' | 'abort';
}

/** Answers with Kafka's own number; 0 where the marker is written. */
export const rawWriteMarker = createAPI<[MarkerRequest], number>(
  writeMarkersKey,
  writeMarkersVersion,
  ({ topic, open, outcome }) =>
    Writer.create()
      .appendArray([open], (writer, { producerId, epoch, partition, coordinatorEpoch }) => {
        writer
          .appendInt64(BigInt(producerId))
          .appendInt16(epoch)
          .appendBoolean(outcome === 'commit')
          .appendArray([topic], (inner, name) => {
            inner
              .appendString(name)
              .appendArray([partition], (last, one) => last.appendInt32(one), true, false);
          })
          // A partition that has seen no marker of the producer has none: -1.
          .appendInt32(Math.max(0, coordinatorEpoch));
      })
      .appendTaggedFields(),
  (_correlationId, _key, _version, reader) => firstFault(reader),
);

function firstFault(reader: Reader): number {
  const codes = reader.readArray((marker) => {
    marker.readInt64();
    return marker.readArray((topic) => {
      topic.readString();
      return topic.readArray((partition) => {
        partition.readInt32();
        return partition.readInt16();
      });
    });
  });
  return codes.flat(2).find((code) => code !== kafkaCodes.none) ?? kafkaCodes.none;
}

/** Those that are open, in what a broker says of the producers of partitions. */
export function openIn({
  topics,
}: describeProducersV0.DescribeProducersResponse): OpenTransaction[] {
  return topics.flatMap(({ partitions }) =>
    partitions.flatMap(({ partitionIndex, activeProducers }) =>
      activeProducers
        .filter(({ currentTxnStartOffset }) => currentTxnStartOffset >= 0n)
        .map((producer) => ({
          partition: partitionIndex,
          producerId: Number(producer.producerId),
          epoch: producer.producerEpoch,
          coordinatorEpoch: producer.coordinatorEpoch,
          startOffset: Number(producer.currentTxnStartOffset),
        })),
    ),
  );
}
