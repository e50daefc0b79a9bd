/** kafka-produce.mjs BROKERS TOPIC COUNT BYTES: writes so many records with kafkajs, idempotent, thousand by thousand, and prints how many. */
import { Buffer } from 'node:buffer';
import kafkajs from 'kafkajs';

const [brokers, topic, countText, bytesText] = process.argv.slice(2);
const count = Number(countText);
const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.ERROR });
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
const value = Buffer.alloc(Number(bytesText), 'x');
const perSend = 1_000;
for (let at = 0; at < count; at += perSend) {
  const messages = Array.from({ length: Math.min(perSend, count - at) }, () => ({ value }));
  await producer.send({ topic, messages, acks: -1 });
}
await producer.disconnect();
console.log(JSON.stringify({ count }));
process.exit(0);
