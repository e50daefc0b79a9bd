/** kafka-consume.mjs BROKERS TOPIC: reads a topic to its end with kafkajs, a batch at a time, and prints its records and their bytes. */
import { Buffer } from 'node:buffer';
import kafkajs from 'kafkajs';

const [brokers, topic] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
const ends = await admin.fetchTopicOffsets(topic);
await admin.disconnect();
const wanted = ends.reduce((sum, { high }) => sum + Number(high), 0);
const consumer = kafka.consumer({ groupId: `bench-${process.pid}`, maxBytesPerPartition: 1 << 20 });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
const done = Promise.withResolvers();
let [count, bytes] = [0, 0];
await consumer.run({
  eachBatchAutoResolve: true,
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) {
      count++;
      bytes += Buffer.isBuffer(value) ? value.length : 0;
    }
    if (count >= wanted) done.resolve();
  },
});
await done.promise;
console.log(JSON.stringify({ count, bytes }));
process.exit(0);
