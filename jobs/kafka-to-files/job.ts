/**
 * Kafka to files: the records of a topic as lines of files, each with its place in the topic, its time and its key.
 * With `--until-offset end` it reads what is there and ends; without it the job is a stream.
 */
import { defineJob, t } from 'millrace';
import { files } from 'millrace/files';
import { kafka, text } from 'millrace/kafka';

export default defineJob({
  name: 'kafka-to-files',
  params: {
    brokers: t.utf8().default('127.0.0.1:9092').describe('host:port, several with commas'),
    from: t.utf8().describe('the topic to read'),
    start: t.utf8().choices('earliest', 'latest').default('earliest').describe('where to begin'),
    untilOffset: t.utf8().choices('end').optional().describe('end: read what is there now'),
    output: t.path().default('out/').describe('the folder to write, or a file'),
  },
  build: ({ read, params: { brokers, from, start, untilOffset, output } }) => {
    const records = kafka.source({
      ...{ brokers, topic: from, format: text(), start, until: untilOffset },
      metadata: { partition: 'partition', offset: 'offset', timestamp: 'timestamp', key: 'key' },
    });
    return read(records)
      .select(({ partition, offset, timestamp, key, value }) => {
        return { partition, offset, timestamp, key, value };
      })
      .writeTo(files.sink({ path: output, format: 'ndjson' }));
  },
});
