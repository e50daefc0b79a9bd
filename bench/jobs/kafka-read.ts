/** The job of the Kafka bench that reads: counts records and the bytes of their values. */
import { agg, defineJob, t } from 'millrace';
import { files } from 'millrace/files';
import { bytes, kafka } from 'millrace/kafka';

export default defineJob({
  name: 'kafka-read',
  params: {
    brokers: t.utf8().describe('host:port'),
    topic: t.utf8().describe('the topic to read'),
    output: t.path().describe('the CSV file to write'),
  },
  build: ({ read, params: { brokers, topic, output } }) =>
    read(kafka.source({ brokers, topic, format: bytes(), until: 'end' }))
      .select(({ value }) => ({ size: value.length() }))
      .aggregate({ count: agg.count(), bytes: agg.sum((row) => row.size) })
      .writeTo(files.sink({ path: output })),
});
