/**
 * Kafka counts: how many bids each auction gets in each window of time, and their sum, from a topic to a topic.
 * Windows are of the bids' own time: one comes out when all partitions have passed its end.
 */
import { agg, defineJob, t, tumbling } from 'millrace';
import { json, kafka } from 'millrace/kafka';

const Bid = t.struct({
  auction: t.int64({ js: 'number' }),
  price: t.int64({ js: 'number' }),
  date_time: t.timestampMs(),
});

export default defineJob({
  name: 'kafka-counts',
  params: {
    brokers: t.utf8().default('127.0.0.1:9092').describe('host:port, several with commas'),
    from: t.utf8().default('bids').describe('the topic of bids, as JSON'),
    to: t.utf8().default('counts').describe('the topic of counts'),
    delivery: t
      .utf8()
      .choices('at-least-once', 'exactly-once')
      .default('at-least-once')
      .describe('exactly-once: in transactions'),
    transactionalId: t
      .utf8()
      .optional()
      .describe('what ids of transactions begin with; of this job alone'),
    transactionTimeout: t
      .int64({ js: 'number' })
      .default(600_000)
      .describe('ms that Kafka keeps a transaction open'),
    size: t.int64({ js: 'number' }).default(10).describe('seconds of a window'),
    outOfOrder: t.int64({ js: 'number' }).default(0).describe('ms that bids may be late'),
    untilOffset: t.utf8().choices('end').optional().describe('end: read what is there now'),
  },
  build: ({ read, params: { brokers, from, to, size, outOfOrder, untilOffset, ...sink } }) =>
    read(kafka.source({ brokers, topic: from, format: json(Bid), until: untilOffset }))
      .eventTime((bid) => bid.date_time, { outOfOrdernessMs: outOfOrder, idleAfterMs: 5_000 })
      .keyBy((bid) => bid.auction)
      .window(tumbling({ sizeMs: size * 1_000 }))
      .aggregate({ bids: agg.count(), total: agg.sum((bid) => bid.price) })
      .writeTo(
        kafka.sink({
          ...{ brokers, topic: to, key: 'auction', timestamp: 'windowStart' },
          ...{ delivery: sink.delivery, transactionalId: sink.transactionalId },
          transactionTimeoutMs: sink.transactionTimeout,
        }),
      ),
});
