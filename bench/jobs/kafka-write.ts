/** The job of the Kafka bench that writes: records with values of so many bytes. */
import { defineJob, lit, t } from 'millrace';
import { nexmark } from 'millrace/generator';
import { kafka } from 'millrace/kafka';

/** Of 50 events so many are bids. */
const bidsOf50 = 46;

export default defineJob({
  name: 'kafka-write',
  params: {
    brokers: t.utf8().describe('host:port'),
    topic: t.utf8().describe('the topic to write'),
    count: t.int64({ js: 'number' }).describe('records, a multiple of 46'),
    bytes: t.int64({ js: 'number' }).describe('of a value'),
  },
  build: ({ read, params: { brokers, topic, count, bytes } }) =>
    read(nexmark.bids({ events: Math.round(count / bidsOf50) * 50 }))
      .select(() => ({ value: lit('x'.repeat(bytes)) }))
      .writeTo(kafka.sink({ brokers, topic, value: 'value' })),
});
