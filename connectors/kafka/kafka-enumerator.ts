/**
 * Finds the partitions of a topic: a split for each, and, where the source has no end, those that come later.
 * Partitions are the job's to share out; there is no consumer group.
 *
 * A partition that comes later is read from its first record on, wherever the others began: it was not there.
 *
 * Before: connectors/kafka.ts. After: connectors/kafka/kafka-reader.ts.
 */
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Split, SplitDiscovery, SplitEnumerator } from '../../engine/contracts/source.ts';
import { optionError } from './connection-options.ts';
import type { KafkaClient } from './kafka-client.ts';
import { kafkaSplit, splitIn } from './kafka-splits.ts';
import { withKafkaClient } from './open-client.ts';
import { kafkaEnvOf } from './retrying.ts';
import type { Bound, KafkaSourceOptions } from './source-options.ts';

/** Lanes that a task reads side by side; partitions without an end can't be read one behind the other. */
const partitionsPerTaskMax = 64;

export class KafkaEnumerator implements SplitEnumerator {
  readonly #options: KafkaSourceOptions;
  readonly #context: RoleContext;
  readonly discoverMore?: () => Promise<SplitDiscovery>;
  #knownCount = 0;

  constructor(options: KafkaSourceOptions, context: RoleContext) {
    this.#options = options;
    this.#context = context;
    if (options.until === null) this.discoverMore = () => this.#discoverMore();
  }

  get discoveryIntervalMs(): number {
    return this.#options.discoveryIntervalMs;
  }

  /** @throws KAFKA_TOPIC_NOT_FOUND, KAFKA_UNREACHABLE, KAFKA_AUTHENTICATION and others. */
  discover(parallelism: number): Promise<SplitDiscovery> {
    const { topic, start, until } = this.#options;
    return this.#asking(async (client) => {
      const { length: count } = await client.partitionsOf(topic);
      const countMax = parallelism * partitionsPerTaskMax;
      if (until === null && count > countMax) throw tooManyError(topic, count, countMax);
      const ends = until === null ? null : await this.#offsetsOf(client, until);
      const starts = await this.#offsetsOf(client, start);
      this.#knownCount = count;
      const splits = Array.from({ length: count }, (_, partition) => {
        const end = ends === null ? null : (ends[partition] ?? 0);
        return kafkaSplit(topic, { partition, start: starts[partition] ?? 0, end });
      });
      return { splits, sizeBytes: 0, inputCount: 1 };
    });
  }

  /** Partitions are numbered: those behind the last one that was found are new. */
  restore(known: readonly Split[]): void {
    const counts = known.map((split) => splitIn(split).partition + 1);
    this.#knownCount = Math.max(0, ...counts);
  }

  #discoverMore(): Promise<SplitDiscovery> {
    const { topic, isolation } = this.#options;
    return this.#asking(async (client) => {
      const { length: count } = await client.partitionsOf(topic);
      const known = this.#knownCount;
      if (count <= known) return { splits: [], sizeBytes: 0, inputCount: 0 };
      const starts = await client.offsetsOf(topic, 'earliest', isolation);
      this.#knownCount = count;
      const splits = Array.from({ length: count - known }, (_, index) => {
        const partition = known + index;
        return kafkaSplit(topic, { partition, start: starts[partition] ?? 0, end: null });
      });
      return { splits, sizeBytes: 0, inputCount: 0 };
    });
  }

  #asking<T>(ask: (client: KafkaClient) => Promise<T>): Promise<T> {
    return withKafkaClient(this.#options.connection, kafkaEnvOf(this.#context), ask);
  }

  /** By partition. Offsets that the user gave are for the first partitions; the others have all. */
  async #offsetsOf(client: KafkaClient, bound: Bound): Promise<readonly number[]> {
    const { topic, isolation } = this.#options;
    if (!isOffsets(bound)) return client.offsetsOf(topic, bound, isolation);
    const side = bound === this.#options.start ? 'earliest' : 'latest';
    const others = await client.offsetsOf(topic, side, isolation);
    return others.map((offset, partition) => bound[partition] ?? offset);
  }
}

function isOffsets(bound: Bound): bound is readonly number[] {
  return Array.isArray(bound);
}

function tooManyError(topic: string, count: number, countMax: number): Error {
  return optionError(
    `topic "${topic}" has ${count} partitions, and this job's tasks read at most ${countMax}`,
    'Run the job with a higher --parallelism.',
  );
}
