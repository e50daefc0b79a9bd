/**
 * Goal: rows that were written by the last complete checkpoint are seen by readers of committed records once, and all
 * others never: whoever crashes, is asleep meanwhile, commits again, or is too late for the broker.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import { stampProducer } from '../../connectors/kafka/batch-header.ts';
import { connectionOf } from '../../connectors/kafka/connection-secrets.ts';
import type { KafkaClient } from '../../connectors/kafka/kafka-client.ts';
import { KafkaSinkWriter } from '../../connectors/kafka/kafka-sink-writer.ts';
import {
  KafkaTransactionCommitter,
  type NotedTransaction,
} from '../../connectors/kafka/kafka-transactions.ts';
import { BrokerConnections } from '../../connectors/kafka/platformatic/broker-connections.ts';
import { rawProduce } from '../../connectors/kafka/platformatic/raw-apis.ts';
import { preparedSinkIn, sinkOptionsIn } from '../../connectors/kafka/sink-options.ts';
import { readStaged } from '../../connectors/kafka/staged-records.ts';
import { kafka } from '../../connectors/kafka.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import {
  clientOptions,
  kafkaEnv,
  recordsIn,
  testClient,
  textBatch,
  valueText,
} from '../support/kafka/kafka-clients.ts';
import { slotContext } from '../support/slot-context.ts';
import { tempFolder } from '../support/temp-folder.ts';

const schema = schemaOf(fieldOf('id', int64Type));
let broker: KafkaBroker;
let topicCount = 0;

beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

/** What a task waits on. */
class Bell {
  #next = Promise.withResolvers<void>();

  get rung(): Promise<void> {
    return this.#next.promise;
  }

  readonly ring = () => {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  };
}

/** A sink with a task, as attempts of a job have it. */
class Scene {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly #options: ReturnType<typeof sinkOptionsIn>;
  /** Of checkpoints; null: the job has none. */
  readonly folder: string | null;
  #epoch = 0;
  readonly writers: KafkaSinkWriter[] = [];

  private constructor(client: KafkaClient, topic: string, timeoutMs: number, keeps: boolean) {
    this.client = client;
    this.topic = topic;
    this.folder = keeps ? tempFolder() : null;
    const delivery = 'exactly-once';
    const settings = { brokers: broker.address, topic, delivery, transactionTimeoutMs: timeoutMs };
    this.#options = sinkOptionsIn(kafka.sink(settings as Parameters<typeof kafka.sink>[0]).options);
  }

  static async make(timeoutMs = 60_000, keeps = true): Promise<Scene> {
    const client = await testClient(broker.address);
    const topic = `transactions-${topicCount++}`;
    await client.createTopic(topic, { partitionCount: 2 });
    return new Scene(client, topic, timeoutMs, keeps);
  }

  /** Of an attempt that takes over. @param beforeLooking - What happens before it looks whether it is the last one. */
  committer(beforeLooking = async () => {}, taskCount = 1): KafkaTransactionCommitter {
    const epoch = ++this.#epoch;
    const { folder } = this;
    const checkCurrent = async () => {
      const isLast = epoch === this.#epoch;
      await beforeLooking();
      if (!isLast) throw typedError('CHECKPOINT_FENCED', 'another attempt has taken over');
    };
    const context = {
      ...{ ...kafkaEnv, disk: createRealDisk(), attemptId: 'attempt', taskCount },
      ...(folder !== null && { attempt: { epoch, folder, restoredFrom: folder, checkCurrent } }),
    };
    return new KafkaTransactionCommitter(this.#options, context);
  }

  /** Files with records that are kept. */
  staged(): string[] {
    if (this.folder === null) return [];
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /-\d+-\d+$/.test(name));
  }

  /** A new attempt, which goes on from what was noted. */
  async begin(pending: readonly Json[] | null, committer = this.committer()) {
    const prepared = preparedSinkIn(await committer.prepare(pending));
    const bell = new Bell();
    const context = {
      ...slotContext(schema),
      ...{ ...kafkaEnv, clock: { mono: () => performance.now(), wall: () => 1_000 } },
      ...{ ring: bell.ring, disk: createRealSyncDisk() },
    };
    const writer = new KafkaSinkWriter(this.#options, prepared, context);
    this.writers.push(writer);
    const write = async (ids: readonly number[]) => {
      while (!writer.isReady()) await bell.rung;
      const builder = new BatchBuilder(context.scope, schema);
      for (const id of ids) builder.appendRow([BigInt(id)]);
      const batch = builder.build();
      writer.write(batch);
      batch.release();
    };
    const flush = async () => {
      while (!writer.flush()) await bell.rung;
    };
    return { committer, writer, write, flush };
  }

  /** Until Kafka has ended what was noted: it was open for too long. */
  untilLost(noted: Json): Promise<void> {
    const { transactionalId } = noted as unknown as NotedTransaction;
    const stateOf = async () => (await this.client.transactionOf(transactionalId))?.state;
    return expect.poll(stateOf, { timeout: 30_000 }).toBe('CompleteAbort');
  }

  /** What an attempt has noted of so many rows, and Kafka has ended. */
  async lostRows(count: number): Promise<NotedTransaction & Json> {
    const { writer, write, flush } = await this.begin(null);
    await write(upTo(count));
    await flush();
    const noted = writer.prepareCommit() as unknown as NotedTransaction & Json;
    await this.untilLost(noted);
    return noted;
  }

  /** Ids that readers of committed records see, in order; waits for open transactions to end. */
  async seen(): Promise<number[]> {
    const parts = await Promise.all(
      [0, 1].map((partition) => recordsIn(this.client, this.topic, partition, 'committed')),
    );
    const ids = parts.flat().map((record) => JSON.parse(valueText(record) ?? '').id as number);
    return ids.sort((a, b) => a - b);
  }

  /** Markers of commits may come a little later than the commits. */
  sees(ids: readonly number[]): Promise<void> {
    return expect.poll(() => this.seen(), { timeout: 30_000 }).toEqual(ids);
  }

  close(): void {
    for (const writer of this.writers) writer.close();
  }
}

async function withScene(scene: Scene, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    scene.close();
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);

test('rows are seen when their checkpoint is committed, and those behind it are not', async () => {
  const scene = await Scene.make();
  await withScene(scene, async () => {
    const attempt = await scene.begin(null);
    await attempt.write([0, 1, 2]);
    await attempt.flush();
    const first = attempt.writer.prepareCommit();
    await attempt.write([3, 4]);
    await attempt.flush();
    expect(await scene.seen()).toEqual([]);
    await attempt.committer.commit([first]);
    await scene.sees([0, 1, 2]);
    await attempt.committer.commit([first]);
    expect(attempt.writer.prepareCommit()).not.toBe(null);
    expect(attempt.writer.prepareCommit()).toBe(null);
    expect(await scene.seen()).toEqual([0, 1, 2]);
  });
});

test('whoever goes on from a checkpoint commits it, ends what is behind it and fences the writer before', async () => {
  const scene = await Scene.make();
  await withScene(scene, async () => {
    const before = await scene.begin(null);
    await before.write([0, 1]);
    await before.flush();
    const noted = before.writer.prepareCommit();
    await before.write([2, 3]);
    await before.flush();
    const after = await scene.begin([noted]);
    expect(await scene.seen()).toEqual([0, 1]);
    await before.write([4]);
    expect(await before.flush().then(() => 'flushed', codeOf)).toBe('KAFKA_FENCED');
    await after.write([2, 3, 4]);
    await after.flush();
    await after.committer.commit([after.writer.prepareCommit()]);
    await scene.sees(upTo(5));
  });
});

test('a transaction that the broker has ended is written anew, once', async () => {
  const scene = await Scene.make(1_000);
  await withScene(scene, async () => {
    const noted = await scene.lostRows(100);
    expect(await scene.seen()).toEqual([]);
    for (let attempt = 0; attempt < 2; attempt++) {
      await scene.begin([noted]);
      await scene.sees(upTo(100));
    }
    await scene.committer().commit([noted]);
    expect(await scene.seen()).toEqual(upTo(100));
  });
});

test('whoever wrote it anew and crashed in the midst of it has written nothing', async () => {
  const scene = await Scene.make(1_000);
  await withScene(scene, async () => {
    const noted = await scene.lostRows(20);
    const { transactionalId: id, producerId, epoch } = noted;
    const transactionalId = `${id}-again-${producerId}-${epoch}`;
    const again = { topic: scene.topic, transactionalId, timeoutMs: 1_000 };
    const crashed = await scene.client.transactions(again);
    await crashed.send([textBatch(0, ['{"id":0}'])]);
    await scene.begin([noted]);
    await scene.sees(upTo(20));
  });
});

test('a coordinator that fell asleep while it wrote anew is told that another one has taken over', async () => {
  const scene = await Scene.make(1_000);
  await withScene(scene, async () => {
    const noted = await scene.lostRows(20);
    let isAsleep = true;
    const sleeper = scene.committer(async () => {
      if (!isAsleep) return;
      isAsleep = false;
      await scene.begin([noted]);
    });
    expect(await sleeper.commit([noted]).then(() => 'committed', codeOf)).toBe('CHECKPOINT_FENCED');
    await scene.sees(upTo(20));
  });
});

test('one that an older version has noted, with its records, is written anew as well', async () => {
  const scene = await Scene.make(1_000);
  await withScene(scene, async () => {
    const noted = await oldNote(scene, await scene.lostRows(20));
    await scene.begin([noted]);
    await scene.sees(upTo(20));
  });
});

/** As it was noted before records were kept in files. */
async function oldNote(scene: Scene, noted: Json): Promise<Json> {
  const { staged, ...rest } = noted as unknown as NotedTransaction;
  if (staged === null || !('path' in staged)) throw new Error('records are in a file');
  const batches: Json[] = [];
  for await (const one of readStaged(createRealDisk(), scene.folder ?? '', staged)) {
    const { partition, recordCount, bytes } = one;
    batches.push({ partition, recordCount, base64: Buffer.from(bytes).toString('base64') });
  }
  return { ...rest, staged: batches };
}

test('a file of records that was changed is named, and nothing of it is written', async () => {
  const scene = await Scene.make(1_000);
  await withScene(scene, async () => {
    const { writer, write, flush } = await scene.begin(null);
    await write(upTo(20));
    await flush();
    const noted = writer.prepareCommit() as unknown as NotedTransaction & Json;
    const [path = ''] = scene.staged();
    const bytes = readFileSync(join(scene.folder ?? '', path));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
    writeFileSync(join(scene.folder ?? '', path), bytes);
    await scene.untilLost(noted);
    await expect(scene.begin([noted])).rejects.toMatchObject({
      message: expect.stringContaining(path),
      info: { code: 'KAFKA_TRANSACTION_LOST' },
    });
    expect(await scene.seen()).toEqual([]);
  });
});

test.each(['before its look', 'behind its look'])(
  'a coordinator that fell asleep %s ends nothing of its successor',
  async (when) => {
    const scene = await Scene.make();
    await withScene(scene, async () => {
      let successor: Attempt | null = null;
      const takeOver = async () => {
        if (successor !== null) return;
        successor = await scene.begin(null);
        await successor.write(upTo(3));
        await successor.flush();
      };
      const sleeper = scene.committer(when === 'behind its look' ? takeOver : undefined);
      if (when === 'before its look') await takeOver();
      expect(await sleeper.prepare(null).then(() => 'prepared', codeOf)).toBe('CHECKPOINT_FENCED');
      expect(await sleeper.abort().then(() => 'ended', codeOf)).toBe('CHECKPOINT_FENCED');
      const { committer, writer } = successor as unknown as Attempt;
      await committer.commit([writer.prepareCommit()]);
      await scene.sees(upTo(3));
    });
  },
);

test('what is kept of transactions is removed when they are committed, and what nobody will commit as well', async () => {
  const scene = await Scene.make();
  await withScene(scene, async () => {
    const { committer, writer, write, flush } = await scene.begin(null);
    await write([0]);
    await flush();
    const first = writer.prepareCommit();
    await write([1]);
    await flush();
    const second = writer.prepareCommit();
    expect(scene.staged()).toHaveLength(2);
    await committer.commit([first]);
    expect(scene.staged()).toHaveLength(1);
    await scene.begin([first]);
    expect(second).not.toBe(null);
    expect(scene.staged()).toEqual([]);
  });
});

test('one whose records are kept nowhere is lost aloud', async () => {
  const scene = await Scene.make(1_000, false);
  await withScene(scene, async () => {
    const { writer, write, flush, committer } = await scene.begin(null);
    await write([0]);
    await flush();
    const noted = writer.finish() as { readonly transactionalId: string };
    await scene.untilLost(noted);
    await expect(committer.commit([noted])).rejects.toMatchObject({
      info: { code: 'KAFKA_TRANSACTION_LOST' },
    });
  });
});

test('a writer waits when all its slots wait, and goes on when one was committed', async () => {
  const scene = await Scene.make();
  await withScene(scene, async () => {
    const { writer, write, flush, committer } = await scene.begin(null);
    const noted: Json[] = [];
    for (const id of upTo(3)) {
      await write([id]);
      await flush();
      noted.push(writer.prepareCommit());
    }
    await write([3]);
    for (let look = 0; look < 20; look++) expect(writer.flush()).toBe(false);
    await committer.commit(noted.splice(0, 1));
    await flush();
    await committer.commit([...noted, writer.prepareCommit()]);
    await scene.sees(upTo(4));
  });
});

describe('an end that Kafka has not written', () => {
  // A broker that looks away takes records of a transaction that its coordinator does not know of: it never ends them.
  const looksAway = (isAway: boolean) =>
    broker.setProperty('transaction.partition.verification.enable', String(!isAway));
  beforeAll(() => looksAway(true));
  afterAll(() => looksAway(false));

  /** Writes a row behind the coordinator's back, as the transaction that an id has now. */
  async function forget(
    scene: Scene,
    transactionalId: string,
    { id, partition, sequence }: { id: number; partition: number; sequence: number },
  ): Promise<void> {
    const identity = await scene.client.transactionOf(transactionalId);
    if (identity === null) throw new Error(`"${transactionalId}" is known`);
    const batch = textBatch(partition, [JSON.stringify({ id })]);
    stampProducer(batch.bytes, { ...identity, sequence, isTransactional: true });
    const connection = await connectionOf(clientOptions(broker.address));
    const connections = new BrokerConnections(connection, kafkaEnv);
    const options = { timeoutMs: 10_000, what: 'a row' };
    const request = { topic: scene.topic, transactionalId, timeoutMs: 10_000, batches: [batch] };
    const answer = await connections.callAny(rawProduce, [request], options);
    await connections.close();
    expect(answer).toEqual([{ partition, errorCode: 0 }]);
  }

  test('of a commit is written by whoever takes over, and rows behind it are not seen', async () => {
    const scene = await Scene.make();
    await withScene(scene, async () => {
      const { write, flush, writer, committer } = await scene.begin(null);
      await write([0, 1]);
      await flush();
      const noted = writer.prepareCommit() as unknown as NotedTransaction & Json;
      await committer.commit([noted]);
      await scene.sees([0, 1]);
      await forget(scene, noted.transactionalId, { id: 2, partition: 1, sequence: 0 });
      expect(await scene.seen()).toEqual([0, 1]);
      const next = await scene.begin([noted]);
      await scene.sees([0, 1, 2]);
      for (const id of [3, 4]) await next.write([id]);
      await next.flush();
      await scene.begin([]);
      await scene.sees([0, 1, 2]);
    });
  });

  test('of a commit is written by the committer', async () => {
    const scene = await Scene.make();
    await withScene(scene, async () => {
      const { write, flush, writer, committer } = await scene.begin(null);
      await write([0]);
      await flush();
      const noted = writer.prepareCommit() as unknown as NotedTransaction & Json;
      await committer.commit([noted]);
      await forget(scene, noted.transactionalId, { id: 1, partition: 1, sequence: 0 });
      expect(await scene.seen()).toEqual([0]);
      await committer.commit([noted]);
      expect(await scene.seen()).toEqual([0, 1]);
    });
  });

  test('of an abort is written before others write: its rows are never seen', async () => {
    const scene = await Scene.make();
    await withScene(scene, async () => {
      const before = await scene.begin(null);
      await before.write([0]);
      await before.flush();
      const transactionalId = `millrace-${scene.topic}-0-0`;
      await forget(scene, transactionalId, { id: 77, partition: 1, sequence: 0 });
      const { write, flush, writer, committer } = await scene.begin(null);
      for (const one of [0, 1]) await write([one]);
      await flush();
      await committer.commit([writer.prepareCommit()]);
      await scene.sees([0, 1]);
    });
  });

  test('of a commit is written by the task itself, when it uses the id again', async () => {
    const scene = await Scene.make();
    await withScene(scene, async () => {
      const { write, flush, writer, committer } = await scene.begin(null);
      await write([0]);
      await flush();
      const noted = writer.prepareCommit() as unknown as NotedTransaction & Json;
      await committer.commit([noted]);
      await scene.sees([0]);
      await forget(scene, noted.transactionalId, { id: 1, partition: 0, sequence: 1 });
      await write([2]);
      await flush();
      writer.prepareCommit();
      // The next slot that is free is the first one again.
      await write([3]);
      await flush();
      await scene.sees([0, 1]);
      await scene.begin([]);
      await scene.sees([0, 1]);
    });
  });
});

test('who names only the epoch before the newest is not let in, however often it asks', async () => {
  const { client, topic } = await Scene.make();
  const options = { transactionalId: `${topic}-epochs`, timeoutMs: 60_000 };
  const first = await client.beginTransactions({ ...options, expected: 'nobody' });
  const second = await client.beginTransactions({ ...options, expected: first });
  expect(second.epoch).toBe(first.epoch + 2);
  for (const expected of [first, 'nobody'] as const) {
    const begun = client.beginTransactions({ ...options, expected });
    expect(await begun.then(() => 'begun', codeOf)).toBe('KAFKA_FENCED');
  }
});

test('a writer that fell asleep before it used a slot again does not write as its successor', async () => {
  const scene = await Scene.make();
  await withScene(scene, async () => {
    const before = await scene.begin(null);
    await before.write([0]);
    await before.flush();
    const noted = before.writer.prepareCommit() as unknown as NotedTransaction & Json;
    await before.committer.commit([noted]);
    const after = await scene.begin([noted]);
    const { transactionalId } = noted;
    const asked = { transactionalId, timeoutMs: 60_000, expected: noted };
    expect(await scene.client.beginTransactions(asked).then(() => 'begun', codeOf)).toBe(
      'KAFKA_FENCED',
    );
    await after.write([1]);
    await after.flush();
    await after.committer.commit([after.writer.prepareCommit()]);
    await scene.sees([0, 1]);
  });
});

test('open transactions of tasks that the job has no more are ended, and their ids begun', async () => {
  const scene = await Scene.make();
  await withScene(scene, async () => {
    const { client, topic } = scene;
    const { identities = {} } = preparedSinkIn(await scene.committer(undefined, 3).prepare(null));
    const [transactionalId = '', identity] = Object.entries(identities).at(-1) ?? [];
    if (identity === undefined) throw new Error('an id was begun');
    const left = client.transactionsOf({ topic, transactionalId, identity });
    await left.send([textBatch(0, ['{"id":0}'])]);
    const after = preparedSinkIn(await scene.committer().prepare(null)).identities;
    expect(Object.keys(after ?? {})).toHaveLength(9);
    await expect.poll(() => client.openTransactions(topic)).toEqual([]);
    expect(await left.end('commit').then(() => 'ended', codeOf)).toBe('KAFKA_FENCED');
    expect(await scene.seen()).toEqual([]);
  });
});

type Attempt = Awaited<ReturnType<Scene['begin']>>;

/** A job with one task, as it lives through steps; its rows are numbers in order. */
class Life {
  readonly #scene: Scene;
  #attempt: Attempt;
  #zombie: Attempt | null = null;
  #next = 0;
  /** Of the last complete checkpoint: the next row, and what is to be committed, or was already. */
  #complete = { next: 0, pending: [] as Json[] };

  constructor(scene: Scene, attempt: Attempt) {
    this.#scene = scene;
    this.#attempt = attempt;
  }

  get rowCount(): number {
    return this.#next;
  }

  readonly steps = {
    rows: async () => {
      await this.#attempt.write([this.#next, this.#next + 1]);
      this.#next += 2;
    },
    checkpoint: async () => {
      if (this.#complete.pending.length >= 2) await this.steps.commit();
      await this.#attempt.flush();
      const noted = this.#attempt.writer.prepareCommit();
      const pending = [...this.#complete.pending, ...(noted === null ? [] : [noted])];
      this.#complete = { next: this.#next, pending };
    },
    commit: async () => {
      await this.#attempt.committer.commit(this.#complete.pending);
      this.#complete = { ...this.#complete, pending: this.#complete.pending.slice(-1) };
    },
    crash: async () => {
      this.#zombie = this.#attempt;
      this.#attempt = await this.#scene.begin(this.#complete.pending);
      this.#next = this.#complete.next;
    },
    /** It knows nothing of its successor: what it writes must be seen by nobody. */
    zombie: async () => {
      const zombie = this.#zombie;
      this.#zombie = null;
      const writing = zombie?.write([-1]).then(() => zombie.flush());
      await writing?.catch(() => undefined); // Fenced, as it should be.
    },
  };
}

test('any order of rows, checkpoints, commits, crashes and writers that wake up again', async () => {
  const step = fc.constantFrom('rows', 'rows', 'checkpoint', 'commit', 'crash', 'zombie');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const scene = await Scene.make();
      await withScene(scene, async () => {
        const life = new Life(scene, await scene.begin(null));
        for (const one of [...steps, 'rows', 'checkpoint', 'commit'] as const) {
          await life.steps[one]();
        }
        await scene.sees(upTo(life.rowCount));
      });
    }),
    { numRuns: 10 },
  );
});
