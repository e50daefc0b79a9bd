/**
 * Goal: whichever package is behind the port to Kafka does what connectors/kafka/kafka-client.ts says, against a
 * real broker; what a package can't do it refuses with a code.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../base/error-codes.ts';
import type { KafkaClient } from '../../connectors/kafka/kafka-client.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import {
  recordBatch,
  recordsIn,
  testClient,
  textBatch,
  textRecord,
  valueText,
} from '../support/kafka/kafka-clients.ts';
import { tempFolder } from '../support/temp-folder.ts';

let broker: KafkaBroker;

beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

let topicCount = 0;

async function newTopic(client: KafkaClient, partitionCount = 1): Promise<string> {
  const topic = `topic-${topicCount++}`;
  await client.createTopic(topic, { partitionCount });
  return topic;
}

function refuses(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  return expect(work).rejects.toMatchObject({ info: { code } });
}

const newTransactionalId = () => `transactions-${topicCount++}`;

async function valuesIn(topic: string, partition = 0): Promise<(string | null)[]> {
  const client = await testClient(broker.address);
  return (await recordsIn(client, topic, partition)).map(valueText);
}

describe.each(['platformatic', 'kafkajs'] as const)('%s', (name) => {
  const open = () => testClient(broker.address, { client: name });

  test('a topic that was made has its partitions and a leader for each', async () => {
    const client = await open();
    const topic = await newTopic(client, 3);
    expect(await client.partitionsOf(topic)).toEqual([
      { partition: 0, leader: 1 },
      { partition: 1, leader: 1 },
      { partition: 2, leader: 1 },
    ]);
    await refuses(client.createTopic(topic, { partitionCount: 1 }), 'KAFKA_TOPIC_EXISTS');
  });

  test('a topic that is not there is the fault of the user', async () => {
    const client = await open();
    await refuses(client.partitionsOf('nowhere'), 'KAFKA_TOPIC_NOT_FOUND');
    await refuses(client.offsetsOf('nowhere', 'latest', 'committed'), 'KAFKA_TOPIC_NOT_FOUND');
  });

  test('what is sent is there once, in order, with keys, times and headers', async () => {
    const client = await open();
    const topic = await newTopic(client, 2);
    const producer = await client.producer(topic);
    const keyed = textRecord('b', {
      key: new TextEncoder().encode('k'),
      timestampMs: 1_500,
      headers: [['trace', new Uint8Array([1, 2])]],
    });
    await producer.send([recordBatch(0, [textRecord('a'), keyed]), textBatch(1, ['x'])]);
    await producer.send([recordBatch(0, [textRecord('c', { value: null })])]);
    await producer.close();
    const reader = await testClient(broker.address);
    const records = await recordsIn(reader, topic);
    expect(records.map(valueText)).toEqual(['a', 'b', null]);
    expect(records.map(({ timestampMs }) => timestampMs)).toEqual([1_000, 1_500, 1_000]);
    expect(records[1]?.key).toEqual(new TextEncoder().encode('k'));
    expect(records[1]?.headers).toEqual([['trace', new Uint8Array([1, 2])]]);
    expect(await valuesIn(topic, 1)).toEqual(['x']);
  });

  test('offsets are those of both ends and of times', async () => {
    const client = await open();
    const topic = await newTopic(client, 2);
    const producer = await client.producer(topic);
    const times = [1_000, 2_000, 3_000];
    const records = times.map((timestampMs) => textRecord('r', { timestampMs }));
    await producer.send([recordBatch(1, records)]);
    expect(await client.offsetsOf(topic, 'earliest', 'committed')).toEqual([0, 0]);
    expect(await client.offsetsOf(topic, 'latest', 'committed')).toEqual([0, 3]);
    expect(await client.offsetsOf(topic, { timestampMs: 1_500 }, 'committed')).toEqual([0, 1]);
    expect(await client.offsetsOf(topic, { timestampMs: 9_000 }, 'committed')).toEqual([0, 3]);
  });

  test('a transaction is seen when it was committed, and never when it was aborted', async () => {
    const client = await open();
    const topic = await newTopic(client);
    const options = { topic, transactionalId: newTransactionalId(), timeoutMs: 60_000 };
    const transactions = await client.transactions(options);
    const reader = await testClient(broker.address);
    const ends = () => reader.offsetsOf(topic, 'latest', 'committed');
    await transactions.send([textBatch(0, ['a', 'b'])]);
    await transactions.send([textBatch(0, ['c'])]);
    expect(await ends()).toEqual([0]);
    await transactions.end('commit');
    await expect.poll(ends).toEqual([4]);
    await transactions.send([textBatch(0, ['d'])]);
    await transactions.end('abort');
    await transactions.end('abort');
    await expect.poll(ends).toEqual([6]);
    const [{ leader } = { leader: -1 }] = await reader.partitionsOf(topic);
    const [fetched] = await reader.fetch({
      ...{ topic, leader, isolation: 'committed', partitions: [{ partition: 0, offset: 4 }] },
      ...{ waitMaxMs: 500, partitionBytesMax: 1 << 20, bytesMax: 1 << 20 },
    });
    expect(fetched?.aborted.map(({ firstOffset }) => firstOffset)).toEqual([4]);
  });

  test('whoever takes over the id of transactions ends the open one and fences the one before', async () => {
    const [first, second] = [await open(), await open()];
    const topic = await newTopic(first);
    const options = { topic, transactionalId: newTransactionalId(), timeoutMs: 60_000 };
    const fenced = await first.transactions(options);
    await fenced.send([textBatch(0, ['lost'])]);
    const owner = await second.transactions(options);
    await refuses(fenced.end('commit'), 'KAFKA_FENCED');
    await owner.send([textBatch(0, ['kept'])]);
    await owner.end('commit');
    const reader = await testClient(broker.address);
    const ends = () => reader.offsetsOf(topic, 'latest', 'committed');
    await expect.poll(ends).toEqual([4]); // Two records, an abort and a commit.
  });

  test('a broker that is not there is told of within the deadline', async () => {
    const client = await testClient('127.0.0.1:1', { client: name, callTimeoutMs: 300 });
    await refuses(client.partitionsOf('any'), 'KAFKA_UNREACHABLE');
  });

  test('a user whom the broker knows may ask, another is refused', async () => {
    const user = (password: string) => ({
      client: name,
      callTimeoutMs: 5_000,
      sasl: {
        ...{ mechanism: 'plain' as const, username: 'reader' },
        passwordFile: join(tempFolder({ password }), 'password'),
      },
    });
    const known = await testClient(broker.saslAddress, user('secret'));
    await refuses(known.partitionsOf('nowhere'), 'KAFKA_TOPIC_NOT_FOUND');
    const other = await testClient(broker.saslAddress, user('guessed'));
    await refuses(other.partitionsOf('nowhere'), 'KAFKA_AUTHENTICATION');
  });

  test('a broker that starts again in the midst of sends loses and doubles nothing', async () => {
    const client = await open();
    const topic = await newTopic(client);
    const producer = await client.producer(topic);
    const sent: string[] = [];
    const send = async (count: number) => {
      for (let left = count; left > 0; left--) {
        const value = `record ${sent.length}`;
        sent.push(value);
        await producer.send([textBatch(0, [value])]);
      }
    };
    await send(5);
    const restarting = broker.kill().then(() => broker.resume());
    await send(5);
    await restarting;
    expect(await valuesIn(topic)).toEqual(sent);
  });
});

test('platformatic fetches from any offset, waits for what is to come, and says what is out of range', async () => {
  const client = await testClient(broker.address);
  const topic = await newTopic(client, 2);
  const producer = await client.producer(topic);
  await producer.send([textBatch(0, ['a', 'b'])]);
  const ask = (offset: number) =>
    client.fetch({
      ...{ topic, leader: 1, isolation: 'committed', waitMaxMs: 30_000 },
      ...{ partitionBytesMax: 1 << 20, bytesMax: 1 << 20 },
      partitions: [{ partition: 0, offset }],
    });
  const waiting = ask(2);
  await producer.send([textBatch(0, ['c'])]);
  const [[came], [outside]] = await Promise.all([waiting, ask(99)]);
  expect(came?.endOffset).toBe(3);
  expect(came?.records.length).toBeGreaterThan(61);
  expect(outside?.errorCode).toBe(1);
});

test('platformatic ends a transaction of a process that is gone, once', async () => {
  const gone = await testClient(broker.address);
  const topic = await newTopic(gone);
  const transactionalId = newTransactionalId();
  const transactions = await gone.transactions({ topic, transactionalId, timeoutMs: 60_000 });
  await transactions.send([textBatch(0, ['left'])]);
  const { identity } = transactions;
  await gone.close();
  const client = await testClient(broker.address);
  const commit = () =>
    client.commitTransaction(transactionalId, identity ?? { producerId: -1, epoch: -1 });
  await commit();
  await expect.poll(() => client.offsetsOf(topic, 'latest', 'committed')).toEqual([2]);
  expect(await valuesIn(topic)).toEqual(['left']);
  await client.transactions({ topic, transactionalId, timeoutMs: 60_000 });
  await refuses(commit(), 'KAFKA_FENCED');
});

test('kafkajs refuses what it has no way to do', async () => {
  const client = await testClient(broker.address, { client: 'kafkajs' });
  const request = {
    ...{ topic: 'any', leader: 1, isolation: 'committed' as const, partitions: [] },
    ...{ waitMaxMs: 0, partitionBytesMax: 1, bytesMax: 1 },
  };
  const identity = { producerId: 1, epoch: 0 };
  await refuses(client.fetch(request), 'KAFKA_CLIENT_CANNOT');
  await refuses(client.commitTransaction('any', identity), 'KAFKA_CLIENT_CANNOT');
});
