/** Goal: a topic of a real broker is read as its options say: each record once, in batch and as a stream. */
import { Producer, stringSerializers } from '@platformatic/kafka';
import { agg, defineJob, t, tumbling } from 'millrace';
import { json, kafka, text } from 'millrace/kafka';
import { memory } from 'millrace/memory';
import { type ResultRow, run } from 'millrace/run';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import { recordBatch, testClient, textBatch, textRecord } from '../support/kafka/kafka-clients.ts';

let broker: KafkaBroker;
let topicCount = 0;

beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

const limits = { parallelism: 2, memory: '256MB' } as const;

async function topicOf(...partitions: readonly (readonly string[])[]) {
  const client = await testClient(broker.address);
  const topic = `source-${topicCount++}`;
  await client.createTopic(topic, { partitionCount: partitions.length });
  const producer = await client.producer(topic);
  for (const [partition, values] of partitions.entries()) {
    if (values.length > 0) await producer.send([textBatch(partition, values)]);
  }
  return { client, topic, producer };
}

/** The values that a source of text gives, sorted. */
async function valuesOf(
  topic: string,
  settings: Partial<Parameters<typeof kafka.source>[0]> = {},
): Promise<unknown[]> {
  const source = kafka.source({
    ...{ brokers: broker.address, topic, format: text(), until: 'end' as const },
    ...(settings as object),
  });
  const job = defineJob({
    name: 'read',
    build: ({ read }) => read(source).writeTo(memory.sink()),
  });
  const { rows } = await run(job, limits);
  return rows.map(({ value }) => value).sort();
}

const some = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${name}${at}`);

test('all partitions are read to the end that they had, whatever the mode', async () => {
  const { topic } = await topicOf(some('a', 20_000), [], some('c', 3));
  expect(await valuesOf(topic)).toEqual([...some('a', 20_000), ...some('c', 3)].sort());
  for (const mode of ['batch', 'streaming'] as const) {
    const source = kafka.source({
      ...{ brokers: broker.address, topic, format: text(), until: 'end' },
      metadata: { offset: 'n', partition: 'p' },
    });
    const job = defineJob({
      ...{ name: 'count', mode },
      build: ({ read }) =>
        read(source)
          .keyBy((row) => row.p)
          .aggregate({ rows: agg.count(), last: agg.max((row) => row.n) })
          .writeTo(memory.sink()),
    });
    const { rows } = await run(job, limits);
    const found = rows
      .filter(isLast(rows))
      .map((row) => [row.p, Number(row.rows), Number(row.last)]);
    expect(found.sort()).toEqual([
      [0, 20_000, 19_999],
      [2, 3, 2],
    ]);
  }
});

/** Of a result that is revised, the last row of each key. */
function isLast(rows: readonly ResultRow[]) {
  return (row: ResultRow, at: number) => rows.findLastIndex(({ p }) => p === row.p) === at;
}

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('codec %s', async (compression) => {
  const { topic } = await topicOf([]);
  const producer = new Producer({
    ...{ clientId: 'test', bootstrapBrokers: [broker.address], serializers: stringSerializers },
  });
  const values = some('a value that repeats ', 500);
  const messages = values.map((value) => ({ topic, value, partition: 0 }));
  await producer.send({ messages, compression, acks: -1 });
  await producer.close();
  expect(await valuesOf(topic)).toEqual(values.sort());
});

test('reading begins at offsets or times, and ends before offsets', async () => {
  const { topic, producer } = await topicOf(['a0', 'a1', 'a2'], ['b0', 'b1']);
  const later = textRecord('b2', { timestampMs: 5_000 });
  await producer.send([recordBatch(1, [later])]);
  expect(await valuesOf(topic, { start: { offsets: [1, 2] } })).toEqual(['a1', 'a2', 'b2']);
  expect(await valuesOf(topic, { start: { offsets: [2] } })).toEqual(['a2', 'b0', 'b1', 'b2']);
  expect(await valuesOf(topic, { start: { timestampMs: 4_000 } })).toEqual(['b2']);
  expect(await valuesOf(topic, { start: 'latest' })).toEqual([]);
  expect(await valuesOf(topic, { until: { offsets: [1, 2] } })).toEqual(['a0', 'b0', 'b1']);
});

test('only committed records are read, unless the job asks for all', async () => {
  const { client, topic } = await topicOf(['a']);
  const transactionalId = `aborting-${topic}`;
  const transactions = await client.transactions({ topic, transactionalId, timeoutMs: 60_000 });
  await transactions.send([textBatch(0, ['aborted'])]);
  await transactions.end('abort');
  await transactions.send([textBatch(0, ['committed'])]);
  await transactions.end('commit');
  await expect.poll(() => client.offsetsOf(topic, 'latest', 'committed')).toEqual([5]);
  expect(await valuesOf(topic)).toEqual(['a', 'committed']);
  const all = await valuesOf(topic, { isolation: 'uncommitted' });
  expect(all).toEqual(['a', 'aborted', 'committed']);
});

test('a stream goes on with records, partitions and brokers that come later', async () => {
  const { client, topic, producer } = await topicOf(['{"at":1000}'], ['{"at":2000}']);
  const Row = t.struct({ at: t.timestampMs() });
  const source = kafka.source({
    ...{ brokers: broker.address, topic, format: json(Row), discoveryIntervalMs: 100 },
  });
  const job = defineJob({
    name: 'stream',
    build: ({ read }) =>
      read(source)
        .eventTime((row) => row.at)
        .window(tumbling({ sizeMs: 10_000 }))
        .aggregate({ rows: agg.count() })
        .writeTo(memory.sink()),
  });
  const end = new AbortController();
  const counts: number[] = [];
  const first = Promise.withResolvers<void>();
  const running = run(job, {
    ...limits,
    signal: end.signal,
    onRows: (rows) => {
      counts.push(...rows.map((row) => Number(row.rows)));
      first.resolve();
      if (counts.length === 2) end.abort();
    },
  });
  // Time goes on where all partitions do: the first window is out when both have passed it.
  await producer.send([textBatch(0, ['{"at":11000}']), textBatch(1, ['{"at":12000}'])]);
  await first.promise;
  expect(counts).toEqual([2]);
  await broker.kill();
  await broker.resume();
  await producer.send([textBatch(0, ['{"at":21000}']), textBatch(1, ['{"at":22000}'])]);
  expect(await running.then(() => 'finished', codeOf)).toBe('JOB_CANCELLED');
  expect(counts).toEqual([2, 2]);
  await client.close();
});

test('partitions that are added are read from their first record on', async () => {
  const { client, topic } = await topicOf(['a']);
  const source = kafka.source({
    ...{ brokers: broker.address, topic, format: text(), discoveryIntervalMs: 100 },
  });
  const job = defineJob({
    name: 'added',
    build: ({ read }) => read(source).writeTo(memory.sink()),
  });
  const end = new AbortController();
  const found: unknown[] = [];
  const running = run(job, {
    ...limits,
    signal: end.signal,
    onRows: (rows) => {
      found.push(...rows.map(({ value }) => value));
      if (found.length === 1) addPartition().catch((error) => found.push(error));
      if (found.length === 2) end.abort();
    },
  });
  const addPartition = async () => {
    await broker.setPartitions(topic, 2);
    const producer = await client.producer(topic);
    await producer.send([textBatch(1, ['b'])]);
  };
  expect(await running.then(() => 'finished', codeOf)).toBe('JOB_CANCELLED');
  expect(found).toEqual(['a', 'b']);
});

test.each`
  what                                | settings                                          | code
  ${'a topic that is not there'}      | ${{ topic: 'nowhere' }}                           | ${'KAFKA_TOPIC_NOT_FOUND'}
  ${'offsets that are not there'}     | ${{ start: { offsets: [99] } }}                   | ${'KAFKA_OFFSET_OUT_OF_RANGE'}
  ${'a broker that is not there'}     | ${{ brokers: '127.0.0.1:1', callTimeoutMs: 300 }} | ${'KAFKA_UNREACHABLE'}
  ${'a client without a way to read'} | ${{ client: 'kafkajs' }}                          | ${'KAFKA_CLIENT_CANNOT'}
`('$what ends the job with $code', async ({ settings, code }) => {
  const { topic } = await topicOf(['a']);
  const until = { offsets: [100] };
  const failed = valuesOf(topic, { until, ...settings });
  expect(await failed.then(() => 'finished', codeOf)).toBe(code);
});
