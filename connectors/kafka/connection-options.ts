/** How Kafka is reached, as a plan carries it, and the options of a user that become it. */
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';

/** What every source and sink of Kafka takes. */
export interface KafkaConnectionSettings {
  /** `host:port`, or several of them, with commas or as an array; one that answers is enough. */
  readonly brokers: string | readonly string[];
  /** Whether connections are encrypted, with the certificates that Node trusts. @defaultValue false */
  readonly tls?: boolean;
  /** A user, where the listener asks for one. @defaultValue none */
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
  /** How long any question to Kafka may take, with all its retries, in milliseconds from 100 on. @defaultValue 30_000 */
  readonly callTimeoutMs?: number;
  /** The package behind it. `kafkajs` can't read, and has no exactly-once sink. @defaultValue `platformatic` */
  readonly client?: 'platformatic' | 'kafkajs';
}

/** The same, checked. A type alias, since only those are assignable to `Json`. */
export type KafkaConnectionOptions = {
  readonly brokers: readonly string[];
  readonly tls: boolean;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
  readonly callTimeoutMs: number;
  readonly client: 'platformatic' | 'kafkajs';
};

const callTimeoutMsDefault = 30_000;
const callTimeoutMsMin = 100;

/** @throws KAFKA_OPTION_INVALID */
export function connectionOptionsOf(settings: KafkaConnectionSettings): KafkaConnectionOptions {
  const { tls = false, sasl, callTimeoutMs = callTimeoutMsDefault } = settings;
  if (!Number.isSafeInteger(callTimeoutMs) || callTimeoutMs < callTimeoutMsMin) {
    throw optionError(
      `callTimeoutMs of kafka can't be ${callTimeoutMs}`,
      `Give whole milliseconds from ${callTimeoutMsMin} on.`,
    );
  }
  return {
    brokers: brokersOf(settings.brokers),
    tls,
    sasl: sasl === undefined ? null : { ...sasl },
    callTimeoutMs,
    client: kafkaChoice('client', settings.client ?? 'platformatic', ['platformatic', 'kafkajs']),
  };
}

export function optionError(message: string, hint: string): Error {
  return typedError('KAFKA_OPTION_INVALID', message, { hint });
}

/** @throws KAFKA_OPTION_INVALID when the value is none of the choices. */
export function kafkaChoice<T extends string>(
  option: string,
  given: string,
  choices: readonly T[],
): T {
  const choice = choices.find((one) => one === given);
  if (choice !== undefined) return choice;
  const nearest = nearestName(String(given), choices);
  const meant = nearest === null ? '' : ` Did you mean "${nearest}"?`;
  const all = choices.map((one) => `"${one}"`).join(', ');
  throw optionError(`${option} of kafka can't be "${given}"`, `Choose one of ${all}.${meant}`);
}

/** @throws KAFKA_OPTION_INVALID */
export function topicOf(topic: unknown): string {
  if (typeof topic === 'string' && topic !== '') return topic;
  throw optionError(
    'kafka needs a topic',
    'Give its name: kafka.source({ brokers, topic: "bids", … }).',
  );
}

function brokersOf(given: string | readonly string[]): readonly string[] {
  const all = (typeof given === 'string' ? given.split(',') : [...(given ?? [])])
    .map((broker) => String(broker).trim())
    .filter((broker) => broker !== '');
  const wrong = all.find((broker) => !/^[^\s:]+:\d{1,5}$|^\[[\da-fA-F:]+\]:\d{1,5}$/.test(broker));
  if (all.length > 0 && wrong === undefined) return all;
  const what = wrong === undefined ? 'kafka needs brokers' : `kafka has no broker at "${wrong}"`;
  throw optionError(what, 'Give host and port: brokers: "127.0.0.1:9092", several with commas.');
}
