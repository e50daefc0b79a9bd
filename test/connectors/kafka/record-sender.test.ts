/**
 * Goal: records are sent once and in order, whatever they are and however slow Kafka is; what waits is bounded; and a
 * send that fails is told of, with nothing sent behind it.
 */
import { murmur2 } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stampProducer } from '../../../connectors/kafka/batch-header.ts';
import type { EncodedBatch, KafkaProducer } from '../../../connectors/kafka/kafka-client.ts';
import { partitionOfKey } from '../../../connectors/kafka/key-partitioner.ts';
import { plainBatchOf, plainRecordsOf } from '../../../connectors/kafka/plain-records.ts';
import { RecordBatchBuilder } from '../../../connectors/kafka/record-batch-builder.ts';
import { RecordSender } from '../../../connectors/kafka/record-sender.ts';

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 300 }));
const encoder = new TextEncoder();

test('a batch that was built is what the reference makes of its records', () => {
  const records = fc.array(
    fc.record({
      key: bytesOrNull,
      value: bytesOrNull,
      timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
    }),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(records, (all) => {
      const builder = new RecordBatchBuilder(0);
      for (const { key, value, timestampMs } of all) builder.add(key, value, timestampMs);
      const { bytes, recordCount } = builder.build();
      expect(recordCount).toBe(all.length);
      const wanted = plainBatchOf(all.map((one, offset) => ({ ...one, offset, headers: [] })));
      const producer = { producerId: 1, epoch: 2, sequence: 3, isTransactional: false };
      for (const batch of [bytes, wanted]) {
        new DataView(batch.buffer, batch.byteOffset).setInt32(12, 0); // The broker's.
        stampProducer(batch, producer);
      }
      expect(Buffer.from(bytes).equals(Buffer.from(wanted))).toBe(true);
    }),
  );
});

test('keys go where the package, and with it the Java client, sends them', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 1, max: 100 }),
      (key, count) => {
        const hash = Number(murmur2(Buffer.from(key)));
        expect(partitionOfKey(key, count)).toBe((hash & 0x7fffffff) % count);
      },
    ),
  );
});

/** A producer whose sends end when the test says so. */
class SlowProducer implements KafkaProducer {
  readonly sends: (PromiseWithResolvers<void> & { readonly batches: readonly EncodedBatch[] })[] =
    [];

  send(batches: readonly EncodedBatch[]): Promise<void> {
    const sending = { ...Promise.withResolvers<void>(), batches };
    this.sends.push(sending);
    return sending.promise;
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }
}

function scene(bufferBytesMax = 1 << 20, batchBytesMax = 1 << 20) {
  const producer = new SlowProducer();
  let rings = 0;
  const ring = () => void rings++;
  const sender = new RecordSender(2, { batchBytesMax, bufferBytesMax, ring });
  sender.use(Promise.resolve(producer));
  const settled = async () => {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { producer, sender, settled, rings: () => rings };
}

const textsOf = (batch: EncodedBatch | undefined) =>
  plainRecordsOf(batch?.bytes ?? new Uint8Array(0)).map(({ value }) =>
    new TextDecoder().decode(value ?? undefined),
  );

test('while a send is on its way records gather, and go together', async () => {
  const { producer, sender, settled, rings } = scene();
  await settled();
  sender.add(0, null, encoder.encode('a'), 1);
  expect(sender.flush()).toBe(false);
  for (const value of ['b', 'c']) sender.add(0, null, encoder.encode(value), 1);
  sender.add(1, null, encoder.encode('x'), 1);
  expect(sender.flush()).toBe(false);
  expect(producer.sends).toHaveLength(1);
  const before = rings();
  producer.sends[0]?.resolve();
  await settled();
  expect(rings()).toBe(before + 1);
  expect(producer.sends[1]?.batches.map(textsOf)).toEqual([['b', 'c'], ['x']]);
  producer.sends[1]?.resolve();
  await settled();
  expect(sender.flush()).toBe(true);
});

test('a full batch is sealed, and those of a partition are sent one after the other', async () => {
  const { producer, sender, settled } = scene(1 << 20, 200);
  const values = Array.from({ length: 9 }, (_, at) => `${at}`.repeat(50));
  for (const value of values) sender.add(0, null, encoder.encode(value), 1);
  const sent: string[] = [];
  await settled();
  for (let send = 0; !sender.flush(); send++) {
    sent.push(...(producer.sends[send]?.batches.flatMap(textsOf) ?? []));
    producer.sends[send]?.resolve();
    await settled();
  }
  expect(sent).toEqual(values);
  expect(producer.sends.length).toBeGreaterThan(3);
});

test('there is room until the bound, and again when records were written', async () => {
  const { producer, sender, settled } = scene(1_000);
  await settled();
  while (sender.hasRoom) sender.add(0, null, new Uint8Array(100), 1);
  sender.flush();
  await settled();
  expect(sender.hasRoom).toBe(false);
  producer.sends[0]?.resolve();
  await settled();
  expect(sender.hasRoom).toBe(true);
});

test('a send that fails is told of by every call, and nothing is sent behind it', async () => {
  const { producer, sender, settled } = scene();
  await settled();
  sender.add(0, null, encoder.encode('a'), 1);
  sender.flush();
  producer.sends[0]?.reject(new Error('refused'));
  await settled();
  expect(() => sender.hasRoom).toThrow('refused');
  expect(() => sender.flush()).toThrow('refused');
  expect(producer.sends).toHaveLength(1);
});
